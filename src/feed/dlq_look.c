#include "dlq_look.h"

#include "dlq_reader.h"
#include "letter_holds.h"

#include <stdlib.h>

struct dlq_look {
    struct dlq_platform platform;
    struct dlq_look_options options;
    struct dlq_look_host host;
    struct dlq_reader reader;
    struct holds holds;
    struct dlq_look_result result;
    struct call_result failure;
    uint64_t hash_seed[2];
    bool reading, stopping, ended;
    struct timer start, end; /* so that the first and the last callback come from the loop */
};

static void report(void *user) {
    struct dlq_look *look = user;
    look->result.left_hidden = look->holds.lost + look->holds.count;
    struct hold *hold;
    TAILQ_FOREACH(hold, &look->holds.returning, link) {
        look->result.left_hidden++;
    }
    if (look->failure.class == CALL_OK && look->holds.failure.class != CALL_OK)
        look->failure = look->holds.failure;
    look->result.failure = look->failure.class == CALL_OK ? NULL : &look->failure;
    look->host.done(look->host.ctx, &look->result);
}

static void end(struct dlq_look *look) {
    if (look->ended)
        return;
    look->ended = true;
    timer_start(look->platform.timers, &look->end, clock_monotonic(look->platform.clock));
}

static void on_returned(void *ctx) {
    struct dlq_look *look = ctx;
    if (!look->reading && holds_are_returned(&look->holds))
        end(look);
}

static void on_read(void *ctx, const struct call_result *result) {
    struct dlq_look *look = ctx;
    look->reading = false;
    if (result)
        look->failure = *result;
    holds_return_all(&look->holds);
    on_returned(look);
}

static bool is_limited(const struct dlq_look *look) {
    return look->options.limit && look->result.chosen >= look->options.limit;
}

/* Without a filter each message counts for the limit, so no more than that are asked for. */
static size_t room(void *ctx) {
    const struct dlq_look *look = ctx;
    size_t left = look->holds.count < HOLDS_MAX ? HOLDS_MAX - look->holds.count : 0;
    if (look->stopping || !look->host.has_room(look->host.ctx))
        return 0;
    if (!look->options.limit || !letter_choice_is_all(look->options.choice))
        return left;
    uint64_t wanted = look->options.limit - look->result.chosen;
    return wanted < left ? (size_t)wanted : left;
}

static bool look_into(struct dlq_look *look, const struct sqs_message *m) {
    struct letter_delivery delivery = {
        .body = m->body, .message_id = m->message_id, .error_envelope = m->error_envelope};
    for (size_t i = 0; i < m->attribute_count; i++)
        if (span_is(m->attributes[i].name, "ErrorType"))
            delivery.error_type = m->attributes[i].value;
    struct letter *letter = letter_read(look->hash_seed, &delivery);
    if (!letter)
        return false;
    bool ok;
    if (letter_is_chosen(look->options.choice, letter, m->sent_at, &ok)) {
        look->result.chosen++;
        ok = look->host.found(look->host.ctx, letter, m);
    }
    letter_free(letter);
    return ok;
}

static void fail_for_memory(struct dlq_look *look) {
    look->result.no_memory = true;
    look->stopping = true;
    dlq_reader_stop(&look->reader);
}

static bool took(void *ctx, struct sqs_message *m) {
    struct dlq_look *look = ctx;
    struct hold *hold = holds_find(&look->holds, m->message_id);
    bool fresh = hold == NULL, ok = true;
    if (hold)
        ok = holds_renew(&look->holds, hold, m->receipt_handle);
    else
        ok = holds_add(&look->holds, m->message_id, m->receipt_handle) != NULL;
    look->result.looked_at += fresh;
    if (ok && fresh && !is_limited(look))
        ok = look_into(look, m);
    sqs_message_free(m);
    if (!ok)
        fail_for_memory(look);
    if (is_limited(look) && !look->result.limited) {
        look->result.limited = true;
        dlq_reader_stop(&look->reader);
    }
    if (look->holds.count >= HOLDS_MAX && !look->result.full) {
        look->result.full = true;
        dlq_reader_stop(&look->reader);
    }
    return fresh;
}

static void on_start(void *user) {
    struct dlq_look *look = user;
    dlq_reader_pump(&look->reader);
}

struct dlq_look *dlq_look_start(const struct dlq_platform *platform, const struct dlq_look_options *options,
                                const struct dlq_look_host *host) {
    struct dlq_look *look = calloc(1, sizeof *look);
    if (!look)
        return NULL;
    look->platform = *platform;
    look->options = *options;
    look->host = *host;
    look->reading = true;
    look->hash_seed[0] = random_next(platform->random);
    look->hash_seed[1] = random_next(platform->random);
    const struct dlq_reader_kind kind = {.queue_url = options->queue_url,
                                         .visibility_seconds = HOLDS_VISIBILITY,
                                         .fifo = options->fifo,
                                         .counted = options->counted,
                                         .room = room,
                                         .took = took,
                                         .ended = on_read,
                                         .ctx = look};
    dlq_reader_init(&look->reader, &look->platform, &kind);
    holds_init(&look->holds, &look->platform, options->queue_url, on_returned, look);
    timer_init(&look->start, on_start, look);
    timer_init(&look->end, report, look);
    timer_start(platform->timers, &look->start, clock_monotonic(platform->clock));
    return look;
}

uint64_t dlq_look_count(const struct dlq_look *look) {
    return look->result.looked_at;
}

void dlq_look_go_on(struct dlq_look *look) {
    dlq_reader_pump(&look->reader);
}

void dlq_look_stop(struct dlq_look *look) {
    if (look->stopping) {
        end(look);
        return;
    }
    look->stopping = true;
    dlq_reader_stop(&look->reader);
}

void dlq_look_free(struct dlq_look *look) {
    if (!look)
        return;
    timer_stop(look->platform.timers, &look->start);
    timer_stop(look->platform.timers, &look->end);
    dlq_reader_done(&look->reader);
    holds_free(&look->holds);
    free(look);
}
