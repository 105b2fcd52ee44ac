/* One update on its way through the applier. The message's holder (queue, stream or single message) embeds this in a
 * struct of its own. */
#pragma once

#include "call.h"
#include "keyed_queue.h"
#include "timers.h"
#include "update.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum job_state {
    JOB_OUTSIDE, /* not in the applier: not yet, or no longer */
    JOB_BLOCKED, /* an older update of the same record is under way */
    JOB_READY, /* may start */
    JOB_RUNNING, /* its transaction is in flight */
    JOB_PAUSED, /* waits for its own timer, after a conflict, a throttle, or another fault that may pass */
    JOB_STALLED, /* failed like all, or as if by its own fault: waits for a success of others, or its turn to probe */
    JOB_LOOKING, /* it was refused: a look at the tables is to tell whether they are still what they were */
    JOB_CONFIRMING, /* failed; its audit record is read before anyone hears of the failure */
    JOB_STATES
};

enum job_outcome {
    JOB_APPLIED,
    JOB_FAILED, /* update->failure says how */
    JOB_RETURN, /* to the queue, for job->return_seconds */
    JOB_SET_ASIDE /* it gets no answer, while others do: job->signature says how */
};

#define JOB_SIGNATURE_SIZE VERDICT_TEXT_SIZE

struct job {
    /* Set by the holder before applier_add(). */
    struct update *update; /* fit; owned by the holder */
    int64_t sent_at; /* wall microseconds */
    uint64_t arrival; /* order of those with the same sent_at */
    unsigned receive_count; /* ApproximateReceiveCount */
    bool known_suspect; /* it was set aside in an earlier delivery */

    /* The applier's. */
    TAILQ_ENTRY(job) in_state;
    struct place in_record; /* its place in the line of its record */
    struct call *call; /* the transaction, or the GetItem that confirms the failure */
    struct timer timer;
    struct applier *applier;
    struct buf confirm_request;
    const char *return_why;
    enum job_state state;
    unsigned return_seconds;

    /* Its attempts. */
    int64_t tried_at; /* monotonic: when the last one began */
    uint64_t started; /* the last attempt's number among the applier's; 0: none was made */
    uint64_t verdicts_at_start; /* the applier's verdicts, when the last attempt began */
    uint64_t commits_at_start; /* commits of its kind, when the last attempt began */
    uint64_t failures_at_start; /* the applier's failures, when the last attempt began */
    unsigned pauses; /* in a row, for the backoff */
    unsigned tries; /* 500s in a row that may have been a passing fault, and weren't counted */
    bool is_probe;

    /* Its failures, which may be its own fault. */
    bool weighed; /* others are known to succeed: from here on its failures are weighed against theirs */
    enum verdict_kind failed_as; /* how it failed last; VERDICT_APPLIED: it hasn't, or that has passed */
    uint64_t failed_with; /* where the last attempt failed as if by its own fault, and no verdict came in since it
                             began: the applier's verdicts + 1; else 0 */
    unsigned failures_alike; /* in a row, alike */
    unsigned row; /* weighed attempts in a row without an answer; a silent one counts as several */
    uint64_t commits_weighed, failures_weighed; /* commits of its kind, and all failures, when the weighing began */
    uint64_t commits_before; /* commits of its kind, when it first failed so; no queue: when that attempt began */
    uint64_t failures_before; /* the applier's failures, when that attempt began */
    uint64_t failed_after; /* the number of the applier's last attempt before it first failed so */
    char signature[JOB_SIGNATURE_SIZE]; /* how it failed */
    bool refused_by_changed; /* DynamoDB refused it while a table wasn't what it was at start */
    bool quotes_dynamodb; /* update->failure has a sentence of DynamoDB's; it may quote values, so it isn't logged */

    /* Its order among the updates of its record. */
    bool gave_way; /* its condition was false in the last attempt, and it has given way to an older update since */
    bool has_waited; /* since its last attempt it has waited for older updates that might come in */
    unsigned applied_then; /* how many updates its line had applied when it first gave way */
    unsigned ways_given; /* how often it gave way to older updates of its record that came in after it began */

    /* Its confirmation. */
    bool tried_anew; /* its failure is being confirmed by another try */
    unsigned confirmations; /* how often it was taken in again to be confirmed, after it had ended JOB_FAILED */
    int64_t confirmed_at; /* monotonic: when it was last found not to be applied; 0: its failure needs no further
                             confirmation */
};

TAILQ_HEAD(job_list, job);

/* Whether its last failure may be its own fault, so that it waits until another's success tells. */
static inline bool job_is_suspect(const struct job *job) {
    return job->failed_as == VERDICT_BY_ITSELF || job->failed_as == VERDICT_REFUSED_VAGUELY ||
           job->failed_as == VERDICT_NO_ANSWER;
}
