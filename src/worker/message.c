/* A message in flight: from its arrival to its deletion or its return. */
#include "queue_worker_private.h"

#include "siphash.h"

#include <stdlib.h>

static const int64_t REMOVAL_LINGER = 50 * MILLISECOND, VISIBILITY_LINGER = 50 * MILLISECOND;
static const int64_t REMOVAL_PATIENCE = 30 * MICROSECONDS;
static const int64_t REMOVAL_USUAL = 2 * MICROSECONDS; /* so long deletes take without a word about it */
static const unsigned BATCH_FLIGHTS = 32;
static const unsigned NO_MEMORY_DELAY = 10; /* seconds */
static const unsigned NO_ROOM_DELAY = 3; /* seconds: those receives are over by then that expected less */
static const unsigned RECEIVES_LEAST = 5; /* of a queue's maxReceiveCount, for one to be spent */
/* Without an audit record DynamoDB knows a transaction again for ten minutes, so that what was applied is back
 * before that. */
static const unsigned UNAUDITED_ASIDE_MAX = 240; /* seconds */

static size_t bytes_of(const struct sqs_message *received) {
    return received->body.len + received->attribute_bytes;
}

void message_enter(struct message *m, enum message_state state) {
    struct queue_worker *w = m->worker;
    TAILQ_REMOVE(&w->messages[m->state], m, in_state);
    w->message_counts[m->state]--;
    m->state = state;
    TAILQ_INSERT_TAIL(&w->messages[state], m, in_state);
    w->message_counts[state]++;
}

void message_free(struct message *m) {
    struct queue_worker *w = m->worker;
    lease_end(m);
    group_forget(m);
    dead_letters_forget(m);
    batcher_remove(&w->removals, &m->removal);
    batcher_remove(&w->visibilities, &m->give_back.entry);
    TAILQ_REMOVE(&w->messages[m->state], m, in_state);
    w->message_counts[m->state]--;
    w->message_bytes -= bytes_of(m->received);
    update_free(m->update);
    sqs_message_free(m->received);
    free(m);
}

static struct message *message_new(struct queue_worker *w, struct sqs_message *message, int64_t received_at) {
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    struct delivery delivery = {.body = message->body,
                                .body_space = sqs_message_body(message),
                                .message_id = message->message_id,
                                .error_envelope = message->error_envelope};
    m->update = update_read(w->context, &delivery);
    if (!m->update) {
        free(m);
        return NULL;
    }
    m->worker = w;
    m->received = message;
    m->received_at = received_at;
    m->lease_until = received_at + (int64_t)w->facts->visibility * MICROSECONDS;
    m->extend.message = m->give_back.message = m;
    m->job.update = m->update;
    m->job.receive_count = message->receive_count;
    m->job.known_suspect = message_was_set_aside(m);
    m->job.sent_at = message->sent_at;
    m->job.arrival = w->arrivals++;
    m->state = MESSAGE_WAITING; /* until it begins */
    TAILQ_INSERT_TAIL(&w->messages[MESSAGE_WAITING], m, in_state);
    w->message_counts[MESSAGE_WAITING]++;
    w->message_bytes += bytes_of(message);
    lease_begin(m);
    return m;
}

/* A record that has more messages than it can use gives its newest back for a while. Not while the breaker is open:
 * nobody goes on; nor where SQS counts deliveries so strictly that one more would matter; nor where a group keeps its
 * order, or a condition may expect the updates before. */
static void park_surplus(struct message *m) {
    struct queue_worker *w = m->worker;
    const struct sqs_queue_attributes *queue = &w->facts->queue.attributes;
    bool may = applier_receiving(&w->applier, false) == RECEIVE_FREELY && !w->fifo && !m->update->conditional &&
               (!queue->max_receive_count || queue->max_receive_count >= RECEIVES_LEAST);
    struct arrival arrival = {.record = record_queue_hash(&m->job),
                              .line = record_queue_length(&m->job),
                              .is_newest = !TAILQ_NEXT(&m->job.in_record, link),
                              .is_first = m->received->receive_count == 1};
    unsigned seconds = may ? parking_arrived(&w->parking, &arrival, clock_monotonic(w->platform.clock)) : 0;
    if (seconds > 0) {
        applier_withdraw(&w->applier, &m->job);
        message_return(m, seconds, "Its record has as many messages here as it can use for now");
    }
}

bool message_read_again(struct message *m) {
    struct update *again = update_read_again(m->worker->context, m->update);
    if (!again)
        return false;
    m->update = m->job.update = again;
    return true;
}

void message_begin(struct message *m) {
    if (m->update->failure.type != ERROR_NONE && !m->update->confirm_refusal && !m->update->of_index) {
        dead_letters_send(m);
        return;
    }
    message_enter(m, MESSAGE_APPLYING);
    if (!applier_add(&m->worker->applier, &m->job))
        message_return(m, NO_MEMORY_DELAY, "There is no memory for it");
    else
        park_surplus(m);
}

