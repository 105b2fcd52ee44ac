/* When the environment fails for everyone, or seems to: nothing is started but probes, what is held is kept, and one
 * probe at a time finds the end of it. Where it may be the held messages' own fault, one further message is received
 * now and then: its success tells. */
#include "engine_private.h"

#include "backoff.h"

#include <stdio.h>
#include <string.h>

static const int64_t FIRST_PROBE = 50 * MILLISECOND; /* most holds are one lost connection */
static const int64_t PROBE_LEAST = MICROSECONDS; /* between two probes */
static const int64_t PROBE_CAP = 14 * MICROSECONDS;
static const unsigned QUICK_PROBES =
    3; /* of a hold after something worked, as the SDKs try again: it may be no more than some lost answers */
static const unsigned EARLY_PROBES = 7; /* these are as close together as may be */
static const unsigned PROBES_MAX = 4; /* at once: one without an answer doesn't keep the others waiting */
/* What is held goes on after this, all at once: one by one, the first that fails would hold the rest again. And not
 * before: when an outage begins, successes from before it still come in between the failures. */
static const int64_t RELEASED_AFTER = 50 * MILLISECOND;
static const int64_t FIRST_EXTRA = 5 * MICROSECONDS, EXTRA_INTERVAL_MAX = 60 * MICROSECONDS;
static const unsigned ANNOUNCED_PROBES = 5;
static const int64_t ANNOUNCED_AFTER = 5 * MICROSECONDS;

static void schedule_probe(struct engine *e) {
    struct hold *h = &e->hold;
    int64_t now = clock_monotonic(e->ports->clock), base = PROBE_LEAST, least = h->probed_at + PROBE_LEAST;
    unsigned early = h->throttled ? 0 : EARLY_PROBES, longer = h->probes > early ? h->probes - early : 0;
    if (h->active && h->probes < h->quick && (h->probes == 0 || !h->throttled)) {
        base = FIRST_PROBE << h->probes;
        longer = 0;
    }
    /* Holds that come and go have probes no more often for it, unless something has worked in between. */
    if (h->active && h->quick == QUICK_PROBES && !h->throttled)
        least = now;
    int64_t at = now + base + backoff_full_jitter(e->ports->random, longer, base, PROBE_CAP);
    timer_start(e->ports->timers, &h->probe_timer, at > least ? at : least);
}

