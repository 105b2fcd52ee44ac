#include "message.h"

#include "siphash.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const unsigned NO_MEMORY_DELAY = 10; /* seconds */
static const unsigned RECEIVES_LEAST = 5; /* with a smaller maxReceiveCount, no delivery is spent on parking */
/* Without an audit record DynamoDB recognises a repeated transaction for ten minutes only. One that was applied, and
 * not deleted, has to come back before that. */
static const unsigned UNAUDITED_ASIDE_MAX = 240; /* seconds */

static const char *const state_names[MESSAGE_STATES] = {
    "waiting", "applying", "dead-lettering", "deleting", "returning", "lost", "gone"};

/* Hashes the message id with a secret seed, as ids come from outside. */
static uint64_t hash_of(const struct message *m) {
    struct siphash s;
    siphash_begin(&s, m->all->groups.queues.seed);
    siphash_update(&s, m->received->message_id);
    return siphash_end(&s);
}

bool message_was_set_aside(const struct message *m) {
    return m->all->set_aside.count > 0 && set_aside_knows(&m->all->set_aside, hash_of(m));
}

void message_got_through(const struct message *m) {
    if (m->all->set_aside.count > 0)
        set_aside_forget(&m->all->set_aside, hash_of(m));
}

struct message *message_new(struct messages *all, struct sqs_message *received, int64_t received_at) {
    struct message *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    memset(m, 0, offsetof(struct message, letter.content));
    struct delivery delivery = {.body = received->body,
                                .body_space = sqs_message_body(received),
                                .message_id = received->message_id,
                                .error_envelope = received->error_envelope};
    m->update = update_read(all->context, &delivery);
    if (!m->update) {
        free(m);
        return NULL;
    }
    m->all = all;
    m->received = received;
    m->extension.receipt_handle = m->comeback.receipt_handle = m->deletion.receipt_handle = received->receipt_handle;
    m->comeback.returns = true;
    m->job.update = m->update;
    m->job.receive_count = received->receive_count;
    m->job.known_suspect = message_was_set_aside(m);
    m->job.sent_at = received->sent_at;
    m->job.arrival = applier_next_arrival(all->applier);
    TAILQ_INSERT_TAIL(&all->in_state[m->state], m, in_state);
    all->counts[m->state]++;
    all->bytes += sqs_message_bytes(received);
    lease_begin(&all->leases, &m->lease, received_at);
    return m;
}

bool message_read_again(struct message *m) {
    struct update *again = update_read_again(m->all->context, m->update);
    if (!again)
        return false;
    m->update = m->job.update = again;
    return true;
}

static void set_next(struct message *m, bool is_next) {
    if (m->is_next == is_next)
        return;
    m->is_next = is_next;
    if (is_next)
        TAILQ_INSERT_TAIL(&m->all->next, m, in_next);
    else
        TAILQ_REMOVE(&m->all->next, m, in_next);
}

static struct message *message_at(struct place *place) {
    return place ? container_of(place, struct message, in_group) : NULL;
}

static void leave_group(struct message *m) {
    struct message *next = message_at(fifo_group_leave(&m->all->groups, &m->in_group));
    if (next && next->state == MESSAGE_WAITING)
        set_next(next, true);
}

void message_pass_group(struct message *m) {
    leave_group(m);
}

/* The next delivery of the same message, where it is in the line as well: from there on the order is right. */
static struct place *next_delivery(const struct message *m) {
    struct place *at = m->in_group.queue ? TAILQ_NEXT(&m->in_group, link) : NULL;
    for (; at; at = TAILQ_NEXT(at, link)) {
        const struct message *other = container_of(at, struct message, in_group);
        if (span_equal(other->received->message_id, m->received->message_id))
            break;
    }
    return at;
}

void message_break_group(struct message *m) {
    struct place *again = next_delivery(m), *last;
    while ((last = fifo_group_last_behind(&m->in_group, again))) {
        (void)fifo_group_leave(&m->all->groups, last);
        message_return(message_at(last), 0, "An earlier message of its group comes again");
    }
    leave_group(m);
}

static void stop_lease(struct message *m) {
    lease_end(&m->lease);
    visibilities_remove(&m->all->visibilities, &m->extension);
}

/* Returns the newest message of a record for a while, where the record has more messages here than it can use. Not
 * while the breaker is open, when no message goes on; nor where SQS allows so few deliveries that one more would
 * matter; nor on a FIFO queue; nor where a condition may expect the updates before it. */
static void park_surplus(struct message *m) {
    struct messages *all = m->all;
    const struct sqs_queue_attributes *queue = &all->facts->queue.attributes;
    bool may = applier_receiving(all->applier, false) == RECEIVE_FREELY && !all->fifo && !m->update->conditional &&
               (!queue->max_receive_count || queue->max_receive_count >= RECEIVES_LEAST);
    struct arrival arrival = {.record = record_queue_hash(&m->job),
                              .line = record_queue_length(&m->job),
                              .is_newest = !TAILQ_NEXT(&m->job.in_record, link),
                              .is_first = m->received->receive_count == 1};
    unsigned seconds = may ? parking_arrived(&all->parking, &arrival, clock_monotonic(all->platform->clock)) : 0;
    if (seconds > 0)
        message_return(m, seconds, "Its record has as many messages here as it can use for now");
}

static void enter_applying(struct message *m, enum message_state from) {
    struct applier *applier = m->all->applier;
    if (from == MESSAGE_DEAD_LETTERING) {
        bool fit = m->update->audited || message_read_again(m);
        if (!fit || !applier_confirm_again(applier, &m->job))
            message_return(m, NO_MEMORY_DELAY, "There is no memory to confirm its failure");
    } else if (!applier_add(applier, &m->job)) {
        message_return(m, NO_MEMORY_DELAY, "There is no memory for it");
    } else {
        park_surplus(m);
    }
}

