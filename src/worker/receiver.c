#include "receiver_private.h"

#include <stdlib.h>

static const size_t RESPONSE_MAX = (size_t)64 << 20; /* bytes of one receive's answer */
static const int64_t SILENCE = 10 * MICROSECONDS; /* the longest silence, beyond the long poll's wait */
static const int64_t SLOWEST = 540 * MICROSECONDS; /* the longest time for an answer that keeps coming */
/* A receive that isn't answered so long after its wait most likely never will be. Another is opened beside it, so that
 * nobody waits for its end. */
static const int64_t LATE = 2 * MICROSECONDS;
static const unsigned LATE_MAX = 3;
static const int64_t SPARE_FOR = 900 * MICROSECONDS; /* for so long one more may be open: another may go silent */
/* A receive whose connection we close may still be answered: then its messages are hidden, though nobody has them. So a
 * worker that stops waits for its receives to end. Long polls are short while messages are in flight, and grow to the
 * longest only on a queue that stays empty. */
static const unsigned BUSY_WAIT = 1; /* seconds */
static const unsigned EMPTY_WAIT = 1; /* seconds of a long poll with --until-empty */
/* A FIFO queue allows 300 receives a second from all its receivers together, each of up to ten messages, unless it has
 * high throughput. It also delivers nothing, without an error, beyond 20,000 or 120,000 messages in flight;
 * MAX_IN_FLIGHT is always below that. */
static const int64_t FIFO_INTERVAL = 5 * MILLISECOND; /* between two receives */

static void on_timer(void *user) {
    struct receiver *r = user;
    r->host.changed(r->host.ctx);
}

/* Whether its answer has begun to come. Then it is slow rather than silent, and another one beside it would make it
 * slower. */
static bool is_answered(const struct receiver *r, const struct receive *receive) {
    const struct sqs_api *sqs = r->platform->sqs;
    return sqs->is_answered && sqs->is_answered(sqs->ctx, receive->call);
}

/* How many receives are late, up to LATE_MAX: no more than that are opened beside them. */
static unsigned late_receives(struct receiver *r, int64_t now) {
    if (now < r->none_late_before)
        return 0;
    const struct receive *receive;
    unsigned late = 0;
    r->none_late_before = NEVER;
    LIST_FOREACH(receive, &r->receives, link) {
        late += receive->late_at <= now && !is_answered(r, receive);
        if (receive->late_at < r->none_late_before)
            r->none_late_before = receive->late_at;
    }
    return late < LATE_MAX ? late : LATE_MAX;
}

/* How many receives may be open beyond those that the rate needs: one for each late one; and one where none is late,
 * but one was lately. */
static unsigned spare_receives(struct receiver *r, int64_t now) {
    unsigned late = late_receives(r, now);
    if (late > 0)
        r->spare_until = now + SPARE_FOR;
    else if (now < r->spare_until)
        late = 1;
    return late;
}

/* Removes a receive that has ended from the list and the sums. */
static void forget(struct receiver *r, struct receive *receive) {
    LIST_REMOVE(receive, link);
    r->count--;
    r->reserved_messages -= receive->attempt.max_messages;
    r->reserved_bytes -= receive->reserved_bytes;
}

static void cancel(struct receiver *r, struct receive *receive) {
    forget(r, receive);
    r->platform->sqs->cancel(r->platform->sqs->ctx, receive->call);
    free(receive);
}

bool receiver_asked_before(const struct receiver *r, int64_t then) {
    const struct receive *receive;
    LIST_FOREACH(receive, &r->receives, link) {
        if (receive->asked_at < then)
            return true;
    }
    return false;
}

void receiver_close(struct receiver *r) {
    r->closed = true;
}

void receiver_stop(struct receiver *r) {
    r->closed = true;
    timer_stop(r->platform->timers, &r->timer);
    timer_stop(r->platform->timers, &r->late_timer);
    struct receive *next;
    for (struct receive *receive = LIST_FIRST(&r->receives); receive; receive = next) {
        next = LIST_NEXT(receive, link);
        cancel(r, receive);
    }
}

