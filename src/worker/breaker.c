#include "breaker.h"

#include "backoff.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>

static const int64_t FIRST_PROBE = 50 * MILLISECOND; /* mostly only one connection was lost */
static const int64_t PROBE_LEAST = MICROSECONDS; /* between two probes */
static const int64_t PROBE_CAP = 14 * MICROSECONDS;
static const unsigned QUICK_PROBES = 3; /* if something worked since the last probe: perhaps only answers were lost */
static const unsigned EARLY_PROBES = 7; /* so many probes come at the shortest interval */
static const unsigned PROBES_MAX = 4; /* in flight at once, so that a silent one doesn't keep the others waiting */
static const int64_t FIRST_EXTRA = 5 * MICROSECONDS, EXTRA_INTERVAL_MAX = 60 * MICROSECONDS;
static const unsigned ANNOUNCED_PROBES = 5;
static const int64_t ANNOUNCED_AFTER = 5 * MICROSECONDS;

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

void breaker_init(struct breaker *b, int64_t now) {
    *b = (struct breaker){.probed_at = now - PROBE_LEAST, .probe_at = NEVER, .announce_at = NEVER, .extra_at = NEVER};
}

void breaker_stop(struct breaker *b) {
    b->stopped = true;
    b->probe_at = b->announce_at = b->extra_at = NEVER;
}

int64_t breaker_next(const struct breaker *b) {
    return earlier(b->probe_at, earlier(b->announce_at, b->extra_at));
}

static bool falls_due(int64_t *at, int64_t now) {
    if (*at > now)
        return false;
    *at = NEVER;
    return true;
}

unsigned breaker_fall_due(struct breaker *b, int64_t now) {
    return (falls_due(&b->announce_at, now) ? DUE_ANNOUNCEMENT : 0U) | (falls_due(&b->extra_at, now) ? DUE_EXTRA : 0U) |
           (falls_due(&b->probe_at, now) ? DUE_PROBE : 0U);
}

static void plan_probe(struct breaker *b, struct random *random, int64_t now) {
    int64_t base = PROBE_LEAST, least = b->probed_at + PROBE_LEAST;
    unsigned early = b->throttled ? 0 : EARLY_PROBES, longer = b->probes > early ? b->probes - early : 0;
    if (b->trouble.active && b->probes < b->quick && (b->probes == 0 || !b->throttled)) {
        base = FIRST_PROBE << b->probes;
        longer = 0;
    }
    /* A breaker that opens again and again doesn't probe more often for that, unless something worked in between. */
    if (b->trouble.active && b->quick == QUICK_PROBES && !b->throttled)
        least = now;
    int64_t at = now + base + backoff_full_jitter(random, longer, base, PROBE_CAP);
    b->probe_at = at > least ? at : least;
}

static void plan_extra(struct breaker *b, int64_t at) {
    b->next_extra = b->extra_at = at;
}

static void plan_first_extra(struct breaker *b, int64_t now) {
    b->extra_interval = 2 * FIRST_EXTRA;
    plan_extra(b, now + FIRST_EXTRA);
}

/* When something has worked before and one message fails, it is mostly that message's fault. When a second one fails,
 * it may be an outage. */
static bool one_more_is_free(const struct breaker *b) {
    return b->has_worked && b->strangers <= 1;
}

void breaker_stranger(struct breaker *b, int64_t now) {
    bool was_free = one_more_is_free(b);
    b->strangers++;
    if (b->trouble.active && !b->stopped && was_free && !one_more_is_free(b))
        plan_first_extra(b, now);
}

bool breaker_note_cause(struct breaker *b, const char *code, char ret_before[static VERDICT_TEXT_SIZE]) {
    struct trouble *t = &b->trouble;
    bool again = !strcmp(code, t->code);
    if (!again)
        (void)snprintf(t->code, sizeof t->code, "%s", code);
    if (!t->active || !b->announced || !again || !strcmp(code, b->told))
        return false;
    memcpy(ret_before, b->told, sizeof b->told);
    memcpy(b->told, t->code, sizeof b->told);
    return true;
}

bool breaker_open(struct breaker *b, const struct breaker_failure *failure, struct random *random, int64_t now) {
    b->trouble.cause = failure->cause;
    b->kind = failure->kind;
    b->throttled = failure->kind == VERDICT_THROTTLED;
    if (b->stopped)
        return false;
    /* Only where nothing at all is admitted: not for a single throttle, nor for one while the breaker is open for
     * another reason. */
    bool suspends = b->throttled && !b->paced && failure->starved;
    b->paced = b->paced || suspends;
    if (b->trouble.active)
        return suspends;
    b->trouble.active = true;
    b->trouble.since = now;
    b->announced = false;
    plan_first_extra(b, now);
    b->announce_at = now + ANNOUNCED_AFTER;
    b->probes = 0;
    b->quick = !b->throttled && failure->worked_at > b->probed_at ? QUICK_PROBES : 1;
    plan_probe(b, random, now);
    return suspends;
}

