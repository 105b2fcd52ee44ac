/* What follows from a failure that may be the message's own fault. It waits until another's success tells, and is then
 * given back, set aside, or failed. */
#include "applier_private.h"

#include "poison.h"

#include <stdio.h>
#include <string.h>

static const unsigned FAILURES_WEIGHT = 8; /* so many successes are needed for each failure of another */
static const unsigned OWN_TRIES = 4; /* as the AWS SDKs make them */
static const unsigned GIVE_BACK_DELAY = 30; /* seconds, for one that failed by itself with deliveries left */
static const int64_t SILENCE = 5 * MICROSECONDS; /* an attempt without an answer that took this long counts as silent */
static const unsigned SILENT_WEIGHT = 3; /* a silent attempt counts as so many failures: it is rarely chance */

/* It failed twice the same way, and another of its kind succeeded in between: it is the message's own fault. */
static void failed_alone(struct applier *e, struct job *job, const struct verdict *v) {
    if (e->options.can_return && job->receive_count < e->options.max_attempts) {
        job->return_seconds = GIVE_BACK_DELAY;
        job->return_why = "It fails by itself, and has deliveries left";
        applier_end(e, job, JOB_RETURN);
        return;
    }
    failure_database(&job->update->failure, v->code);
    applier_fail(e, job, true);
}

/* It gets no answer, and others do: it comes again later, ever more rarely. No verdict of DynamoDB's is known, so it
 * never goes to the DLQ for this. */
static void set_aside(struct applier *e, struct job *job, bool silent) {
    if (e->options.can_return) {
        applier_end(e, job, JOB_SET_ASIDE);
        return;
    }
    failure_unanswered(&job->update->failure, silent ? SPAN("Timeout") : SPAN("ConnectionError"),
                       span_cstr(job->signature));
    applier_fail(e, job, false);
}

/* Whether another of its kind has succeeded that began after this one first failed. One that was under way then may
 * have succeeded just before an outage began. */
static bool worked_since(const struct applier *e, const struct job *job) {
    return e->succeeded[job->update->audited] > job->failed_after;
}

/* Whether others of its kind succeeded while it failed twice, and next to none failed (when an outage begins, most do).
 * This decides where there is no queue: all may have begun together, and no more may come. With a queue, a message
 * waits for a success that began later, since the last successes before an outage may be heard of during it. */
static bool failed_among_successes(const struct applier *e, const struct job *job) {
    uint64_t successes = e->commits[job->update->audited] - job->commits_before;
    uint64_t own = job->failures_alike + 1;
    uint64_t others = e->failures - job->failures_before - own;
    return others * FAILURES_WEIGHT < successes;
}

/* Whether it failed the same way as before, that is, with the same text. Two failures without an answer are always
 * alike. */
static bool is_alike(const struct job *job, const struct verdict *v, const char *signature) {
    if (job->failures_alike == 0 || (job->failed_as != v->kind && job->failed_as != VERDICT_APPLIED))
        return false;
    return v->kind == VERDICT_NO_ANSWER || !strcmp(signature, job->signature);
}

/* Notes a failure that may be its own fault. */
static void note_own_failure(struct applier *e, struct job *job, const struct verdict *v, const char *signature,
                             bool alike) {
    if (job->failed_as == VERDICT_APPLIED && !job->known_suspect)
        applier_stranger(e);
    if (!alike) {
        job->failed_after = e->attempts;
        /* With a queue, a commit that was heard of before this failure tells nothing: it may have been the last before
         * an outage. */
        job->commits_before = e->options.can_return ? e->commits[job->update->audited] : job->commits_at_start;
        job->failures_before = job->failures_at_start;
        job->failures_alike = 0;
        /* Without a queue all may have begun together, and none may begin later whose success could tell. */
        job->weighed = !e->options.can_return;
        job->row = 0;
        job->commits_weighed = job->commits_before;
        job->failures_weighed = job->failures_before;
        e->verdicts_at_own_failure = e->verdicts;
    }
    memcpy(job->signature, signature, sizeof job->signature);
    job->failures_alike++;
    job->failed_as = v->kind;
}