/* On a FIFO queue a lost answer must be noticed while its messages are still hidden, with time left to ask for them
 * again. So the wait and the silence may each take at most a third of that time. */
static int64_t silence_allowed(const struct receiver *r) {
    int64_t third = receiver_hidden_for(r) / 3;
    return r->fifo && third < SILENCE ? third : SILENCE;
}

/* An answer that takes longer than its messages are hidden is of no use, and a receive must end at some time. */
static int64_t slowness_allowed(const struct receiver *r) {
    int64_t useful = receiver_hidden_for(r) < SLOWEST ? receiver_hidden_for(r) : SLOWEST;
    return useful > SILENCE ? useful : SILENCE;
}

/* Seconds that the next receive waits for messages. */
static unsigned wait_seconds(const struct receiver *r, const struct receive_budget *budget) {
    if (r->until_empty)
        return EMPTY_WAIT;
    bool busy = budget->in_flight > 0 || r->attempts.count > 0; /* lost attempts are to be repeated soon */
    unsigned doublings = busy ? 0 : r->empty_in_a_row;
    unsigned wait = doublings < 5 ? BUSY_WAIT << doublings : SQS_LONG_POLL_SECONDS;
    return r->fifo && wait > r->facts->visibility / 3 ? r->facts->visibility / 3 : wait;
}

/* The bytes to expect for one message on its way. */
static size_t bytes_each(const struct receiver *r) {
    return receive_size_reserve(&r->size, r->facts->queue.attributes.max_message_size);
}

static unsigned allowance(struct receiver *r, const struct receive_budget *budget, unsigned batch, int64_t now) {
    struct receive_reserve reserve = {.receives = r->count,
                                      .late = late_receives(r, now),
                                      .messages = r->reserved_messages,
                                      .bytes = r->reserved_bytes,
                                      .bytes_each = bytes_each(r)};
    return receive_allowance(budget, &reserve, batch, r->bytes_most);
}

static void on_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                        size_t corrupt) {
    struct receive *receive = user;
    struct receiver *r = receive->owner;
    forget(r, receive);
    metrics_receive(r->platform->metrics, result->class != CALL_OK || (count == 0 && corrupt > 0), count);
    if (result->class == CALL_OK && count == 0 && corrupt > 0) {
        receiver_spoilt(r, corrupt, result, &receive->attempt);
    } else if (result->class == CALL_OK) {
        receiver_succeeded(r, receive, result, count, corrupt);
        int64_t received_at = result->answered ? result->answered : clock_monotonic(r->platform->clock);
        for (size_t i = 0; i < count; i++)
            receive_size_note(&r->size, sqs_message_bytes(messages[i]));
        if (count > 0)
            r->host.received(r->host.ctx, messages, count, received_at);
    } else {
        int64_t now = clock_monotonic(r->platform->clock);
        if (r->fifo && result->class == CALL_RETRY)
            receive_attempts_lost(&r->attempts, &receive->attempt, receiver_may_be_a_messages(result), now);
        receiver_failed(r, result, &receive->attempt);
    }
    free(receive);
    r->host.changed(r->host.ctx);
}

/* The attempt that the next receive makes. On a FIFO queue, attempts whose answer was lost are repeated first, and ask
 * for as many messages as before. */
static struct receive_attempt next_attempt(struct receiver *r, const struct receive_budget *budget,
                                           unsigned max_messages, int64_t now) {
    struct receive_attempt attempt = {.max_messages = max_messages, .since = now};
    if (!r->fifo)
        return attempt;
    unsigned room = allowance(r, budget, receive_whole_batch(budget->paced), now);
    if (receive_attempts_repeat(&r->attempts, room, receiver_hidden_for(r), now, &attempt))
        return attempt;
    return receive_attempt_new(r->platform->random, max_messages, now);
}

