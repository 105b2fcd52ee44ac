/* The way to the DLQ: the envelope is made, sent, acknowledged; then, and only then, the source message is deleted. */
#include "queue_worker_private.h"
#include "trace_fields.h"

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

static bool make_letter(struct message *m) {
    struct queue_worker *w = m->worker;
    const struct sqs_message *received = m->received;
    update_free_request(m->update);
    struct delivery delivery = {
        .body = received->body, .message_id = received->message_id, .error_envelope = received->error_envelope};
    struct delivery_facts facts = {.message_id = received->message_id,
                                   .queue = span_cstr(w->facts->queue.name),
                                   .group_id = w->fifo ? received->group_id : (struct span){NULL, 0},
                                   .receive_count = received->receive_count,
                                   .sent_at = received->sent_at,
                                   .attributes = received->attributes,
                                   .attribute_count = m->without_attributes ? 0 : received->attribute_count};
    if (!dead_letter_make(m->update, &delivery, &facts, clock_wall(w->platform.clock), letter_limit(w), m->least_form,
                          &m->letter))
        return false;
    m->letter_made = true;
    if (m->letter.form == DEAD_LETTER_BARE) {
        bool by_size = m->least_form < DEAD_LETTER_BARE; /* else the DLQ refused the others */
        repeated_line_say(by_size ? &w->repeated.body_alone : &w->repeated.envelope_refused, received->message_id, "");
    }
    return true;
}

static void drop_letter(struct message *m) {
    if (m->letter_made)
        dead_letter_free(&m->letter);
    m->letter_made = false;
}

static void queue_letter(struct message *m) {
    struct queue_worker *w = m->worker;
    if (!make_letter(m)) {
        message_return(m, NO_MEMORY_DELAY, "There is no memory for its envelope");
        return;
    }
    m->sending.size = m->letter.size;
    /* No send begins once another may have the message: it may be applied by then. */
    m->sending.expires = lease_end_of(m);
    m->sending.solitary = m->sending.solitary || message_was_set_aside(m);
    if (m->job.confirmations)
        batcher_add_first(&w->dead_letters, &m->sending); /* while that is fresh */
    else
        batcher_add(&w->dead_letters, &m->sending);
    if (m->job.confirmed_at && !m->update->audited)
        batcher_within(&w->dead_letters, 0); /* no read tells what another delivery does meanwhile */
    else if (w->fifo)
        batcher_within(&w->dead_letters, GROUP_LINGER);
}

static void log_failed(const struct message *m, const char *what) {
    const struct failure *f = &m->update->failure;
    char sentence[2048]; /* a field's path is the one thing that could be long */
    struct buf text = {.data = sentence, .capacity = sizeof sentence, .max = sizeof sentence - 1};
    failure_append_for_log(f, &text);
    struct span reason = m->job.quotes_dynamodb
                             ? SPAN("DynamoDB's validation refused it; its sentence is in the envelope")
                             : buf_span(&text);
    struct log_field fields[4 + TRACE_FIELDS] = {LOG_S("message_id", m->received->message_id),
                                                 LOG_C("error", error_type_name(f->type)), LOG_S("reason", reason),
                                                 LOG_I("receive_count", m->received->receive_count)};
    trace_fields(m->received, fields + 4);
    log_event(m->worker->platform.log, LOG_LEVEL_INFO, what, fields);
}

/* Whoever delivered it has its own way for what fails. */
static bool has_dlq(const struct queue_worker *w) {
    return w->facts->dlq.url[0] != '\0';
}

void dead_letters_send(struct message *m) {
    if (!has_dlq(m->worker)) {
        log_failed(m, "A message failed for good, and is returned, for there is no DLQ_URL");
        message_return(m, 0, "It failed for good, and there is no DLQ");
        return;
    }
    m->applied_meanwhile = false;
    message_enter(m, MESSAGE_DEAD_LETTERING);
    if (m->lost) {
        message_lose(m); /* another may have it by now: its verdict counts */
        return;
    }
    queue_letter(m);
}

void dead_letters_forget(struct message *m) {
    batcher_remove(&m->worker->dead_letters, &m->sending);
    drop_letter(m);
}

void dead_letters_applied(struct queue_worker *w, const struct update *u) {
    struct message *m;
    TAILQ_FOREACH(m, &w->messages[MESSAGE_DEAD_LETTERING], in_state) {
        m->applied_meanwhile = m->applied_meanwhile || !strcmp(m->update->log_id, u->log_id);
    }
}

/* Whether another delivery has applied it since it was last looked at, or so much time has passed that one may have. */
static bool is_stale(const struct message *m, int64_t now) {
    return m->job.confirmed_at && (m->applied_meanwhile || now - m->job.confirmed_at > CONFIRMED_LASTS);
}

/* Back to be confirmed; from there it comes here once more, or is deleted. */
static void confirm_again(struct message *m) {
    dead_letters_forget(m);
    /* A drain tries nothing anew; while a receive is open, what is given back would come to that. */
    if (!m->update->audited && m->worker->phase != PHASE_WORKING && m->worker->receiver.count == 0) {
        message_return(m, 0, "The worker stops, and tries nothing anew");
        return;
    }
    message_enter(m, MESSAGE_APPLYING);
    bool fit = m->update->audited || message_read_again(m);
    if (!fit || !applier_confirm_again(&m->worker->applier, &m->job))
        message_return(m, NO_MEMORY_DELAY, "There is no memory to confirm its failure");
}

/* A late one is confirmed first. While the DLQ is in trouble, no more than one batch is: more than try it need no read.
 */
