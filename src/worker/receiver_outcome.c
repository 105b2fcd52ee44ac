/* What follows from a receive's answer: how many receives may be open at once, how long to wait, what the log hears. */
#include "receiver_private.h"

#include "backoff.h"

static const int64_t RETRY_BASE = 200 * MILLISECOND, RETRY_CAP = 20 * MICROSECONDS;
static const int64_t TELL_EVERY = 600 * MICROSECONDS; /* between two log lines about single failures */
static const int64_t EMPTY_LEAST = 500 * MILLISECOND, EMPTY_PAUSE = MICROSECONDS;

static void log_failing(struct receiver *r, const struct call_result *result, bool begins) {
    LOG_EVENT(r->platform->log, LOG_LEVEL_WARNING,
              begins ? "Receiving fails; trying again until it works" : "Receiving fails for another reason now",
              LOG_C("queue", r->facts->queue.name), LOG_C("code", call_word(result)), LOG_I("status", result->status),
              call_why_field(result));
}

/* Whether one message in the answer may have made the receive fail: a request was sent, and no answer of SQS's came
 * back. */
bool receiver_may_be_a_messages(const struct call_result *result) {
    return result->class == CALL_RETRY && !result->from_service && !result->unsent;
}

/* The log hears of the first failure in a row at once. Where the next receive always works, it hears of such single
 * failures only now and then. */
static void tell_failing(struct receiver *r, const struct call_result *result, bool single, int64_t now) {
    bool begins = !r->told;
    if ((begins && single && now < r->told_until) || !trouble_tell(&r->trouble, now, call_word(result)))
        return;
    r->told = true;
    r->told_until = begins ? now + TELL_EVERY : r->told_until;
    log_failing(r, result, begins);
}

void receiver_failed(struct receiver *r, const struct call_result *result, const struct receive_attempt *attempt) {
    int64_t now = clock_monotonic(r->platform->clock);
    bool single = r->failures == 0 && receiver_may_be_a_messages(result);
    /* On a FIFO queue the same attempt is repeated once before fewer are asked for. */
    if (receiver_may_be_a_messages(result) && (!r->fifo || attempt->cuts > 0))
        receive_size_cut(&r->size, attempt->max_messages, receiver_hidden_for(r), now);
    trouble_note_call(&r->trouble, now, result);
    tell_failing(r, result, single, now);
    if (single) {
        r->failures = 1; /* the next follows at once, and asks for fewer, or repeats the attempt */
        return;
    }
    r->target = 1;
    r->empty_in_a_row = 0; /* the next polls are short: on an empty queue a long one would hide the trouble's end */
    if (r->closed || (r->pauses && r->timer.running))
        return; /* of several that were open together, only one failure counts */
    unsigned before = r->pauses ? r->failures : 0;
    int64_t wait = RETRY_BASE + backoff_full_jitter(r->platform->random, before, RETRY_BASE, RETRY_CAP);
    int64_t asked_for = heeded_wait(result);
    if (asked_for > wait)
        wait = asked_for;
    r->failures++;
    r->pauses = true;
    timer_start(r->platform->timers, &r->timer, now + wait > r->not_before ? now + wait : r->not_before);
}

static void log_corrupt(struct receiver *r, size_t corrupt, const struct call_result *result) {
    LOG_EVENT(r->platform->log, LOG_LEVEL_WARNING,
              "Messages came that can't be used as they came; they were left to their next delivery",
              LOG_C("queue", r->facts->queue.name), LOG_I("messages", corrupt), LOG_C("first", result->message));
}

/* No message in an answer could be used. What spoilt it will spoil the next one too, and each costs its messages a
 * delivery: so this counts as a failure, with its backoff. */
void receiver_spoilt(struct receiver *r, size_t corrupt, const struct call_result *result,
                     const struct receive_attempt *attempt) {
    const struct call_result failed = {.class = CALL_RETRY, .status = 200, .code = "UnusableMessages"};
    if (r->failures == 0)
        log_corrupt(r, corrupt, result);
    receiver_failed(r, &failed, attempt);
}

void receiver_succeeded(struct receiver *r, const struct receive *receive, const struct call_result *result,
                        size_t count, size_t corrupt) {
    if (r->told)
        LOG_EVENT(r->platform->log, LOG_LEVEL_INFO, "Receiving works again", LOG_C("queue", r->facts->queue.name),
                  LOG_I("seconds", (clock_monotonic(r->platform->clock) - r->trouble.since) / MICROSECONDS));
    (void)trouble_end(&r->trouble);
    r->failures = 0;
    r->pauses = r->told = false;
    if (corrupt > 0)
        log_corrupt(r, corrupt, result);
    r->last_was_empty = count == 0;
    r->empty_in_a_row = r->last_was_empty ? r->empty_in_a_row + 1 : 0;
    /* A server that answers at once, instead of waiting for messages, isn't asked without a pause. */
    int64_t now = clock_monotonic(r->platform->clock);
    if (r->last_was_empty && now - receive->asked_at < EMPTY_LEAST) {
        r->not_before = now + EMPTY_PAUSE;
        timer_start(r->platform->timers, &r->timer, r->not_before);
    }
    unsigned asked = receive->attempt.max_messages, most = r->size.most;
    int64_t took = result->answered ? now - result->answered : 0;
    enum receive_pace pace =
        count > 0 ? receive_size_came(&r->size, asked, took, receiver_hidden_for(r), now) : PACE_FAIR;
    if (count == 0 || pace == PACE_SLOW)
        r->target = 1;
    else if (count == asked && (asked > 1 || most == 1) && pace == PACE_QUICK)
        r->target = r->target * 2 < receiver_polls_max(r) ? r->target * 2 : receiver_polls_max(r);
    else if (count < asked / 2 && r->target > 1)
        r->target--;
}
