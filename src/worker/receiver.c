/* Receives messages: as many long polls at once as the rate needs, and none that could break a bound. */
#include "queue_worker_private.h"

#include "backoff.h"

#include <stdlib.h>

static const unsigned POLLS_MAX = 32;
static const size_t RESPONSE_MAX = (size_t)64 << 20; /* of one receive */
static const int64_t RETRY_BASE = 200 * MILLISECOND, RETRY_CAP = 20 * MICROSECONDS;
static const int64_t SILENCE = 10 * MICROSECONDS; /* beyond the wait */
static const int64_t SLOWEST = 540 * MICROSECONDS; /* that an answer may take which moves */
static const int64_t TELL_EVERY = 600 * MICROSECONDS; /* of single failures */
/* A receive that isn't answered so long after its wait is silent, most likely: others are opened beside it, so that
 * nobody waits for its end. */
static const int64_t LATE = 2 * MICROSECONDS;
static const unsigned LATE_MAX = 3;
static const int64_t SPARE_FOR = 900 * MICROSECONDS; /* so long one more is out: what was silent may come again */
/* A receive whose connection we close may still be answered, and its messages stay hidden though nobody has them. So a
 * worker that stops waits for its receives to end; and they are short while messages are in flight, and grow to the
 * longest only on a queue that stays empty. */
static const unsigned BUSY_WAIT = 1; /* seconds */
static const int64_t EMPTY_LEAST = 500 * MILLISECOND, EMPTY_PAUSE = MICROSECONDS;
static const unsigned EMPTY_WAIT = 1; /* seconds of a long poll with --until-empty */
/* A FIFO queue takes 300 receives a second from all its receivers together, each of up to ten messages, unless it is
 * one of high throughput. MAX_IN_FLIGHT stays below the 20,000 or 120,000 messages in flight beyond which
 * it gives nothing and says nothing. */
static const unsigned FIFO_POLLS_MAX = 8;
static const int64_t FIFO_INTERVAL = 5 * MILLISECOND; /* between two receives */

static void on_timer(void *user) {
    receiver_pump(user);
}

void receiver_init(struct queue_worker *w) {
    struct receiver *p = &w->receiver;
    LIST_INIT(&p->receives);
    p->target = 1;
    receive_size_init(&p->size);
    timer_init(&p->timer, on_timer, w);
    timer_init(&p->late_timer, on_timer, w);
}

/* One whose answer comes is slow, and another one beside it would make it slower. */
static bool is_answered(const struct queue_worker *w, const struct receive *r) {
    const struct sqs_api *sqs = w->platform.sqs;
    return sqs->is_answered && sqs->is_answered(sqs->ctx, r->call);
}

/* How many are late; beyond so many no more are opened beside them. */
static unsigned late_receives(const struct queue_worker *w) {
    const struct receive *r;
    int64_t now = clock_monotonic(w->platform.clock);
    unsigned late = 0;
    LIST_FOREACH(r, &w->receiver.receives, link) {
        late += r->late_at <= now && !is_answered(w, r);
    }
    return late < LATE_MAX ? late : LATE_MAX;
}

/* How many receives may be out beside those that the rate needs: one for each that is late, and one while that was so
 * lately. */
static unsigned spare_receives(struct queue_worker *w) {
    struct receiver *p = &w->receiver;
    int64_t now = clock_monotonic(w->platform.clock);
    unsigned late = late_receives(w);
    if (late > 0)
        p->spare_until = now + SPARE_FOR;
    else if (now < p->spare_until)
        late = 1;
    return late;
}

/* Takes a receive that is over out of the books. */
static void forget(struct queue_worker *w, struct receive *r) {
    struct receiver *p = &w->receiver;
    LIST_REMOVE(r, link);
    p->count--;
    p->reserved_messages -= r->attempt.max_messages;
    p->reserved_bytes -= r->reserved_bytes;
}

static void cancel(struct queue_worker *w, struct receive *r) {
    forget(w, r);
    w->platform.sqs->cancel(w->platform.sqs->ctx, r->call);
    free(r);
}

bool receiver_asked_before(const struct queue_worker *w, int64_t then) {
    const struct receive *r;
    LIST_FOREACH(r, &w->receiver.receives, link) {
        if (r->asked_at < then)
            return true;
    }
    return false;
}