static enum batch_leave leave_for_letter(void *ctx, struct batch_entry *entry, bool others_go) {
    struct queue_worker *w = ctx;
    struct message *m = container_of(entry, struct message, sending);
    if (!is_stale(m, clock_monotonic(w->platform.clock)))
        return BATCH_GOES;
    if (others_go && batcher_in_trouble(&w->dead_letters))
        return BATCH_STAYS;
    confirm_again(m);
    return BATCH_TAKEN;
}

static struct call *send_letters(void *ctx, struct batch_entry *const *entries, size_t count,
                                 const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct sqs_send_entry sends[SQS_BATCH_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct dead_letter *letter = &container_of(entries[i], struct message, sending)->letter;
        sends[i].body = buf_span(&letter->body);
        if (w->fifo) {
            /* Never the original's id nor its key: the same message, redriven and failed again within five minutes,
             * would be dropped silently. */
            const struct sqs_message *received = container_of(entries[i], struct message, sending)->received;
            sends[i].group_id = received->group_id;
            sends[i].deduplication_id = received->message_id;
        }
        sends[i].error_type = span_cstr(letter->error_type);
        if (letter->status_code[0])
            sends[i].status_code = span_cstr(letter->status_code);
        if (letter->error_envelope.len)
            sends[i].error_envelope = buf_span(&letter->error_envelope);
        sends[i].attributes = letter->attributes;
        sends[i].attribute_count = letter->attribute_count;
        if (!container_of(entries[i], struct message, sending)->without_attributes)
            sends[i].trace_header = container_of(entries[i], struct message, sending)->received->trace_header;
    }
    /* One attempt: a late one is to be confirmed first. */
    struct call_options once = {.deadline = options->deadline, .max_attempts = 1};
    const struct sqs_api *sqs = w->platform.sqs;
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
    shutdown_review(w);
}

/* The audit record of a failure. Its own failure holds nothing up. */
static void put_failure_record(struct message *m) {
    struct queue_worker *w = m->worker;
    if (!m->update->readable || !m->update->audited || !w->context->audit_table_exists)
        return;
    struct failure_record *record = calloc(1, sizeof *record);
    if (record) {
        const struct dynamodb_api *db = w->platform.dynamodb;
        struct call_options options = {.deadline = clock_monotonic(w->platform.clock) + RECORD_DEADLINE};
        record->worker = w;
        snprintf(record->message_id, sizeof record->message_id, "%.*s", (int)m->received->message_id.len,
                 m->received->message_id.data);
        buf_init(&record->request, RECORD_MAX);
        if (update_append_failure_record(w->context, m->update, clock_wall(w->platform.clock), &record->request))
            record->call = db->put_item(db->ctx, buf_span(&record->request), &options, on_record_put, record);
        if (record->call) {
            LIST_INSERT_HEAD(&w->records, record, link);
            return;
        }
        buf_free(&record->request);
        free(record);
    }
    repeated_line_say(&w->repeated.no_record, m->received->message_id, "no memory");
}

static void letter_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct message *m = container_of(entry, struct message, sending);
    if (end == BATCH_DONE) {
        message_back_from_aside(m);
        w->totals.dead_lettered++;
        static_assert(ERROR_DATABASE == METRICS_ERRORS, "each type is counted");
        metrics_dead_lettered(w->platform.metrics, m->update->failure.type, clock_wall(w->platform.clock));
        log_failed(m, "A message went to the DLQ");
        drop_letter(m);
        put_failure_record(m);
        message_delete(m, false);
        receiver_pump(w);
        return;
    }
    if (end == BATCH_EXPIRED) {
        drop_letter(m);
        if (w->phase >= PHASE_LEAVING)
            message_return(m, 0, "The worker stops");
        else
            message_lose(m);
        applier_pump(&w->applier);
        return;
    }
    if (end == BATCH_SET_ASIDE) {
        drop_letter(m);
        message_set_aside(m, "sending it to the DLQ", code);
        applier_pump(&w->applier);
        receiver_pump(w);
        return;
    }
    repeated_line_say(&w->repeated.plainer_form, m->received->message_id, code);
    enum dead_letter_form refused = m->letter.form;
    bool had_more = m->letter.attribute_count > 0 || (m->received->trace_header.data && !m->without_attributes);
    drop_letter(m);
    if (had_more) { /* it may be over what is the original's own: that goes first */
        m->without_attributes = true;
        queue_letter(m);
        return;
    }
    if (refused == DEAD_LETTER_BARE) {
        message_set_aside(m, "sending it to the DLQ: it refuses every form", code);
        return;
    }
    m->least_form = refused + 1;
    queue_letter(m);
}

static void trouble_changed(void *ctx) {
    receiver_pump(ctx);
}

void dead_letters_init(struct queue_worker *w) {
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
    batcher_init(&w->dead_letters, &w->platform, &kind, w);
    LIST_INIT(&w->records);
}

void dead_letters_done(struct queue_worker *w) {
    for (struct failure_record *record; (record = LIST_FIRST(&w->records));) {
        LIST_REMOVE(record, link);
        w->platform.dynamodb->cancel(w->platform.dynamodb->ctx, record->call);
        buf_free(&record->request);
        free(record);
    }
    batcher_done(&w->dead_letters);
}

unsigned dead_letters_waiting(const struct queue_worker *w) {
    return w->message_counts[MESSAGE_DEAD_LETTERING] + applier_unconfirmed(&w->applier) + w->applier.tried_anew;
}
