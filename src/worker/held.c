/* A held message: from its arrival to its deletion or its return. */
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

static size_t bytes_of(const struct sqs_message *m) {
    return m->body.len + m->attribute_bytes;
}

void held_enter(struct held *h, enum held_state state) {
    struct queue_worker *w = h->worker;
    TAILQ_REMOVE(&w->held[h->state], h, in_state);
    w->held_counts[h->state]--;
    h->state = state;
    TAILQ_INSERT_TAIL(&w->held[state], h, in_state);
    w->held_counts[state]++;
}

void held_free(struct held *h) {
    struct queue_worker *w = h->worker;
    lease_end(h);
    group_forget(h);
    dlq_forget(h);
    batcher_remove(&w->removals, &h->removal);
    batcher_remove(&w->visibilities, &h->give_back.entry);
    TAILQ_REMOVE(&w->held[h->state], h, in_state);
    w->held_counts[h->state]--;
    w->held_bytes -= bytes_of(h->message);
    update_free(h->update);
    sqs_message_free(h->message);
    free(h);
}

static struct held *held_new(struct queue_worker *w, struct sqs_message *message, int64_t received_at) {
    struct held *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    struct delivery delivery = {.body = message->body,
                                .body_space = sqs_message_body(message),
                                .message_id = message->message_id,
                                .error_envelope = message->error_envelope};
    h->update = update_read(w->context, &delivery);
    if (!h->update) {
        free(h);
        return NULL;
    }
    h->worker = w;
    h->message = message;
    h->received_at = received_at;
    h->lease_until = received_at + (int64_t)w->facts->visibility * MICROSECONDS;
    h->extend.held = h->give_back.held = h;
    h->job.update = h->update;
    h->job.receive_count = message->receive_count;
    h->job.known_suspect = held_was_set_aside(h);
    h->job.sent_at = message->sent_at;
    h->job.arrival = w->arrivals++;
    h->state = HELD_BEHIND; /* until it begins */
    TAILQ_INSERT_TAIL(&w->held[HELD_BEHIND], h, in_state);
    w->held_counts[HELD_BEHIND]++;
    w->held_bytes += bytes_of(message);
    lease_begin(h);
    return h;
}

/* A record that has more messages than it can use gives its newest back for a while. Not in a hold: there nobody goes
 * on; nor where SQS counts deliveries so strictly that one more would matter; nor where a group keeps its order, or a
 * condition may expect the updates before. */
static void park_surplus(struct held *h) {
    struct queue_worker *w = h->worker;
    const struct sqs_queue_attributes *queue = &w->facts->queue.attributes;
    bool may = engine_receiving(&w->engine, false) == RECEIVE_FREELY && !w->fifo && !h->update->conditional &&
               (!queue->max_receive_count || queue->max_receive_count >= RECEIVES_LEAST);
    struct arrival arrival = {.record = record_lines_hash(&h->job),
                              .line = record_lines_length(&h->job),
                              .is_newest = !TAILQ_NEXT(&h->job.in_record, link),
                              .is_first = h->message->receive_count == 1};
    unsigned seconds = may ? parking_arrived(&w->parking, &arrival, clock_monotonic(w->ports.clock)) : 0;
    if (seconds > 0) {
        engine_withdraw(&w->engine, &h->job);
        held_give_back(h, seconds, "Its record has as many messages here as it can use for now");
    }
}

bool held_read_again(struct held *h) {
    struct update *again = update_read_again(h->worker->context, h->update);
    if (!again)
        return false;
    h->update = h->job.update = again;
    return true;
}

void held_begin(struct held *h) {
    if (h->update->failure.type != ERROR_NONE && !h->update->confirm_refusal && !h->update->of_index) {
        dlq_send(h);
        return;
    }
    held_enter(h, HELD_WORKING);
    if (!engine_add(&h->worker->engine, &h->job))
        held_give_back(h, NO_MEMORY_DELAY, "There is no memory for it");
    else
        park_surplus(h);
}

/* It is not worked on, and becomes visible again in some seconds. Its body isn't needed for that. */
static void turn_away(struct queue_worker *w, struct sqs_message *message, int64_t received_at, unsigned seconds,
                      const char *why) {
    struct sqs_message *rest = sqs_message_without_body(message);
    struct held *h = rest ? held_new(w, rest, received_at) : NULL;
    if (h)
        held_give_back(h, seconds, why);
    else
        sqs_message_free(rest); /* it comes again */
}