/* It waits until another's success tells. */
static void stall_suspect(struct applier *e, struct job *job, const struct verdict *v, bool alike) {
    e->last_own = (struct verdict){.kind = v->kind, .cause = v->cause};
    e->breaker.kind = v->kind; /* also where something else opened the breaker */
    job_enter(job, JOB_STALLED);
    /* One that failed alike before, or while others succeeded, doesn't open the breaker. */
    if (!alike && e->verdicts == job->verdicts_at_start)
        applier_open_breaker(e, &e->last_own);
    applier_review_breaker(e);
}

/* Others succeed, or did so lately: it is tried again by itself. Its failure may be the one that shows that nothing
 * succeeds any more. */
static void retry_suspect(struct applier *e, struct job *job) {
    applier_retry_later(e, job);
    applier_review_breaker(e);
}

/* Failures during an outage don't count once it is over: neither this message's nor those of others. */
void applier_weigh(struct applier *e, struct job *job) {
    if (job->weighed || !worked_since(e, job))
        return;
    job->weighed = true;
    job->row = 0;
    job->commits_weighed = e->commits[job->update->audited] - 1; /* the success that tells */
    job->failures_weighed = e->failures;
}

/* No answer of DynamoDB's about it came back. */
void applier_got_no_answer(struct applier *e, struct job *job, const struct verdict *v) {
    bool silent = v->status == 0 && clock_monotonic(e->platform->clock) - job->tried_at >= SILENCE;
    char signature[JOB_SIGNATURE_SIZE];
    verdict_describe(v, signature);
    bool alike = is_alike(job, v, signature);
    note_own_failure(e, job, v, signature, alike);
    job->failures_weighed += job->weighed; /* so that only those of others are counted as theirs */
    job->row += !job->weighed ? 0 : silent ? SILENT_WEIGHT : 1;
    struct poison_evidence evidence = {.failures = job->row,
                                       .known = job->known_suspect,
                                       .successes = e->commits[job->update->audited] - job->commits_weighed,
                                       .other_failures = e->failures - job->failures_weighed};
    bool others_work = !e->breaker.trouble.active && (worked_since(e, job) || e->verdicts > job->verdicts_at_start);
    if (!e->breaker.trouble.active && job->weighed && poison_is_alone(&evidence))
        set_aside(e, job, silent);
    else if (others_work)
        retry_suspect(e, job);
    else
        stall_suspect(e, job, v, alike);
}

void applier_failed_by_itself(struct applier *e, struct job *job, const struct verdict *v) {
    char signature[JOB_SIGNATURE_SIZE];
    verdict_describe(v, signature);
    bool alike = is_alike(job, v, signature);
    /* A refusal stays the same however often one asks. It needs no success that began later, as long as next to no
     * others fail. */
    bool at_once = !e->options.can_return || (v->kind == VERDICT_REFUSED_VAGUELY && !e->breaker.trouble.active);
    bool others_succeed = worked_since(e, job) || (at_once && failed_among_successes(e, job));
    if (!alike || !others_succeed) {
        note_own_failure(e, job, v, signature, alike);
        stall_suspect(e, job, v, alike);
    } else if (v->kind == VERDICT_REFUSED_VAGUELY) {
        applier_refused(e, job, v);
    } else {
        failed_alone(e, job, v);
    }
}

/* A 500 among successes is mostly over at the next attempt. It counts only where several attempts in a row end so, the
 * second time as well. */
void applier_failed_perhaps_by_itself(struct applier *e, struct job *job, const struct verdict *v,
                                      const struct call_result *result) {
    bool others_work = e->verdicts > job->verdicts_at_start || (job->failures_alike > 0 && worked_since(e, job));
    if (result->class == CALL_RETRY && others_work && ++job->tries < OWN_TRIES) {
        char signature[JOB_SIGNATURE_SIZE];
        verdict_describe(v, signature);
        if (strcmp(signature, job->signature) != 0)
            job->failures_alike = 0; /* it failed in another way in between: failures alike are counted anew */
        retry_suspect(e, job);
        return;
    }
    job->tries = 0;
    applier_failed_by_itself(e, job, v);
}

/* Another of its kind succeeded: those that failed by themselves get the attempt that tells. */
void applier_wake_suspects(struct applier *e, bool audited) {
    struct job *next;
    for (struct job *job = TAILQ_FIRST(&e->lists[JOB_STALLED]); job; job = next) {
        next = TAILQ_NEXT(job, in_state);
        if (job_is_suspect(job) && job->update->audited == audited && worked_since(e, job))
            job_enter(job, JOB_READY);
    }
}