static void enter_dead_lettering(struct message *m) {
    m->applied_meanwhile = false;
    if (m->lease.lost) {
        message_enter(m, MESSAGE_LOST, "Another may have it by now: that one's verdict counts");
        return;
    }
    struct letter *l = &m->letter;
    l->update = m->update;
    l->original = m->received;
    l->is_first = m->job.confirmations > 0; /* while its confirmation is fresh */
    l->at_once = m->job.confirmed_at && !m->update->audited; /* no read can tell what another delivery does meanwhile */
    /* No send begins once another receiver may have the message, and may have applied it. */
    dead_letters_send(&m->all->dead_letters, l, lease_end_of(&m->lease), message_was_set_aside(m));
}

/* Its lease is still extended: where deletes fail for long, no other receiver is to get it. */
static void enter_deleting(struct message *m) {
    struct messages *all = m->all;
    update_free(m->update); /* for the delete only the receipt handle is needed */
    m->update = m->job.update = NULL;
    /* SQS delivers no more of its group until it is deleted. */
    bool group_waits_for_it = all->fifo && !(m->harmless && fifo_group_waits(&m->in_group));
    deletions_add(&all->deletions, &m->deletion, m->lease.until, message_was_set_aside(m), group_waits_for_it);
    if (m->harmless)
        leave_group(m);
}

void message_ask_to_return(struct message *m) {
    stop_lease(m);
    visibilities_add(&m->all->visibilities, &m->comeback, m->lease.until);
}

static void enter_returning(struct message *m) {
    message_break_group(m);
    /* An extension in flight must not reach SQS after the return. So the return waits for the extension's answer. */
    if (m->extension.entry.flight)
        m->extension.entry.expires = clock_monotonic(m->all->platform->clock);
    else
        message_ask_to_return(m);
}

static void enter_lost(struct message *m) {
    repeated_line_say(&m->all->lease_lost, m->received->message_id, "");
    metrics_lease_lost(m->all->platform->metrics);
    message_break_group(m);
    message_enter(m, MESSAGE_GONE, "");
}

static void enter_gone(struct message *m) {
    stop_lease(m);
    leave_group(m);
    deletions_remove(&m->all->deletions, &m->deletion);
    visibilities_remove(&m->all->visibilities, &m->comeback);
    m->all->bytes -= sqs_message_bytes(m->received);
}

static void leave(struct message *m) {
    set_next(m, false);
    if (m->state == MESSAGE_APPLYING && m->job.state != JOB_OUTSIDE)
        applier_withdraw(m->all->applier, &m->job);
    if (m->state == MESSAGE_DEAD_LETTERING)
        dead_letters_remove(&m->all->dead_letters, &m->letter);
}

void message_enter(struct message *m, enum message_state state, const char *why) {
    struct messages *all = m->all;
    enum message_state from = m->state;
    leave(m);
    TAILQ_REMOVE(&all->in_state[from], m, in_state);
    all->counts[from]--;
    m->state = state;
    TAILQ_INSERT_TAIL(&all->in_state[state], m, in_state);
    all->counts[state]++;
    if (log_wants(all->platform->log, LOG_LEVEL_DEBUG))
        LOG_EVENT(all->platform->log, LOG_LEVEL_DEBUG, "A message moves on",
                  LOG_S("message_id", m->received->message_id), LOG_C("from", state_names[from]),
                  LOG_C("to", state_names[state]), LOG_C("why", why));
    switch (state) {
    case MESSAGE_APPLYING: enter_applying(m, from); break;
    case MESSAGE_DEAD_LETTERING: enter_dead_lettering(m); break;
    case MESSAGE_DELETING: enter_deleting(m); break;
    case MESSAGE_RETURNING: enter_returning(m); break;
    case MESSAGE_LOST: enter_lost(m); break;
    case MESSAGE_GONE: enter_gone(m); break;
    case MESSAGE_WAITING:
    case MESSAGE_STATES: break;
    }
}

void message_return(struct message *m, unsigned seconds, const char *why) {
    m->comeback.seconds = seconds;
    message_enter(m, MESSAGE_RETURNING, why);
}

void message_set_aside(struct message *m, const char *doing, const char *code) {
    struct messages *all = m->all;
    bool tell = false;
    metrics_set_aside(all->platform->metrics);
    unsigned seconds = set_aside_put(&all->set_aside, hash_of(m), clock_monotonic(all->platform->clock), &tell);
    bool may_apply_twice = m->state == MESSAGE_DELETING && !m->harmless;
    if (may_apply_twice && seconds > UNAUDITED_ASIDE_MAX)
        seconds = UNAUDITED_ASIDE_MAX;
    if (tell)
        LOG_EVENT(all->platform->log, LOG_LEVEL_WARNING,
                  "A message fails by itself, while others get through: it is set aside, and tried ever more rarely. "
                  "Look at what the network path does to it",
                  LOG_S("message_id", m->received->message_id), LOG_C("doing", doing), LOG_C("code", code),
                  LOG_I("receive_count", m->received->receive_count), LOG_I("seconds", seconds));
    message_return(m, seconds, "It fails by itself, while others get through");
}

void message_free(struct message *m) {
    TAILQ_REMOVE(&m->all->in_state[MESSAGE_GONE], m, in_state);
    m->all->counts[MESSAGE_GONE]--;
    update_free(m->update);
    sqs_message_free(m->received);
    free(m);
}
