/* What follows from a failure that may be the message's own: it waits for others' success to tell, and is then given
 * back, set aside, or judged. */
#include "applier_private.h"

#include "poison.h"

#include <stdio.h>
#include <string.h>

static const unsigned FAILURES_WEIGHT = 8; /* successes that one other failure outweighs */
static const unsigned OWN_TRIES = 4; /* as the AWS SDKs make them */
static const unsigned GIVE_BACK_DELAY = 30; /* seconds, for one that failed by itself with deliveries left */
static const int64_t SILENCE = 5 * MICROSECONDS; /* an attempt without an answer that took as long was one of silence */
static const unsigned SILENT_WEIGHT = 3; /* failures in a row that a silence counts as: it is rarely a chance */

/* Failed twice the same way while another of its kind succeeded in between: it is the message. */
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

/* It gets no answer, and others do: it comes again later, and ever more rarely. Nothing of it is a verdict: it never
 * goes to the DLQ for it. */
static void set_aside(struct applier *e, struct job *job, bool silent) {
    if (e->options.can_return) {
        applier_end(e, job, JOB_SET_ASIDE);
        return;
    }
    failure_unanswered(&job->update->failure, silent ? SPAN("Timeout") : SPAN("ConnectionError"),
                       span_cstr(job->signature));
    applier_fail(e, job, false);
}

/* Whether another of its kind has succeeded since it first failed: one begun after that. Those that were under way then
 * may just have been before the beginning of an outage. */
static bool worked_since(const struct applier *e, const struct job *job) {
    return e->succeeded[job->update->audited] > job->failed_after;
}

/* Whether others of its kind succeeded while it failed twice, and next to none failed: at the beginning of an outage
 * most do. It is what tells where all were begun together and no more will come: without a queue. Where there is one, a
 * message waits for a success begun later: the last successes before an outage are heard of in it. */
static bool failed_among_successes(const struct applier *e, const struct job *job) {
    uint64_t successes = e->commits[job->update->audited] - job->commits_before;
    uint64_t own = job->failures_alike + 1;
    uint64_t others = e->failures - job->failures_before - own;
    return others * FAILURES_WEIGHT < successes;
}

/* Whether it failed as it did before: twice the same way is twice the same text; on the way to DynamoDB and back
 * anything is the same way. */
static bool is_alike(const struct job *job, const struct verdict *v, const char *signature) {
    if (job->failures_alike == 0 || (job->failed_as != v->kind && job->failed_as != VERDICT_APPLIED))
        return false;
    return v->kind == VERDICT_NO_ANSWER || !strcmp(signature, job->signature);
}

/* Notes a failure that may be its own. */
static void note_own_failure(struct applier *e, struct job *job, const struct verdict *v, const char *signature,
                             bool alike) {
    if (job->failed_as == VERDICT_APPLIED && !job->known_suspect)
        applier_stranger(e);
    if (!alike) {
        job->failed_after = e->attempts;
        /* Where others come, a commit that was heard of before tells nothing: it may have been the last one. */
        job->commits_before = e->options.can_return ? e->commits[job->update->audited] : job->commits_at_start;
        job->failures_before = job->failures_at_start;
        job->failures_alike = 0;
        /* Without a queue all may have begun together, and none will begin later that could tell. */
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

/* It waits for others' success to tell. */
static void stall_suspect(struct applier *e, struct job *job, const struct verdict *v, bool alike) {
    e->last_own = (struct verdict){.kind = v->kind, .cause = v->cause};
    e->breaker.kind = v->kind; /* whatever opened the breaker, where it is open */
    job_enter(job, JOB_STALLED);
    /* Known suspects, and one that failed while others succeeded, stop nobody. */
    if (!alike && e->verdicts == job->verdicts_at_start)
        applier_open_breaker(e, &e->last_own);
    applier_review_breaker(e);
}

/* Others work, or did so lately: it is tried again by itself. It may be the last whose failure shows that they don't
 * any more. */
static void retry_suspect(struct applier *e, struct job *job) {
    applier_retry_later(e, job);
    applier_review_breaker(e);
}

/* What failed in an outage counts for nothing when it is over: not the message's failures, nor the others'. */
void applier_weigh(struct applier *e, struct job *job) {
    if (job->weighed || !worked_since(e, job))
        return;
    job->weighed = true;
    job->row = 0;
    job->commits_weighed = e->commits[job->update->audited] - 1; /* the one that tells */
    job->failures_weighed = e->failures;
}

/* Nothing came back that DynamoDB says of it. */
void applier_got_no_answer(struct applier *e, struct job *job, const struct verdict *v) {
    bool silent = v->status == 0 && clock_monotonic(e->platform->clock) - job->tried_at >= SILENCE;
    char signature[JOB_SIGNATURE_SIZE];
    verdict_describe(v, signature);
    bool alike = is_alike(job, v, signature);
    note_own_failure(e, job, v, signature, alike);
    job->failures_weighed += job->weighed; /* the others' are counted */
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
    /* A refusal is the same however often it is asked: it needs no success that was begun later, as long as next to
     * nobody else is refused. */
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

/* A 500 among successes is mostly over at the next attempt: it counts only where it lasts, the second time as well. */
void applier_failed_perhaps_by_itself(struct applier *e, struct job *job, const struct verdict *v,
                                      const struct call_result *result) {
    bool others_work = e->verdicts > job->verdicts_at_start || (job->failures_alike > 0 && worked_since(e, job));
    if (result->class == CALL_RETRY && others_work && ++job->tries < OWN_TRIES) {
        char signature[JOB_SIGNATURE_SIZE];
        verdict_describe(v, signature);
        if (strcmp(signature, job->signature) != 0)
            job->failures_alike = 0; /* what failed before and fails again after this isn't the same way */
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
