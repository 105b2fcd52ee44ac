/* The way to the DLQ: the envelope is made, sent, acknowledged; then, and only then, the source message is deleted. */
#include "queue_worker_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SEND_LINGER = 50 * MILLISECOND, RECORD_DEADLINE = 20 * MICROSECONDS;
static const unsigned SEND_FLIGHTS = 8;
static const size_t RECORD_MAX = (size_t)8 << 20;
static const unsigned NO_MEMORY_DELAY = 10; /* seconds */
static const int64_t CONFIRMED_LASTS = 3 * MICROSECONDS;
static const size_t BATCH_BYTES_MAX = (size_t)1 << 20;

static size_t letter_limit(const struct queue_worker *w) {
    return w->facts->dlq.attributes.max_message_size;
}

static bool make_letter(struct held *h) {
    struct queue_worker *w = h->worker;
    const struct sqs_message *m = h->message;
    update_free_request(h->update);
    struct delivery delivery = {.body = m->body, .message_id = m->message_id, .error_envelope = m->error_envelope};
    struct delivery_facts facts = {.message_id = m->message_id,
                                   .queue = span_cstr(w->facts->queue.name),
                                   .group_id = w->fifo ? m->group_id : (struct span){NULL, 0},
                                   .receive_count = m->receive_count,
                                   .sent_at = m->sent_at,
                                   .attributes = m->attributes,
                                   .attribute_count = h->without_attributes ? 0 : m->attribute_count};
    if (!dead_letter_make(h->update, &delivery, &facts, clock_wall(w->ports.clock), letter_limit(w), h->least_form,
                          &h->letter))
        return false;
    h->letter_made = true;
    if (h->letter.form == DEAD_LETTER_BARE) {
        bool by_size = h->least_form < DEAD_LETTER_BARE; /* else the DLQ refused the others */
        repeated_line_say(by_size ? &w->repeated.body_alone : &w->repeated.envelope_refused, m->message_id, "");
    }
    return true;
}

static void drop_letter(struct held *h) {
    if (h->letter_made)
        dead_letter_free(&h->letter);
    h->letter_made = false;
}

static void queue_letter(struct held *h) {
    struct queue_worker *w = h->worker;
    if (!make_letter(h)) {
        held_give_back(h, NO_MEMORY_DELAY, "There is no memory for its envelope");
        return;
    }
    h->sending.size = h->letter.size;
    /* No send begins once another may have the message: it may be applied by then. */
    h->sending.expires = lease_end_of(h);
    h->sending.solitary = h->sending.solitary || held_was_set_aside(h);
    if (h->job.confirmations)
        batcher_add_first(&w->dead_letters, &h->sending); /* while that is fresh */
    else
        batcher_add(&w->dead_letters, &h->sending);
    if (h->job.confirmed_at && !h->update->audited)
        batcher_within(&w->dead_letters, 0); /* no read tells what another delivery does meanwhile */
    else if (w->fifo)
        batcher_within(&w->dead_letters, GROUP_LINGER);
}

void dlq_send(struct held *h) {
    h->applied_meanwhile = false;
    held_enter(h, HELD_DEAD_LETTER);
    if (h->lost) {
        held_let_go(h); /* another may have it by now: its verdict counts */
        return;
    }
    queue_letter(h);
}

void dlq_forget(struct held *h) {
    batcher_remove(&h->worker->dead_letters, &h->sending);
    drop_letter(h);
}

void dlq_applied(struct queue_worker *w, const struct update *u) {
    struct held *h;
    TAILQ_FOREACH(h, &w->held[HELD_DEAD_LETTER], in_state) {
        h->applied_meanwhile = h->applied_meanwhile || !strcmp(h->update->log_id, u->log_id);
    }
}

/* Whether another delivery has applied it since it was last looked at, or so much time has passed that one may have. */
static bool is_stale(const struct held *h, int64_t now) {
    return h->job.confirmed_at && (h->applied_meanwhile || now - h->job.confirmed_at > CONFIRMED_LASTS);
}