static struct job *first_that_may_start(struct engine *e, enum job_state state) {
    struct job *job;
    TAILQ_FOREACH(job, &e->lists[state], in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

/* The last that failed. */
static struct job *last_failed(struct engine *e) {
    struct job *job;
    TAILQ_FOREACH_REVERSE(job, &e->lists[JOB_HELD], job_list, in_state) {
        if (e->host.may_start(e->host.ctx, job))
            return job;
    }
    return NULL;
}

/* One that works ends a hold. Those not tried yet come first, but every other probe is for the same message again:
 * where a fault passes after a few attempts at each, that finds its end without a few for all of them. */
static struct job *next_probe(struct engine *e) {
    bool again = e->hold.active && e->hold.probes % 2 && !e->hold.newcomer;
    e->hold.newcomer = false;
    struct job *job = again ? last_failed(e) : NULL;
    if (!job && e->hold.active)
        job = first_that_may_start(e, JOB_READY);
    return job ? job : first_that_may_start(e, JOB_HELD);
}

static void on_probe_timer(void *user) {
    struct engine *e = user;
    int64_t now = clock_monotonic(e->ports->clock), wait = 0;
    if (e->stopping || e->probes_running >= PROBES_MAX || e->hold.describing)
        return; /* its answer goes on */
    struct job *job = next_probe(e);
    if (!job && e->probes_running > 0)
        return;
    if (job && !limiter_take(&e->limiter, now, &wait)) {
        timer_start(e->ports->timers, &e->hold.probe_timer, now + wait);
        return;
    }
    e->hold.probes++;
    e->hold.probed_at = now;
    if (job) {
        engine_start(e, job, true);
        schedule_probe(e);
    } else if (e->hold.active && e->counts[JOB_READY] + e->counts[JOB_HELD] == 0) {
        e->hold.describing = true;
        look_begin(&e->look, true);
    } else if (e->hold.active || e->counts[JOB_HELD]) {
        schedule_probe(e);
    }
    e->host.changed(e->host.ctx);
}

static void announce(struct engine *e) {
    struct hold *h = &e->hold;
    h->announced = true;
    memcpy(h->told, h->cause, sizeof h->told);
    if (verdict_may_be_its_own(h->why.kind) && !h->paced)
        LOG_EVENT(e->ports->log, LOG_LEVEL_WARNING,
                  e->options.can_give_back ? "Holding: every message held fails, and nothing else succeeds that would "
                                             "tell whether it is their own "
                                             "fault; one more is received now and then"
                                           : "Holding: what was begun fails, and nothing else succeeds that would tell "
                                             "whether it is its own fault",
                  LOG_I("messages", engine_count(e)), LOG_C("failure", h->cause));
    else
        LOG_EVENT(
            e->ports->log, LOG_LEVEL_WARNING,
            e->options.can_give_back
                ? "Holding: DynamoDB fails for everyone; receiving has stopped, and nothing goes to the DLQ for it"
                : "Holding: DynamoDB fails for everyone; what was begun waits, and nothing more is begun",
            LOG_I("messages", engine_count(e)), LOG_C("code", h->cause),
            LOG_C("kind", h->throttled ? "throttled" : "environment"));
}

static void on_announce_timer(void *user) {
    struct engine *e = user;
    if (e->hold.active && !e->hold.announced)
        announce(e);
}

/* The time for one more message has come: whoever receives asks. */
static void on_extra_timer(void *user) {
    struct engine *e = user;
    e->host.changed(e->host.ctx);
}

void hold_init(struct engine *e) {
    timer_init(&e->hold.probe_timer, on_probe_timer, e);
    timer_init(&e->hold.announce_timer, on_announce_timer, e);
    timer_init(&e->hold.extra_timer, on_extra_timer, e);
    e->hold.probed_at = clock_monotonic(e->ports->clock) - PROBE_LEAST;
}

void hold_stop(struct engine *e) {
    timer_stop(e->ports->timers, &e->hold.probe_timer);
    timer_stop(e->ports->timers, &e->hold.announce_timer);
    timer_stop(e->ports->timers, &e->hold.extra_timer);
}

/* Notes why it fails now. Where that has changed, the log says so, once it has failed so twice in a row: causes that
 * take turns are one trouble. */
void hold_note_cause(struct engine *e, const struct verdict *why) {
    struct hold *h = &e->hold;
    char cause[VERDICT_TEXT_SIZE];
    verdict_describe(why, cause);
    bool again = !strcmp(cause, h->cause);
    memcpy(h->cause, cause, sizeof h->cause);
    if (!h->active || !h->announced || !again || !strcmp(cause, h->told))
        return;
    LOG_EVENT(e->ports->log, LOG_LEVEL_WARNING, "Holding: the cause has changed", LOG_C("code", cause),
              LOG_C("before", h->told), LOG_I("seconds", (clock_monotonic(e->ports->clock) - h->since) / MICROSECONDS));
    memcpy(h->told, cause, sizeof h->told);
}

static void plan_extra(struct engine *e, int64_t at) {
    e->hold.next_extra = at;
    timer_start(e->ports->timers, &e->hold.extra_timer, at);
}

static void plan_first_extra(struct engine *e) {
    e->hold.extra_interval = 2 * FIRST_EXTRA;
    plan_extra(e, clock_monotonic(e->ports->clock) + FIRST_EXTRA);
}

/* After something has worked, one message that fails is mostly that message; when a second one fails, it may be an
 * outage. */
static bool one_more_is_free(const struct engine *e) {
    return e->verdicts > 0 && e->strangers <= 1;
}

void hold_stranger(struct engine *e) {
    bool was_free = one_more_is_free(e);
    e->strangers++;
    if (e->hold.active && was_free && !one_more_is_free(e))
        plan_first_extra(e);
}

/* Not while it is certain that all fail. But what one message's own failure holds up may not keep the verdicts of
 * others. */
bool hold_takes_read(struct engine *e) {
    struct hold *h = &e->hold;
    int64_t now = clock_monotonic(e->ports->clock);
    if (!h->active)
        return true;
    if (!verdict_may_be_its_own(h->why.kind) || now - h->probed_at < PROBE_LEAST)
        return false;
    h->probed_at = now;
    if (h->probe_timer.running && h->probe_timer.due < now + PROBE_LEAST)
        timer_start(e->ports->timers, &h->probe_timer, now + PROBE_LEAST);
    return true;
}

void hold_joined(struct engine *e) {
    struct hold *h = &e->hold;
    if (!h->active || e->stopping || !verdict_may_be_its_own(h->why.kind))
        return;
    int64_t now = clock_monotonic(e->ports->clock), least = h->probed_at + PROBE_LEAST;
    int64_t at = one_more_is_free(e) || least < now ? now : least;
    h->newcomer = true; /* it was received to tell: it doesn't wait for its turn */
    if (!h->probe_timer.running || h->probe_timer.due > at)
        timer_start(e->ports->timers, &h->probe_timer, at);
}

void hold_begin(struct engine *e, const struct verdict *why) {
    struct hold *h = &e->hold;
    h->blame = why->blame;
    h->why = (struct verdict){.kind = why->kind};
    h->throttled = why->kind == VERDICT_THROTTLED;
    if (e->stopping)
        return;
    int64_t now = clock_monotonic(e->ports->clock);
    /* Not for a throttle that came in a hold over something else, or alone. */
    if (h->throttled && !h->paced && governor_is_starved(&e->governor, now)) {
        h->paced = true;
        governor_hold(&e->governor, e->attempts, now);
    }
    if (h->active)
        return;
    h->active = true;
    h->announced = false;
    h->since = now;
    plan_first_extra(e);
    timer_start(e->ports->timers, &h->announce_timer, now + ANNOUNCED_AFTER);
    h->probes = 0;
    h->quick = !h->throttled && e->verdict_at > h->probed_at ? QUICK_PROBES : 1;
    schedule_probe(e);
    e->host.changed(e->host.ctx);
}

/* Whether something is under way or waits for something else than a probe. */
static bool others_go_on(const struct engine *e) {
    return e->counts[JOB_READY] || e->counts[JOB_RUNNING] > e->probes_running || e->counts[JOB_PAUSED] ||
           e->counts[JOB_LOOKING] + e->counts[JOB_CONFIRMING] > engine_unconfirmed(e);
}

void hold_review(struct engine *e) {
    if (e->stopping)
        return;
    /* Where something has worked since the last of them first failed, it is no outage: they wait for a success of their
     * own kind. */
    if (!e->hold.active && e->counts[JOB_HELD] && !others_go_on(e) && e->verdicts == e->verdicts_at_own_failure)
        hold_begin(e, &e->last_own);
    /* Suspects are probed also where there is no hold: others may never be of their kind. */
    if (e->counts[JOB_HELD] && !e->hold.probe_timer.running && e->probes_running == 0 && !e->hold.describing) {
        if (!e->hold.active)
            e->hold.probes = 0;
        schedule_probe(e);
    }
}

void hold_end(struct engine *e) {
    struct hold *h = &e->hold;
    if (!h->active)
        return;
    h->active = false;
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_HELD]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (!job_is_suspect(job))
            engine_retry_in(e, job, RELEASED_AFTER);
    }
    int64_t now = clock_monotonic(e->ports->clock);
    if (h->paced)
        governor_resume(&e->governor, e->attempts, now);
    h->paced = false;
    timer_stop(e->ports->timers, &h->probe_timer);
    timer_stop(e->ports->timers, &h->announce_timer);
    if (h->announced)
        LOG_EVENT(e->ports->log, LOG_LEVEL_INFO, "DynamoDB works again; going on",
                  LOG_I("seconds", (now - h->since) / MICROSECONDS), LOG_I("probes", h->probes));
    hold_review(e);
    e->host.changed(e->host.ctx);
}