void receiver_stop(struct queue_worker *w) {
    struct receiver *p = &w->receiver;
    timer_stop(w->platform.timers, &p->timer);
    timer_stop(w->platform.timers, &p->late_timer);
    struct receive *next;
    for (struct receive *r = LIST_FIRST(&p->receives); r; r = next) {
        next = LIST_NEXT(r, link);
        cancel(w, r);
    }
}

static int64_t hidden_for(const struct queue_worker *w) {
    return (int64_t)w->facts->visibility * MICROSECONDS;
}

/* On a FIFO queue an answer that doesn't come must be missed while its messages are hidden, with time to ask for
 * them again: waiting and silence take a third of that each at most. */
static int64_t silence_allowed(const struct queue_worker *w) {
    int64_t third = hidden_for(w) / 3;
    return w->fifo && third < SILENCE ? third : SILENCE;
}

/* What comes later than its messages are hidden is of no use; nor has a receive for ever. */
static int64_t slowness_allowed(const struct queue_worker *w) {
    int64_t useful = hidden_for(w) < SLOWEST ? hidden_for(w) : SLOWEST;
    return useful > SILENCE ? useful : SILENCE;
}

/* Seconds that the next receive waits for messages. */
static unsigned wait_seconds(const struct queue_worker *w) {
    if (w->options.until_empty)
        return EMPTY_WAIT;
    bool busy = messages_in_flight(w) > 0 || w->receiver.attempts.count > 0; /* what was lost is asked for again soon */
    unsigned doublings = busy ? 0 : w->receiver.empty_in_a_row;
    unsigned wait = doublings < 5 ? BUSY_WAIT << doublings : SQS_LONG_POLL_SECONDS;
    return w->fifo && wait > w->facts->visibility / 3 ? w->facts->visibility / 3 : wait;
}

static unsigned polls_max(const struct queue_worker *w) {
    return w->fifo ? FIFO_POLLS_MAX : POLLS_MAX;
}

/* Messages that may be in flight at once: where the rate is limited no more than a few seconds' worth, so that the rest
 * stays free for others. */
static unsigned in_flight_max(const struct queue_worker *w) {
    unsigned max = w->options.max_in_flight, rate = applier_rate(&w->applier);
    if (rate) {
        unsigned paced = rate < 4 ? 10 : rate > UINT32_MAX / 4 ? max : rate * 4;
        max = paced < max ? paced : max;
    }
    return max;
}

/* What is expected of one message on its way. */
static size_t bytes_each(const struct queue_worker *w) {
    return receive_size_reserve(&w->receiver.size, w->facts->queue.attributes.max_message_size);
}

/* A whole batch. Small bounds: two receives share them, so that one works while the other comes. */
static unsigned whole_batch(const struct queue_worker *w) {
    unsigned max = in_flight_max(w);
    return max < 2 * SQS_BATCH_MAX ? (max + 1) / 2 : SQS_BATCH_MAX;
}

/* How many messages the next receive may ask for, of a batch of so many; 0: none now. */
static unsigned allowance(const struct queue_worker *w, enum receiving receiving, unsigned batch) {
    const struct receiver *p = &w->receiver;
    unsigned taken = messages_in_flight(w) + p->reserved_messages, most = w->options.max_in_flight;
    /* The one that tells has no room where as many fail as may be in flight. It is one above that, and no second. */
    if (receiving == RECEIVE_ONE_MORE && p->count == 0 && w->message_counts[MESSAGE_WAITING] == 0)
        most++;
    if (receiving == RECEIVE_NOTHING || taken >= most || (receiving == RECEIVE_ONE_MORE && p->count > 0))
        return 0;
    /* What waits for the DLQ, or to be confirmed, has its verdict, and says nothing of DynamoDB. */
    unsigned untried =
        w->message_counts[MESSAGE_WAITING] + w->message_counts[MESSAGE_APPLYING] - applier_unconfirmed(&w->applier);
    if (receiving == RECEIVE_ONE)
        return untried == 0 && p->count <= late_receives(w);
    unsigned wanted = receiving == RECEIVE_ONE_MORE ? 1 : batch,
             room = in_flight_max(w) > taken ? in_flight_max(w) - taken : 0;
    if (receiving == RECEIVE_FREELY && wanted > room)
        return 0; /* not yet room for a full batch */
    if (receiving == RECEIVE_WHAT_FITS && wanted > room)
        wanted = room;
    /* One half comes while the other works: were all on their way at once, all would begin at once. */
    unsigned on_their_way = in_flight_max(w) / 2 > 2 * batch ? in_flight_max(w) / 2 : 2 * batch;
    if (receiving == RECEIVE_FREELY && p->reserved_messages + wanted > on_their_way)
        return 0;
    size_t bytes = w->message_bytes + p->reserved_bytes;
    size_t fit = bytes < IN_FLIGHT_BYTES_MAX ? (IN_FLIGHT_BYTES_MAX - bytes) / bytes_each(w) : 0;
    return fit < wanted ? (unsigned)fit : wanted;
}