/* Back to be confirmed; from there it comes here once more, or is deleted. */
static void confirm_again(struct held *h) {
    dlq_forget(h);
    /* A drain tries nothing anew; while a receive is open, what is given back would come to that. */
    if (!h->update->audited && h->worker->phase != PHASE_WORKING && h->worker->poller.count == 0) {
        held_give_back(h, 0, "The worker stops, and tries nothing anew");
        return;
    }
    held_enter(h, HELD_WORKING);
    bool fit = h->update->audited || held_read_again(h);
    if (!fit || !engine_confirm_again(&h->worker->engine, &h->job))
        held_give_back(h, NO_MEMORY_DELAY, "There is no memory to confirm its failure");
}

/* A late one is confirmed first. While the DLQ is in trouble, no more than one batch is: more than try it need no read.
 */
static enum batch_leave leave_for_letter(void *ctx, struct batch_entry *entry, bool others_go) {
    struct queue_worker *w = ctx;
    struct held *h = container_of(entry, struct held, sending);
    if (!is_stale(h, clock_monotonic(w->ports.clock)))
        return BATCH_GOES;
    if (others_go && batcher_in_trouble(&w->dead_letters))
        return BATCH_STAYS;
    confirm_again(h);
    return BATCH_TAKEN;
}

static struct call *send_letters(void *ctx, struct batch_entry *const *entries, size_t count,
                                 const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct sqs_send_entry sends[SQS_BATCH_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct dead_letter *letter = &container_of(entries[i], struct held, sending)->letter;
        sends[i].body = buf_span(&letter->body);
        if (w->fifo) {
            /* Never the original's id nor its key: the same message, redriven and failed again within five minutes,
             * would be dropped silently. */
            const struct sqs_message *m = container_of(entries[i], struct held, sending)->message;
            sends[i].group_id = m->group_id;
            sends[i].deduplication_id = m->message_id;
        }
        sends[i].error_type = span_cstr(letter->error_type);
        if (letter->status_code[0])
            sends[i].status_code = span_cstr(letter->status_code);
        if (letter->error_envelope.len)
            sends[i].error_envelope = buf_span(&letter->error_envelope);
        sends[i].attributes = letter->attributes;
        sends[i].attribute_count = letter->attribute_count;
        if (!container_of(entries[i], struct held, sending)->without_attributes)
            sends[i].trace_header = container_of(entries[i], struct held, sending)->message->trace_header;
    }
    /* One attempt: a late one is to be confirmed first. */
    struct call_options once = {.deadline = options->deadline, .max_attempts = 1};
    const struct sqs_port *sqs = w->ports.sqs;
    return sqs->send_batch(sqs->ctx, w->facts->dlq.url, sends, count, &once, batcher_answered, flight);
}

static void on_record_put(void *user, const struct call_result *result) {
    struct failure_record *record = user;
    struct queue_worker *w = record->worker;
    if (result->class != CALL_OK)
        repeated_line_say(&w->repeated.no_record, span_cstr(record->message_id), call_word(result));
    LIST_REMOVE(record, link);
    buf_free(&record->request);
    free(record);
    drain_review(w);
}

/* The audit record of a failure. Its own failure holds nothing up. */
static void put_failure_record(struct held *h) {
    struct queue_worker *w = h->worker;
    if (!h->update->readable || !h->update->audited || !w->context->audit_table_exists)
        return;
    struct failure_record *record = calloc(1, sizeof *record);
    if (record) {
        const struct dynamodb_port *db = w->ports.dynamodb;
        struct call_options options = {.deadline = clock_monotonic(w->ports.clock) + RECORD_DEADLINE};
        record->worker = w;
        snprintf(record->message_id, sizeof record->message_id, "%.*s", (int)h->message->message_id.len,
                 h->message->message_id.data);
        buf_init(&record->request, RECORD_MAX);
        if (update_append_failure_record(w->context, h->update, clock_wall(w->ports.clock), &record->request))
            record->call = db->put_item(db->ctx, buf_span(&record->request), &options, on_record_put, record);
        if (record->call) {
            LIST_INSERT_HEAD(&w->records, record, link);
            return;
        }
        buf_free(&record->request);
        free(record);
    }
    repeated_line_say(&w->repeated.no_record, h->message->message_id, "no memory");
}

