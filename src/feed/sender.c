#include "sender_private.h"

#include <stdlib.h>
#include <string.h>

static void pump(struct sender *s);

static void on_timer(void *user) {
    pump(user);
}

void sender_init(struct sender *s, const struct sender_options *options, const struct sender_host *host) {
    *s = (struct sender){.options = *options, .host = *host, .window = SENDER_FLIGHTS_MAX};
    TAILQ_INIT(&s->all);
    TAILQ_INIT(&s->fresh);
    TAILQ_INIT(&s->again);
    LIST_INIT(&s->flights);
    limiter_init(&s->limiter, options->rate, clock_monotonic(options->clock));
    timer_init(&s->timer, on_timer, s);
}

void sender_done(struct sender *s) {
    if (!s->options.sqs) {
        return;
    }
    while (!LIST_EMPTY(&s->flights)) {
        struct sender_flight *flight = LIST_FIRST(&s->flights);
        LIST_REMOVE(flight, link);
        s->options.sqs->cancel(s->options.sqs->ctx, flight->call);
        free(flight);
    }
    while (!TAILQ_EMPTY(&s->all)) {
        struct sender_row *row = TAILQ_FIRST(&s->all);
        TAILQ_REMOVE(&s->all, row, in_order);
        free(row);
    }
    timer_stop(s->options.timers, &s->timer);
    *s = (struct sender){.stopped = true};
}

/* Under a rate few rows wait, so that a stop is quick. */
static size_t rows_max(const struct sender *s) {
    size_t by_rate = s->options.rate / 2 + SQS_BATCH_MAX;
    return s->options.rate && by_rate < SENDER_ROWS_MAX ? by_rate : SENDER_ROWS_MAX;
}

bool sender_has_room(const struct sender *s) {
    return !s->stopped && s->count < rows_max(s) && s->bytes < SENDER_BYTES_MAX;
}

static struct span copy(char **to, struct span text) {
    struct span copied = {NULL, 0};
    if (text.data) {
        memcpy(*to, text.data, text.len);
        copied = span_of(*to, text.len);
        *to += text.len;
    }
    return copied;
}

/* FNV-1a: only for finding a group; equal ids are compared. */
static uint32_t hash_of(struct span text) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619U;
    }
    return hash;
}

bool sender_add(struct sender *s, const struct sender_item *item) {
    bool same = item->text.data == item->body.data && item->text.len == item->body.len;
    size_t size = sizeof(struct sender_row) + item->body.len + (same ? 0 : item->text.len) + item->group_id.len +
                  item->deduplication_id.len;
    struct sender_row *row = malloc(size);
    if (!row) {
        return false;
    }
    char *to = (char *)(row + 1);
    *row = (struct sender_row){
        .place = item->place, .file = item->file, .size = size, .added = clock_monotonic(s->options.clock)};
    row->body = copy(&to, item->body);
    row->text = same ? row->body : copy(&to, item->text);
    row->group_id = copy(&to, item->group_id);
    row->deduplication_id = copy(&to, item->deduplication_id);
    row->group = hash_of(row->group_id);
    TAILQ_INSERT_TAIL(&s->all, row, in_order);
    TAILQ_INSERT_TAIL(&s->fresh, row, link);
    s->count++;
    s->fresh_count++;
    s->bytes += size;
    if (s->fresh_count >= SQS_BATCH_MAX || !s->timer.running) {
        pump(s);
    }
    return true;
}

void sender_hurry(struct sender *s, bool hurries) {
    bool pumps = hurries && !s->hurries && s->count > 0;
    s->hurries = hurries;
    if (pumps && !s->stopped) {
        pump(s);
    }
}

static void on_sent(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                    size_t count) {
    struct sender_flight *flight = user;
    struct sender *s = flight->sender;
    LIST_REMOVE(flight, link);
    s->flight_count--;
    if (result->class == CALL_OK && entries) {
        sender_answered(s, flight->rows, entries, count);
    } else {
        sender_failed(s, flight->rows, flight->count, result);
    }
    free(flight);
    pump(s);
    s->host.changed(s->host.user);
}

static bool start(struct sender *s, struct sender_row *const *rows, size_t count) {
    const struct sqs_api *sqs = s->options.sqs;
    struct sqs_send_entry entries[SQS_BATCH_MAX] = {0};
    struct sender_flight *flight = calloc(1, sizeof *flight);
    if (!flight) {
        return false;
    }
    flight->sender = s;
    flight->count = count;
    for (size_t i = 0; i < count; i++) {
        flight->rows[i] = rows[i];
        entries[i] = (struct sqs_send_entry){.body = rows[i]->body,
                                             .group_id = rows[i]->group_id,
                                             .deduplication_id = rows[i]->deduplication_id,
                                             .delay_seconds = s->options.delay_seconds};
    }
    flight->call = sqs->send_batch(sqs->ctx, s->options.queue_url, entries, count, NULL, on_sent, flight);
    if (!flight->call) {
        free(flight);
        return false;
    }
    LIST_INSERT_HEAD(&s->flights, flight, link);
    s->flight_count++;
    return true;
}

/* In trouble one call at a time probes whether it is over. */
static bool may_send(const struct sender *s, int64_t now) {
    unsigned window = s->failures > 0 ? 1 : s->window;
    return !s->stopped && s->flight_count < window && (s->failures == 0 || now >= s->not_before);
}

/* Sends what may be sent now, and sets the timer for what may later. */
static void pump(struct sender *s) {
    int64_t now = clock_monotonic(s->options.clock), at = NEVER;
    while (may_send(s, now)) {
        struct sender_row *rows[SQS_BATCH_MAX];
        size_t count = sender_take_batch(s, rows, &at);
        if (count == 0) {
            break;
        }
        if (!start(s, rows, count)) {
            sender_not_started(s, rows, count);
        }
    }
    if (!s->stopped && s->failures > 0 && s->flight_count == 0 && s->count > 0 && now < s->not_before) {
        at = s->not_before;
    }
    if (s->stopped || at == NEVER) {
        timer_stop(s->options.timers, &s->timer);
    } else {
        timer_start(s->options.timers, &s->timer, at);
    }
}