/* Opens one more receive. False: no memory. */
static bool ask(struct receiver *r, const struct receive_budget *budget, unsigned max_messages) {
    int64_t now = clock_monotonic(r->platform->clock);
    struct receive *receive = calloc(1, sizeof *receive);
    if (!receive)
        return false;
    *receive = (struct receive){.owner = r, .attempt = next_attempt(r, budget, max_messages, now), .asked_at = now};
    receive->reserved_bytes = receive->attempt.max_messages * bytes_each(r);
    struct sqs_receive_request request = {.queue_url = r->facts->queue.url,
                                          .max_messages = receive->attempt.max_messages,
                                          .wait_seconds = wait_seconds(r, budget),
                                          .visibility_seconds = r->facts->visibility,
                                          .silence = silence_allowed(r),
                                          .max_response = RESPONSE_MAX,
                                          .attempt_id = r->fifo ? receive->attempt.id : NULL};
    /* One attempt: each lost answer costs its messages a delivery, so that a call doesn't try again by itself. */
    struct call_options options = {.deadline = now + request.wait_seconds * MICROSECONDS + slowness_allowed(r),
                                   .max_attempts = 1};
    receive->call = r->platform->sqs->receive(r->platform->sqs->ctx, &request, &options, on_received, receive);
    if (!receive->call) {
        if (r->fifo)
            receive_attempts_lost(&r->attempts, &receive->attempt, false, now);
        free(receive);
        return false;
    }
    receive->late_at = now + request.wait_seconds * MICROSECONDS + LATE;
    if (receive->late_at < r->none_late_before)
        r->none_late_before = receive->late_at;
    if (!r->late_timer.running)
        timer_start(r->platform->timers, &r->late_timer, receive->late_at);
    LIST_INSERT_HEAD(&r->receives, receive, link);
    r->count++;
    r->reserved_messages += receive->attempt.max_messages;
    r->reserved_bytes += receive->reserved_bytes;
    if (r->fifo && !r->facts->queue.attributes.high_throughput && !r->pauses) {
        r->not_before = now + FIFO_INTERVAL;
        timer_start(r->platform->timers, &r->timer, r->not_before);
    }
    return true;
}

enum receiver_turn receiver_turn(struct receiver *r, const struct receive_budget *budget) {
    if (r->closed)
        return RECEIVER_HAS_ENOUGH;
    int64_t now = clock_monotonic(r->platform->clock);
    unsigned late = late_receives(r, now), wanted = r->target + spare_receives(r, now);
    if (r->pauses && (r->timer.running || r->count > late))
        return RECEIVER_HAS_ENOUGH; /* one at a time, after the backoff; a late one doesn't count */
    unsigned target = r->pauses ? late + 1 : wanted < receiver_polls_max(r) ? wanted : receiver_polls_max(r);
    unsigned whole = receive_whole_batch(budget->paced), batch = whole < r->size.most ? whole : r->size.most;
    while (r->count < target && now >= r->not_before) {
        unsigned count = allowance(r, budget, batch, now);
        if (count == 0)
            return RECEIVER_LACKS_ROOM;
        if (!ask(r, budget, count)) {
            timer_start(r->platform->timers, &r->timer, now + MICROSECONDS);
            return RECEIVER_HAS_ENOUGH;
        }
        if (budget->receiving == RECEIVE_ONE_MORE)
            return RECEIVER_TAKES_ONE_MORE;
    }
    return RECEIVER_HAS_ENOUGH;
}

void receiver_init(struct receiver *r, const struct platform *platform, const struct discovery_facts *facts,
                   bool until_empty, size_t bytes_most, const struct receiver_host *host) {
    *r = (struct receiver){.platform = platform,
                           .facts = facts,
                           .host = *host,
                           .bytes_most = bytes_most,
                           .until_empty = until_empty,
                           .fifo = facts->queue.attributes.fifo,
                           .target = 1};
    LIST_INIT(&r->receives);
    receive_size_init(&r->size);
    timer_init(&r->timer, on_timer, r);
    timer_init(&r->late_timer, on_timer, r);
}