/* It is not worked on, and becomes visible again in some seconds. Its body isn't needed for that. */
static void turn_away(struct queue_worker *w, struct sqs_message *message, int64_t received_at, unsigned seconds,
                      const char *why) {
    struct sqs_message *rest = sqs_message_without_body(message);
    struct message *m = rest ? message_new(w, rest, received_at) : NULL;
    if (m)
        message_return(m, seconds, why);
    else
        sqs_message_free(rest); /* it comes again */
}

/* False: there is no room for it, and it is not held, or not for long. */
static bool take(struct queue_worker *w, struct sqs_message *message, int64_t received_at) {
    if (message->body.len > IN_FLIGHT_BYTES_MAX - w->message_bytes) {
        /* It is larger than those that came lately. */
        turn_away(w, message, received_at, NO_ROOM_DELAY, "There is no room for its body");
        return false;
    }
    struct message *m = message_new(w, message, received_at);
    if (!m) {
        sqs_message_free(message); /* it comes again */
        return false;
    }
    w->totals.received++;
    metrics_received(w->platform.metrics);
    backlog_received(w, message->sent_at);
    bool first = true;
    if (w->phase != PHASE_WORKING)
        return true; /* the drain gives it back, once it can't come to another receive of ours */
    if (w->fifo && !group_enter(m, &first))
        message_return(m, NO_MEMORY_DELAY, "There is no memory for it");
    else if (first)
        message_begin(m);
    return m->state != MESSAGE_RETURNING;
}

void messages_take(struct queue_worker *w, struct sqs_message **messages, size_t count, int64_t received_at) {
    bool in_order = true;
    for (size_t i = 0; i < count; i++) {
        /* What stands behind one that could not be taken may be of its group, and must not go before it. */
        if (in_order)
            in_order = take(w, messages[i], received_at) || !w->fifo;
        else
            turn_away(w, messages[i], received_at, 0, "An earlier message could not be taken");
    }
}

/* Ids of messages are anybody's; their hash is by a seed. */
static uint64_t hash_of(const struct message *m) {
    struct siphash s;
    siphash_begin(&s, m->worker->groups.seed);
    siphash_update(&s, m->received->message_id);
    return siphash_end(&s);
}

bool message_was_set_aside(const struct message *m) {
    return m->worker->set_aside.count > 0 && set_aside_knows(&m->worker->set_aside, hash_of(m));
}

void message_back_from_aside(const struct message *m) {
    if (m->worker->set_aside.count > 0)
        set_aside_forget(&m->worker->set_aside, hash_of(m));
}

void message_delete(struct message *m, bool harmless) {
    if (m->worker->message_counts[MESSAGE_DELETING] == 0)
        m->worker->deleting_since = clock_monotonic(m->worker->platform.clock);
    /* Its lease goes on: where deletes fail for long, nobody is to receive it meanwhile. */
    message_enter(m, MESSAGE_DELETING);
    m->harmless = harmless;
    /* Of what is done with, only the handle is needed. */
    update_free(m->update);
    m->update = m->job.update = NULL;
    /* A handle may serve beyond its lease, as long as nobody else has received the message. */
    int64_t least = clock_monotonic(m->worker->platform.clock) + REMOVAL_PATIENCE;
    m->removal.expires = m->lease_until > least ? m->lease_until : least;
    m->removal.solitary = message_was_set_aside(m);
    batcher_add(&m->worker->removals, &m->removal);
    /* SQS gives out no more of its group while it is there. */
    if (m->worker->fifo && !(harmless && group_waits(m)))
        batcher_within(&m->worker->removals, GROUP_LINGER);
    if (harmless)
        group_passed(m);
}

void message_return(struct message *m, unsigned seconds, const char *why) {
    struct queue_worker *w = m->worker;
    group_broken(m);
    LOG_EVENT(w->platform.log, LOG_LEVEL_DEBUG, "A message is given back", LOG_S("message_id", m->received->message_id),
              LOG_I("seconds", seconds), LOG_C("why", why));
    message_enter(m, MESSAGE_RETURNING);
    m->give_back.seconds = seconds;
    /* An extension in flight must not come after it: it waits for that one's answer, whatever it is. */
    if (m->extend.entry.flight) {
        m->extend.entry.expires = clock_monotonic(w->platform.clock);
        return;
    }
    lease_end(m);
    m->give_back.entry.expires = m->lease_until;
    batcher_add(&w->visibilities, &m->give_back.entry);
}

bool deletions_fail(const struct queue_worker *w) {
    const struct batcher *b = &w->removals;
    int64_t progress = b->got_through > w->deleting_since ? b->got_through : w->deleting_since;
    return w->message_counts[MESSAGE_DELETING] > 0 &&
           (batcher_in_trouble(b) || clock_monotonic(w->platform.clock) - progress > REMOVAL_USUAL);
}