void hold_probe_failed(struct engine *e, enum exit_code blame) {
    struct hold *h = &e->hold;
    h->blame = blame;
    if (e->stopping)
        return;
    if (h->active && !h->announced && h->probes >= ANNOUNCED_PROBES)
        announce(e);
    schedule_probe(e);
}

void hold_looked(struct engine *e, enum look_outcome outcome, const struct call_result *result) {
    if (!e->hold.describing)
        return;
    e->hold.describing = false;
    bool both_there = outcome == LOOK_SAME || (outcome == LOOK_CHANGED && result->class == CALL_OK);
    if (both_there) {
        e->proven = false; /* described is not yet written: one message first */
        hold_end(e);
    } else {
        struct verdict v = verdict_of_call(result);
        hold_note_cause(e, &v);
        hold_probe_failed(e, outcome == LOOK_CHANGED ? EXIT_SETTINGS : v.blame);
    }
}

static bool may_be_its_own(const struct job *job) {
    return verdict_may_be_its_own(job->failed_as);
}

/* It fails for good, as far as it can be told. */
static bool is_stubborn(const struct job *job) {
    return job->failed_as == VERDICT_BY_ITSELF && job->failures_alike >= 2;
}

/* Whether all that is inside failed in such a way; BLOCKED ones stand behind such. What waits for its confirmation has
 * its verdict, and doesn't count. */
static bool all_failed(const struct engine *e, bool (*so)(const struct job *job)) {
    const struct job *job;
    static const enum job_state states[] = {JOB_HELD, JOB_RUNNING};
    if (e->counts[JOB_HELD] + e->probes_running == 0 || others_go_on(e))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        TAILQ_FOREACH(job, &e->lists[states[i]], in_state) {
            if (!so(job))
                return false;
        }
    return true;
}

bool engine_only_stubborn(const struct engine *e) {
    return all_failed(e, is_stubborn) && engine_unconfirmed(e) == 0;
}

enum receiving engine_receiving(const struct engine *e, bool full) {
    if (e->stopping)
        return RECEIVE_NOTHING;
    bool only_suspects = all_failed(e, may_be_its_own);
    if (e->hold.active || (only_suspects && full)) {
        bool may = only_suspects && (one_more_is_free(e) || clock_monotonic(e->ports->clock) >= e->hold.next_extra);
        return may ? RECEIVE_ONE_MORE : RECEIVE_NOTHING;
    }
    if (!e->proven)
        return RECEIVE_ONE;
    return only_suspects ? RECEIVE_WHAT_FITS : RECEIVE_FREELY;
}

void engine_received_extra(struct engine *e) {
    struct hold *h = &e->hold;
    if (one_more_is_free(e))
        return;
    plan_extra(e, clock_monotonic(e->ports->clock) + h->extra_interval);
    h->extra_interval = 2 * h->extra_interval < EXTRA_INTERVAL_MAX ? 2 * h->extra_interval : EXTRA_INTERVAL_MAX;
}