static void log_failing(struct queue_worker *w, const struct call_result *result) {
    LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING, "Receiving fails; trying again until it works",
              LOG_C("queue", w->facts->queue.name), LOG_C("code", call_word(result)), LOG_I("status", result->status));
}

/* Whether what failed may have been one message's: of several at once, or of none, something would come. */
static bool may_be_a_messages(const struct call_result *result) {
    return result->class == CALL_RETRY && !result->from_service && !result->unsent;
}

/* The first in a row is told at once, but not time and again where the next always comes. */
static void tell_failing(struct queue_worker *w, const struct call_result *result, bool single, int64_t now) {
    struct receiver *p = &w->receiver;
    if (p->told || (single && now < p->told_until))
        return;
    p->told = true;
    p->told_until = now + TELL_EVERY;
    log_failing(w, result);
}

static void failed(struct queue_worker *w, const struct call_result *result, const struct receive_attempt *attempt) {
    struct receiver *p = &w->receiver;
    int64_t now = clock_monotonic(w->platform.clock);
    bool single = p->failures == 0 && may_be_a_messages(result);
    /* On a FIFO queue the same is asked for once more. */
    if (may_be_a_messages(result) && (!w->fifo || attempt->cuts > 0))
        receive_size_cut(&p->size, attempt->max_messages, hidden_for(w), now);
    if (p->failures == 0)
        p->failing_since = now;
    p->blame = blame_of(result);
    struct verdict v = verdict_of_call(result);
    verdict_describe(&v, p->cause);
    tell_failing(w, result, single, now);
    if (single) {
        p->failures = 1; /* the next follows at once, and asks for fewer */
        return;
    }
    p->target = 1;
    if (w->phase != PHASE_WORKING || (p->pauses && p->timer.running))
        return; /* of several that were out together, one counts */
    unsigned before = p->pauses ? p->failures : 0;
    int64_t wait = RETRY_BASE + backoff_full_jitter(w->platform.random, before, RETRY_BASE, RETRY_CAP);
    int64_t asked_for = heeded_wait(result);
    if (asked_for > wait)
        wait = asked_for;
    p->failures++;
    p->pauses = true;
    timer_start(w->platform.timers, &p->timer, now + wait > p->not_before ? now + wait : p->not_before);
}

static void log_corrupt(struct queue_worker *w, size_t corrupt) {
    LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
              "Messages without an id, or a body that fits its MD5, were left to their next delivery",
              LOG_I("messages", corrupt));
}

/* Nothing in an answer could be used: what spoilt it will spoil the next as well, and each costs its messages a
 * delivery. */
static void spoilt(struct queue_worker *w, size_t corrupt, const struct receive_attempt *attempt) {
    const struct call_result result = {.class = CALL_RETRY, .status = 200, .code = "UnusableMessages"};
    if (w->receiver.failures == 0)
        log_corrupt(w, corrupt);
    failed(w, &result, attempt);
}