void message_set_aside(struct message *m, const char *doing, const char *code) {
    struct queue_worker *w = m->worker;
    bool tell = false;
    metrics_set_aside(w->platform.metrics);
    unsigned seconds = set_aside_put(&w->set_aside, hash_of(m), clock_monotonic(w->platform.clock), &tell);
    bool may_apply_twice = m->state == MESSAGE_DELETING && !m->harmless;
    if (may_apply_twice && seconds > UNAUDITED_ASIDE_MAX)
        seconds = UNAUDITED_ASIDE_MAX;
    if (tell)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "A message fails by itself, while others get through: it is set aside, and tried ever more rarely. "
                  "Look at what the network path does to it",
                  LOG_S("message_id", m->received->message_id), LOG_C("doing", doing), LOG_C("code", code),
                  LOG_I("receive_count", m->received->receive_count), LOG_I("seconds", seconds));
    message_return(m, seconds, "It fails by itself, while others get through");
}

void message_lose(struct message *m) {
    struct queue_worker *w = m->worker;
    repeated_line_say(&w->repeated.lease_lost, m->received->message_id, "");
    metrics_lease_lost(w->platform.metrics);
    if (m->state == MESSAGE_APPLYING)
        applier_withdraw(&w->applier, &m->job);
    group_broken(m);
    message_free(m);
    receiver_pump(w);
    shutdown_review(w);
}

static struct call *send_removals(void *ctx, struct batch_entry *const *entries, size_t count,
                                  const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct span handles[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        handles[i] = container_of(entries[i], struct message, removal)->received->receipt_handle;
    const struct sqs_api *sqs = w->platform.sqs;
    return sqs->delete_batch(sqs->ctx, w->facts->queue.url, handles, count, options, batcher_answered, flight);
}

static void removal_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct message *m = container_of(entry, struct message, removal);
    if (end == BATCH_SET_ASIDE) {
        message_set_aside(m, "deleting it", code); /* with its next handle it may get through */
        applier_pump(&w->applier);
        return;
    }
    if (end == BATCH_DONE)
        message_back_from_aside(m);
    if (end != BATCH_DONE) {
        w->totals.undeleted++;
        metrics_undeleted(w->platform.metrics);
        LOG_EVENT(w->platform.log, LOG_LEVEL_DEBUG,
                  "A message that is done with could not be deleted, and may be delivered once more",
                  LOG_S("message_id", m->received->message_id), LOG_C("code", code));
    }
    /* A handle that is over may be answered as if it had deleted. */
    if (end == BATCH_DONE && entry->sent_at < m->lease_until)
        group_passed(m);
    else
        group_broken(m);
    message_free(m);
    applier_pump(&w->applier);
    receiver_pump(w);
    shutdown_review(w);
}

static void deletes_trouble_changed(void *ctx) {
    receiver_pump(ctx);
}

static struct call *send_visibilities(void *ctx, struct batch_entry *const *entries, size_t count,
                                      const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct sqs_visibility_entry changes[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct visibility_change *change = container_of(entries[i], struct visibility_change, entry);
        changes[i] = (struct sqs_visibility_entry){change->message->received->receipt_handle, change->seconds};
    }
    const struct sqs_api *sqs = w->platform.sqs;
    return sqs->change_visibility_batch(sqs->ctx, w->facts->queue.url, changes, count, options, batcher_answered,
                                        flight);
}

static void visibility_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct visibility_change *change = container_of(entry, struct visibility_change, entry);
    struct message *m = change->message;
    if (change == &m->give_back) {
        w->totals.given_back += end == BATCH_DONE;
        if (end == BATCH_DONE)
            metrics_returned(w->platform.metrics);
        message_free(m);
        receiver_pump(w);
        shutdown_review(w);
    } else if (m->state == MESSAGE_RETURNING) {
        lease_end(m);
        m->give_back.entry.expires = m->lease_until;
        batcher_add(&w->visibilities, &m->give_back.entry);
    } else {
        lease_extended(m, end, code);
    }
}

const struct batcher_kind deletions_kind = {.what = "Deleting messages",
                                            .counted_as = METRICS_DELETES,
                                            .linger = REMOVAL_LINGER,
                                            .max_flights = BATCH_FLIGHTS,
                                            .sets_aside = true,
                                            .send = send_removals,
                                            .ended = removal_ended,
                                            .trouble_changed = deletes_trouble_changed};
const struct batcher_kind visibilities_kind = {.what = "Changing the visibility of messages",
                                               .counted_as = METRICS_VISIBILITIES,
                                               .linger = VISIBILITY_LINGER,
                                               .max_flights = BATCH_FLIGHTS,
                                               .halves_time = true,
                                               .send = send_visibilities,
                                               .ended = visibility_ended};