bool breaker_close(struct breaker *b, int64_t now, struct breaker_closing *ret_closing) {
    if (!b->trouble.active)
        return false;
    *ret_closing = (struct breaker_closing){.rate_resumes = b->paced,
                                            .announced = b->announced,
                                            .seconds = (now - b->trouble.since) / MICROSECONDS,
                                            .probes = b->probes};
    b->trouble.active = b->paced = false;
    b->probe_at = b->announce_at = NEVER;
    return true;
}

bool breaker_review(struct breaker *b, const struct breaker_jobs *jobs, struct random *random, int64_t now) {
    if (b->stopped || jobs->stalled == 0)
        return false;
    /* Where something has worked since a message last failed for the first time, it is no outage: the suspects wait for
     * a success of their own kind. */
    if (!b->trouble.active && !jobs->others_go_on && !jobs->works_meanwhile)
        return true;
    /* Suspects are probed even while it is closed: other messages may never be of their kind. */
    if (b->probe_at == NEVER && jobs->probes_running == 0 && !b->looking) {
        if (!b->trouble.active)
            b->probes = 0;
        plan_probe(b, random, now);
    }
    return false;
}

bool breaker_announces(struct breaker *b) {
    if (!b->trouble.active || b->announced || b->stopped)
        return false;
    b->announced = true;
    memcpy(b->told, b->trouble.code, sizeof b->told);
    return true;
}

bool breaker_may_probe(const struct breaker *b, unsigned probes_running) {
    return !b->stopped && probes_running < PROBES_MAX && !b->looking;
}

/* Any message that works closes the breaker. Messages not tried yet come first, but every second probe is for the
 * message that failed last. Some faults pass only after a few attempts at the same message: this way they needn't be
 * made at all of them. */
bool breaker_probes_again(struct breaker *b) {
    bool again = b->trouble.active && b->probes % 2 && !b->newcomer;
    b->newcomer = false;
    return again;
}

void breaker_delay_probe(struct breaker *b, int64_t at) {
    b->probe_at = at;
}

enum breaker_probe breaker_begin_probe(struct breaker *b, const struct breaker_jobs *jobs, bool found,
                                       struct random *random, int64_t now) {
    if (!found && jobs->probes_running > 0)
        return PROBE_NONE; /* the answers of the probes under way tell what follows */
    b->probes++;
    b->probed_at = now;
    b->looking = !found && b->trouble.active && jobs->ready + jobs->stalled == 0;
    if (!b->looking && (found || b->trouble.active || jobs->stalled))
        plan_probe(b, random, now);
    return found ? PROBE_MESSAGE : b->looking ? PROBE_TABLES : PROBE_NONE;
}

bool breaker_probe_failed(struct breaker *b, enum cause cause, struct random *random, int64_t now) {
    b->trouble.cause = cause;
    if (b->stopped)
        return false;
    plan_probe(b, random, now);
    return b->probes >= ANNOUNCED_PROBES && breaker_announces(b);
}

/* No read while all certainly fail. But where one message's own fault may have opened the breaker, the verdicts of
 * others must not wait for it. */
bool breaker_takes_read(struct breaker *b, int64_t now) {
    if (!b->trouble.active)
        return true;
    if (!verdict_may_be_its_own(b->kind) || now - b->probed_at < PROBE_LEAST)
        return false;
    b->probed_at = now;
    if (b->probe_at < now + PROBE_LEAST)
        b->probe_at = now + PROBE_LEAST;
    return true;
}

void breaker_joined(struct breaker *b, int64_t now) {
    if (!b->trouble.active || b->stopped || !verdict_may_be_its_own(b->kind))
        return;
    int64_t least = b->probed_at + PROBE_LEAST, at = one_more_is_free(b) || least < now ? now : least;
    b->newcomer = true; /* it was received for its answer, so it doesn't wait for its turn */
    b->probe_at = earlier(b->probe_at, at);
}

enum receiving breaker_receiving(const struct breaker *b, bool only_suspects, bool full, bool proven, int64_t now) {
    if (b->stopped)
        return RECEIVE_NOTHING;
    if (b->trouble.active || (only_suspects && full))
        return only_suspects && (one_more_is_free(b) || now >= b->next_extra) ? RECEIVE_ONE_MORE : RECEIVE_NOTHING;
    if (!proven)
        return RECEIVE_ONE;
    return only_suspects ? RECEIVE_WHAT_FITS : RECEIVE_FREELY;
}

void breaker_extra_ended(struct breaker *b, bool failed, int64_t now) {
    bool again = failed && !b->extra_failed;
    b->extra_failed = again;
    if (again && !one_more_is_free(b) && !b->stopped && now + FIRST_EXTRA < b->next_extra)
        plan_extra(b, now + FIRST_EXTRA);
}

void breaker_received_extra(struct breaker *b, int64_t now) {
    if (one_more_is_free(b) || b->stopped)
        return;
    plan_extra(b, now + b->extra_interval);
    b->extra_interval = earlier(2 * b->extra_interval, EXTRA_INTERVAL_MAX);
}