static void succeeded(struct queue_worker *w, const struct receive *r, const struct call_result *result, size_t count,
                      size_t corrupt) {
    struct receiver *p = &w->receiver;
    if (p->told)
        LOG_EVENT(w->platform.log, LOG_LEVEL_INFO, "Receiving works again", LOG_C("queue", w->facts->queue.name),
                  LOG_I("seconds", (clock_monotonic(w->platform.clock) - p->failing_since) / MICROSECONDS));
    p->failures = 0;
    p->pauses = p->told = false;
    if (corrupt > 0)
        log_corrupt(w, corrupt);
    p->last_was_empty = count == 0;
    p->empty_in_a_row = p->last_was_empty ? p->empty_in_a_row + 1 : 0;
    /* A server that doesn't wait is not asked without end. */
    int64_t now = clock_monotonic(w->platform.clock);
    if (p->last_was_empty && now - r->asked_at < EMPTY_LEAST) {
        p->not_before = now + EMPTY_PAUSE;
        timer_start(w->platform.timers, &p->timer, p->not_before);
    }
    unsigned asked = r->attempt.max_messages, most = p->size.most;
    int64_t took = result->answered ? now - result->answered : 0;
    enum receive_pace pace = count > 0 ? receive_size_came(&p->size, asked, took, hidden_for(w), now) : PACE_FAIR;
    if (count == 0 || pace == PACE_SLOW)
        p->target = 1;
    else if (count == asked && (asked > 1 || most == 1) && pace == PACE_QUICK)
        p->target = p->target * 2 < polls_max(w) ? p->target * 2 : polls_max(w);
    else if (count < asked / 2 && p->target > 1)
        p->target--;
}

static void on_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                        size_t corrupt) {
    struct receive *r = user;
    struct queue_worker *w = r->worker;
    forget(w, r);
    metrics_receive(w->platform.metrics, result->class != CALL_OK || (count == 0 && corrupt > 0), count);
    if (result->class == CALL_OK && count == 0 && corrupt > 0) {
        spoilt(w, corrupt, &r->attempt);
    } else if (result->class == CALL_OK) {
        succeeded(w, r, result, count, corrupt);
        int64_t received_at = result->answered ? result->answered : clock_monotonic(w->platform.clock);
        for (size_t i = 0; i < count; i++)
            receive_size_note_body(&w->receiver.size, messages[i]->body.len);
        if (count > 0)
            queue_end_message(w);
        messages_take(w, messages, count, received_at);
        applier_pump(&w->applier);
    } else {
        int64_t now = clock_monotonic(w->platform.clock);
        if (w->fifo && result->class == CALL_RETRY)
            receive_attempts_lost(&w->receiver.attempts, &r->attempt, may_be_a_messages(result), now);
        failed(w, result, &r->attempt);
    }
    free(r);
    receiver_pump(w);
    shutdown_applier_changed(w);
}

/* The attempt that the next receive makes: on a FIFO queue one whose answer was lost goes first, which asks for as
 * many as it did. */
static struct receive_attempt next_attempt(struct queue_worker *w, enum receiving receiving, unsigned max_messages,
                                           int64_t now) {
    struct receive_attempt attempt = {.max_messages = max_messages, .since = now};
    if (!w->fifo)
        return attempt;
    unsigned room = allowance(w, receiving, whole_batch(w));
    if (receive_attempts_repeat(&w->receiver.attempts, room, hidden_for(w), now, &attempt))
        return attempt;
    return receive_attempt_new(w->platform.random, max_messages, now);
}

