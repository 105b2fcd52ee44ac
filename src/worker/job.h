/* One update on its way through the applier. Whoever holds the message (queue or stream) embeds this in what it knows
 * besides. */
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
    JOB_OUTSIDE, /* not in the applier: not yet, or not any more */
    JOB_BLOCKED, /* an older update of the same record is under way */
    JOB_READY, /* may start */
    JOB_RUNNING, /* its transaction is in flight */
    JOB_PAUSED, /* a conflict, a throttle, a fault that is over: waits for its own timer */
    JOB_STALLED, /* failed with the environment, or as if by its own fault: waits for a success, or for its turn to
                  * probe
                  */
    JOB_LOOKING, /* DynamoDB refused it: are the tables still what they were? */
    JOB_CONFIRMING, /* has its verdict; its audit record is read before anyone hears of it */
    JOB_STATES
};

enum job_outcome {
    JOB_APPLIED,
    JOB_FAILED, /* update->failure says how */
    JOB_RETURN, /* to the queue, for job->return_seconds */
    JOB_SET_ASIDE /* it gets no answer, and others do: job->signature says how */
};

#define JOB_SIGNATURE_SIZE VERDICT_TEXT_SIZE

struct job {
    /* Set by the holder before applier_add(). */
    struct update *update; /* fit; owned by the holder */
    int64_t sent_at; /* wall microseconds */
    uint64_t arrival; /* ties of sent_at, in the order of arrival */
    unsigned receive_count; /* ApproximateReceiveCount */
    bool known_suspect; /* it was set aside in an earlier delivery */

    /* The applier's. */
    TAILQ_ENTRY(job) in_state;
    struct place in_record; /* the line of its record */
    struct call *call; /* transaction, or the GetItem that confirms */
    struct timer timer;
    struct applier *applier;
    struct buf confirm_request;
    const char *return_why;
    enum job_state state;
    unsigned return_seconds;

    /* Its attempts. */
    int64_t tried_at; /* monotonic: when the last one began */
    uint64_t started; /* its number among the applier's */
    uint64_t verdicts_at_start; /* of the applier, when it began */
    uint64_t commits_at_start; /* of its kind, when it began */
    uint64_t failures_at_start; /* of all, when it began */
    unsigned pauses; /* in a row, for the backoff */
    unsigned tries; /* answers in a row that may have been a passing fault, and were not acted upon */
    bool is_probe;

    /* Its failures: may they be its own? */
    bool weighed; /* others are known to succeed: from here on it is counted whether it fails alone */
    enum verdict_kind failed_as; /* the last failure, where it waits for it; VERDICT_APPLIED: none is known */
    uint64_t failed_with; /* the applier's verdicts, and one, when the last attempt failed in such a way and had begun
                             after the last of them; 0: it didn't */
    unsigned failures_alike; /* in a row, like the last one */
    unsigned row; /* weighed attempts without an answer, in a row; a long silence counts as several */
    uint64_t commits_weighed, failures_weighed; /* of its kind, and all: when the weighing began */
    uint64_t commits_before; /* of its kind, when it first failed so; without a queue, when that attempt began */
    uint64_t failures_before; /* the applier's, when that attempt began */
    uint64_t failed_after; /* the applier's last attempt before that failure */
    char signature[JOB_SIGNATURE_SIZE]; /* how it failed */
    bool refused_by_changed; /* DynamoDB refused it while a table wasn't what it was at start */
    bool quotes_dynamodb; /* update->failure has a sentence of DynamoDB's, which may quote values: not for the log */

    /* Its order among the updates of its record. */
    bool gave_way; /* since its last attempt, which the condition failed; the line's count of applied updates was: */
    bool has_waited; /* for older updates that might come in, since its last attempt */
    unsigned applied_then;
    unsigned ways_given; /* to older updates of its record that came in after it began */

    /* Its confirmation. */
    bool tried_anew; /* to be confirmed by another try */
    unsigned confirmations; /* anew, after it had ended JOB_FAILED */
    int64_t confirmed_at; /* monotonic: when it was last found not to be applied; 0: nobody needs to know */
};

TAILQ_HEAD(job_list, job);

/* Whether its last failure may be its own fault, and it waits for others' success to tell. */
static inline bool job_is_suspect(const struct job *job) {
    return job->failed_as == VERDICT_BY_ITSELF || job->failed_as == VERDICT_REFUSED_VAGUELY ||
           job->failed_as == VERDICT_NO_ANSWER;
}