/* False: there is no room for it, and it is not held, or not for long. */
static bool take(struct queue_worker *w, struct sqs_message *message, int64_t received_at) {
    if (message->body.len > HELD_BYTES_MAX - w->held_bytes) {
        /* It is larger than those that came lately. */
        turn_away(w, message, received_at, NO_ROOM_DELAY, "There is no room for its body");
        return false;
    }
    struct held *h = held_new(w, message, received_at);
    if (!h) {
        sqs_message_free(message); /* it comes again */
        return false;
    }
    w->totals.received++;
    metrics_received(w->ports.metrics);
    forecast_received(w, message->sent_at);
    bool first = true;
    if (w->phase != PHASE_WORKING)
        return true; /* the drain gives it back, once it can't come to another receive of ours */
    if (w->fifo && !group_enter(h, &first))
        held_give_back(h, NO_MEMORY_DELAY, "There is no memory for it");
    else if (first)
        held_begin(h);
    return h->state != HELD_GIVING_BACK;
}

void held_take(struct queue_worker *w, struct sqs_message **messages, size_t count, int64_t received_at) {
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
static uint64_t hash_of(const struct held *h) {
    struct siphash s;
    siphash_begin(&s, h->worker->groups.seed);
    siphash_update(&s, h->message->message_id);
    return siphash_end(&s);
}

bool held_was_set_aside(const struct held *h) {
    return h->worker->set_aside.count > 0 && set_aside_knows(&h->worker->set_aside, hash_of(h));
}

void held_back_from_aside(const struct held *h) {
    if (h->worker->set_aside.count > 0)
        set_aside_forget(&h->worker->set_aside, hash_of(h));
}

void held_delete(struct held *h, bool harmless) {
    if (h->worker->held_counts[HELD_DELETING] == 0)
        h->worker->deleting_since = clock_monotonic(h->worker->ports.clock);
    /* Its lease goes on: where deletes fail for long, nobody is to receive it meanwhile. */
    held_enter(h, HELD_DELETING);
    h->harmless = harmless;
    /* Of what is done with, only the handle is needed. */
    update_free(h->update);
    h->update = h->job.update = NULL;
    /* A handle may serve beyond its lease, as long as nobody else has received the message. */
    int64_t least = clock_monotonic(h->worker->ports.clock) + REMOVAL_PATIENCE;
    h->removal.expires = h->lease_until > least ? h->lease_until : least;
    h->removal.solitary = held_was_set_aside(h);
    batcher_add(&h->worker->removals, &h->removal);
    /* SQS gives out no more of its group while it is there. */
    if (h->worker->fifo && !(harmless && group_waits(h)))
        batcher_within(&h->worker->removals, GROUP_LINGER);
    if (harmless)
        group_passed(h);
}

void held_give_back(struct held *h, unsigned seconds, const char *why) {
    struct queue_worker *w = h->worker;
    group_broken(h);
    LOG_EVENT(w->ports.log, LOG_LEVEL_DEBUG, "A message is given back", LOG_S("message_id", h->message->message_id),
              LOG_I("seconds", seconds), LOG_C("why", why));
    held_enter(h, HELD_GIVING_BACK);
    h->give_back.seconds = seconds;
    /* An extension in flight must not come after it: it waits for that one's answer, whatever it is. */
    if (h->extend.entry.flight) {
        h->extend.entry.expires = clock_monotonic(w->ports.clock);
        return;
    }
    lease_end(h);
    h->give_back.entry.expires = h->lease_until;
    batcher_add(&w->visibilities, &h->give_back.entry);
}

bool held_deletes_fail(const struct queue_worker *w) {
    const struct batcher *b = &w->removals;
    int64_t progress = b->got_through > w->deleting_since ? b->got_through : w->deleting_since;
    return w->held_counts[HELD_DELETING] > 0 &&
           (batcher_in_trouble(b) || clock_monotonic(w->ports.clock) - progress > REMOVAL_USUAL);
}

void held_set_aside(struct held *h, const char *doing, const char *code) {
    struct queue_worker *w = h->worker;
    bool tell = false;
    metrics_set_aside(w->ports.metrics);
    unsigned seconds = set_aside_put(&w->set_aside, hash_of(h), clock_monotonic(w->ports.clock), &tell);
    bool may_apply_twice = h->state == HELD_DELETING && !h->harmless;
    if (may_apply_twice && seconds > UNAUDITED_ASIDE_MAX)
        seconds = UNAUDITED_ASIDE_MAX;
    if (tell)
        LOG_EVENT(w->ports.log, LOG_LEVEL_WARNING,
                  "A message fails by itself, while others get through: it is set aside, and tried ever more rarely. "
                  "Look at what the network path does to it",
                  LOG_S("message_id", h->message->message_id), LOG_C("doing", doing), LOG_C("code", code),
                  LOG_I("receive_count", h->message->receive_count), LOG_I("seconds", seconds));
    held_give_back(h, seconds, "It fails by itself, while others get through");
}

void held_let_go(struct held *h) {
    struct queue_worker *w = h->worker;
    repeated_line_say(&w->repeated.lease_lost, h->message->message_id, "");
    metrics_lease_lost(w->ports.metrics);
    if (h->state == HELD_WORKING)
        engine_withdraw(&w->engine, &h->job);
    group_broken(h);
    held_free(h);
    poller_pump(w);
    drain_review(w);
}

static struct call *send_removals(void *ctx, struct batch_entry *const *entries, size_t count,
                                  const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct span handles[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        handles[i] = container_of(entries[i], struct held, removal)->message->receipt_handle;
    const struct sqs_port *sqs = w->ports.sqs;
    return sqs->delete_batch(sqs->ctx, w->facts->queue.url, handles, count, options, batcher_answered, flight);
}

static void removal_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct held *h = container_of(entry, struct held, removal);
    if (end == BATCH_SET_ASIDE) {
        held_set_aside(h, "deleting it", code); /* with its next handle it may get through */
        engine_pump(&w->engine);
        return;
    }
    if (end == BATCH_DONE)
        held_back_from_aside(h);
    if (end != BATCH_DONE) {
        w->totals.undeleted++;
        metrics_undeleted(w->ports.metrics);
        LOG_EVENT(w->ports.log, LOG_LEVEL_DEBUG,
                  "A message that is done with could not be deleted, and may be delivered once more",
                  LOG_S("message_id", h->message->message_id), LOG_C("code", code));
    }
    /* A handle that is over may be answered as if it had deleted. */
    if (end == BATCH_DONE && entry->sent_at < h->lease_until)
        group_passed(h);
    else
        group_broken(h);
    held_free(h);
    engine_pump(&w->engine);
    poller_pump(w);
    drain_review(w);
}

static void deletes_trouble_changed(void *ctx) {
    poller_pump(ctx);
}

static struct call *send_visibilities(void *ctx, struct batch_entry *const *entries, size_t count,
                                      const struct call_options *options, struct batch_flight *flight) {
    struct queue_worker *w = ctx;
    struct sqs_visibility_entry changes[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct visibility_change *change = container_of(entries[i], struct visibility_change, entry);
        changes[i] = (struct sqs_visibility_entry){change->held->message->receipt_handle, change->seconds};
    }
    const struct sqs_port *sqs = w->ports.sqs;
    return sqs->change_visibility_batch(sqs->ctx, w->facts->queue.url, changes, count, options, batcher_answered,
                                        flight);
}

static void visibility_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct queue_worker *w = ctx;
    struct visibility_change *change = container_of(entry, struct visibility_change, entry);
    struct held *h = change->held;
    if (change == &h->give_back) {
        w->totals.given_back += end == BATCH_DONE;
        if (end == BATCH_DONE)
            metrics_returned(w->ports.metrics);
        held_free(h);
        poller_pump(w);
        drain_review(w);
    } else if (h->state == HELD_GIVING_BACK) {
        lease_end(h);
        h->give_back.entry.expires = h->lease_until;
        batcher_add(&w->visibilities, &h->give_back.entry);
    } else {
        lease_extended(h, end, code);
    }
}

const struct batcher_kind held_removals = {.what = "Deleting messages",
                                           .counted_as = METRICS_DELETES,
                                           .linger = REMOVAL_LINGER,
                                           .max_flights = BATCH_FLIGHTS,
                                           .sets_aside = true,
                                           .send = send_removals,
                                           .ended = removal_ended,
                                           .trouble_changed = deletes_trouble_changed};
const struct batcher_kind held_visibilities = {.what = "Changing the visibility of messages",
                                               .counted_as = METRICS_VISIBILITIES,
                                               .linger = VISIBILITY_LINGER,
                                               .max_flights = BATCH_FLIGHTS,
                                               .halves_time = true,
                                               .send = send_visibilities,
                                               .ended = visibility_ended};