static bool receive(struct queue_worker *w, enum receiving receiving, unsigned max_messages) {
    struct receiver *p = &w->receiver;
    int64_t now = clock_monotonic(w->platform.clock);
    struct receive *r = calloc(1, sizeof *r);
    if (!r)
        return false;
    *r = (struct receive){.worker = w, .attempt = next_attempt(w, receiving, max_messages, now), .asked_at = now};
    r->reserved_bytes = r->attempt.max_messages * bytes_each(w);
    struct sqs_receive_request request = {.queue_url = w->facts->queue.url,
                                          .max_messages = r->attempt.max_messages,
                                          .wait_seconds = wait_seconds(w),
                                          .visibility_seconds = w->facts->visibility,
                                          .silence = silence_allowed(w),
                                          .max_response = RESPONSE_MAX,
                                          .attempt_id = w->fifo ? r->attempt.id : NULL};
    /* A lost answer costs each of its messages a delivery: it is not asked for twice within one call. */
    struct call_options options = {.deadline = now + request.wait_seconds * MICROSECONDS + slowness_allowed(w),
                                   .max_attempts = 1};
    r->call = w->platform.sqs->receive(w->platform.sqs->ctx, &request, &options, on_received, r);
    if (!r->call) {
        if (w->fifo)
            receive_attempts_lost(&p->attempts, &r->attempt, false, now);
        free(r);
        return false;
    }
    r->late_at = now + request.wait_seconds * MICROSECONDS + LATE;
    if (!p->late_timer.running)
        timer_start(w->platform.timers, &p->late_timer, r->late_at);
    LIST_INSERT_HEAD(&p->receives, r, link);
    p->count++;
    p->reserved_messages += r->attempt.max_messages;
    p->reserved_bytes += r->reserved_bytes;
    if (w->fifo && !w->facts->queue.attributes.high_throughput && !p->pauses) {
        p->not_before = now + FIFO_INTERVAL;
        timer_start(w->platform.timers, &p->timer, p->not_before);
    }
    return true;
}

/* On a FIFO queue what stands behind a message that waits gives way to others. */
static void make_room(struct queue_worker *w, enum receiving receiving) {
    if (!w->fifo || w->message_counts[MESSAGE_WAITING] == 0 || w->receiver.count > 0)
        return;
    if (receiving == RECEIVE_ONE_MORE)
        groups_make_room(w, w->options.max_in_flight - 1);
    else if (receiving == RECEIVE_FREELY || receiving == RECEIVE_WHAT_FITS)
        groups_make_room(w, in_flight_max(w) - whole_batch(w));
}

/* Messages that may wait for what is down besides the database: the DLQ, deletes. */
static unsigned quarter(const struct queue_worker *w) {
    unsigned quarter = w->options.max_in_flight / 4;
    return quarter ? quarter : 1;
}

/* What was applied and can't be deleted would come again. */
static bool deletes_hold_back(struct queue_worker *w) {
    bool hold =
        (w->message_counts[MESSAGE_DELETING] >= quarter(w) && deletions_fail(w)) || w->removals.retrying > quarter(w);
    if (hold && !w->receiver.waits_for_deletes)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Receiving pauses: a quarter of MAX_IN_FLIGHT is done with and can't be deleted. Their visibility "
                  "timeouts are extended meanwhile",
                  LOG_I("undeleted", w->message_counts[MESSAGE_DELETING]));
    else if (!hold && w->receiver.waits_for_deletes)
        LOG_EVENT(w->platform.log, LOG_LEVEL_INFO, "Receiving goes on: messages can be deleted again",
                  LOG_I("undeleted", w->message_counts[MESSAGE_DELETING]));
    w->receiver.waits_for_deletes = hold;
    return hold;
}

static bool others_hold_back(struct queue_worker *w) {
    bool deletes = deletes_hold_back(w);
    return deletes || dead_letters_waiting(w) >= quarter(w);
}

void receiver_pump(struct queue_worker *w) {
    struct receiver *p = &w->receiver;
    if (w->phase != PHASE_WORKING || others_hold_back(w))
        return;
    unsigned late = late_receives(w), wanted = p->target + spare_receives(w);
    if (p->pauses && (p->timer.running || p->count > late))
        return; /* one at a time, when the backoff is over; and what is late keeps nobody waiting */
    unsigned target = p->pauses ? late + 1 : wanted < polls_max(w) ? wanted : polls_max(w);
    while (p->count < target && clock_monotonic(w->platform.clock) >= p->not_before) {
        enum receiving receiving = applier_receiving(&w->applier, messages_in_flight(w) >= in_flight_max(w));
        unsigned whole = whole_batch(w);
        unsigned count = allowance(w, receiving, whole < p->size.most ? whole : p->size.most);
        if (count == 0) {
            make_room(w, receiving);
            return;
        }
        if (!receive(w, receiving, count)) {
            timer_start(w->platform.timers, &p->timer, clock_monotonic(w->platform.clock) + MICROSECONDS);
            return;
        }
        if (receiving == RECEIVE_ONE_MORE) {
            applier_received_extra(&w->applier);
            return;
        }
    }
}