static void log_dead_letter(const struct held *h) {
    const struct failure *f = &h->update->failure;
    char sentence[2048]; /* a field's path is the one thing that could be long */
    struct buf text = {.data = sentence, .capacity = sizeof sentence, .max = sizeof sentence - 1};
    failure_append_for_log(f, &text);
    struct span reason = h->job.quotes_dynamodb
                             ? SPAN("DynamoDB's validation refused it; its sentence is in the envelope")
                             : buf_span(&text);
    LOG_EVENT(h->worker->ports.log, LOG_LEVEL_INFO, "A message went to the DLQ",
              LOG_S("message_id", h->message->message_id), LOG_C("error", error_type_name(f->type)),
              LOG_S("reason", reason), LOG_I("receive_count", h->message->receive_count));
}

static void letter_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct held *h = container_of(entry, struct held, sending);
    if (end == BATCH_DONE) {
        held_back_from_aside(h);
        w->totals.dead_lettered++;
        static_assert(ERROR_DATABASE == METRICS_ERRORS, "each type is counted");
        metrics_dead_lettered(w->ports.metrics, h->update->failure.type, clock_wall(w->ports.clock));
        log_dead_letter(h);
        drop_letter(h);
        put_failure_record(h);
        held_delete(h, false);
        poller_pump(w);
        return;
    }
    if (end == BATCH_EXPIRED) {
        drop_letter(h);
        if (w->phase >= PHASE_LEAVING)
            held_give_back(h, 0, "The worker stops");
        else
            held_let_go(h);
        engine_pump(&w->engine);
        return;
    }
    if (end == BATCH_SET_ASIDE) {
        drop_letter(h);
        held_set_aside(h, "sending it to the DLQ", code);
        engine_pump(&w->engine);
        poller_pump(w);
        return;
    }
    repeated_line_say(&w->repeated.plainer_form, h->message->message_id, code);
    enum dead_letter_form refused = h->letter.form;
    bool had_more = h->letter.attribute_count > 0 || (h->message->trace_header.data && !h->without_attributes);
    drop_letter(h);
    if (had_more) { /* it may be over what is the original's own: that goes first */
        h->without_attributes = true;
        queue_letter(h);
        return;
    }
    if (refused == DEAD_LETTER_BARE) {
        held_set_aside(h, "sending it to the DLQ: it refuses every form", code);
        return;
    }
    h->least_form = refused + 1;
    queue_letter(h);
}

static void trouble_changed(void *ctx) {
    poller_pump(ctx);
}

void dlq_init(struct queue_worker *w) {
    size_t limit = letter_limit(w);
    struct batcher_kind kind = {.what = "Sending to the DLQ",
                                .counted_as = METRICS_DEAD_LETTERS,
                                .max_bytes = limit < BATCH_BYTES_MAX ? limit : BATCH_BYTES_MAX,
                                .linger = SEND_LINGER,
                                .max_flights = SEND_FLIGHTS,
                                .sets_aside = true,
                                .leave = leave_for_letter,
                                .send = send_letters,
                                .ended = letter_ended,
                                .trouble_changed = trouble_changed};
    batcher_init(&w->dead_letters, &w->ports, &kind, w);
    LIST_INIT(&w->records);
}

void dlq_done(struct queue_worker *w) {
    for (struct failure_record *record; (record = LIST_FIRST(&w->records));) {
        LIST_REMOVE(record, link);
        w->ports.dynamodb->cancel(w->ports.dynamodb->ctx, record->call);
        buf_free(&record->request);
        free(record);
    }
    batcher_done(&w->dead_letters);
}

unsigned dlq_waiting(const struct queue_worker *w) {
    return w->held_counts[HELD_DEAD_LETTER] + engine_unconfirmed(&w->engine) + w->engine.tried_anew;
}
