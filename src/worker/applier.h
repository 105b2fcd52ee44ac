/* Runs updates. It takes a fit update to its verdict, for the queue and for `apply` alike.
 *
 * It serialises the updates of one record, keeps to MAX_RATE and to what DynamoDB admits (adaptive_rate.h), reads
 * DynamoDB's answers (verdict.h), tells a message that fails by itself from an environment that fails for every
 * message. In the latter case it keeps all its jobs, and probes. Only this layer tries transactions again, always with
 * the same bytes. While one waits for its next try, the updates of its record wait behind it, and others go on. */
#pragma once

#include "adaptive_rate.h"
#include "breaker.h"
#include "job.h"
#include "limiter.h"
#include "look.h"
#include "platform.h"
#include "receive_budget.h"
#include "record_queue.h"
#include "trouble.h"
#include "update.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct applier_options {
    unsigned max_running; /* transactions in flight */
    unsigned max_rate; /* transactions a second; 0: no limit */
    unsigned max_attempts;
    bool can_return; /* there is a queue, which delivers a returned message again */
};

struct applier_host {
    /* Whether the message may start now: whether enough of its visibility timeout is left. Where it may not, this is
     * asked again at the next applier_turn(). */
    bool (*may_start)(void *ctx, struct job *job);
    /* Whether older messages may still come in, from receives that were sent before this message came. While they may,
     * a false condition isn't final. NULL: jobs are added in their order. */
    bool (*may_be_overtaken)(void *ctx, struct job *job);
    /* Reads the job's update again, checked against the table as it is now. False: no memory. */
    bool (*read_again)(void *ctx, struct job *job);
    /* The job is out of the applier, for good. */
    void (*ended)(void *ctx, struct job *job, enum job_outcome outcome);
    /* Something has changed that decides how much may be received. */
    void (*changed)(void *ctx);
    void *ctx;
};

struct applier {
    const struct platform *platform;
    const struct update_context *context;
    struct applier_options options;
    struct applier_host host;

    struct job_list lists[JOB_STATES];
    unsigned counts[JOB_STATES];
    struct record_queues records;
    struct limiter limiter;
    struct timer rate_timer; /* for limiter and adaptive_rate */
    struct breaker breaker;
    struct timer breaker_timer;
    unsigned probes_running;
    unsigned tried_anew; /* jobs whose failure is being confirmed by another try (they count as waiting for the DLQ) */
    bool proven; /* DynamoDB has given a verdict since the start, or since the breaker closed without one */
    bool stopping; /* nothing more is started */
    struct trouble confirming; /* active: verdicts cannot be confirmed, and the log has said so */
    uint64_t arrivals; /* of jobs */
    uint64_t verdicts; /* answers of a DynamoDB that works */
    int64_t verdict_at; /* monotonic: the last of them, or the start */
    uint64_t verdicts_at_own_failure; /* `verdicts`, when a message last failed by itself for the first time */
    uint64_t attempts; /* transactions started */
    uint64_t commits[2]; /* by kind ([audited]) */
    uint64_t failures; /* answers that don't show a DynamoDB that works */
    uint64_t succeeded[2]; /* by kind ([audited]): the number of the latest attempt that has committed */
    struct verdict last_own; /* the last failure of a suspect: the cause, where the breaker opens over suspects; its
                                texts are absent */
    /* The last members are large and hardly used, and initialise themselves. */
    struct adaptive_rate adaptive_rate;
    struct look look;
};

/* platform, context and facts are borrowed. */
void applier_init(struct applier *e, const struct platform *platform, const struct update_context *context,
                  const struct applier_options *options, const struct discovery_facts *facts,
                  const struct applier_host *host);
/* All jobs must be out. */
void applier_done(struct applier *e);

/* Takes a job in; it may start at the next applier_turn(). False: no memory. */
MUST_USE bool applier_add(struct applier *e, struct job *job);
/* Takes in again a job that ended JOB_FAILED, to confirm its failure anew: an audited one by a read of its audit
 * record, another one by another try, for which its update must be fit. `ended` follows as after the first time. False:
 * no memory. */
MUST_USE bool applier_confirm_again(struct applier *e, struct job *job);
/* Starts what may start. */
void applier_turn(struct applier *e);
/* Takes a job out, whatever its state. A call under way is abandoned, but may still have its effect. No `ended`
 * follows. */
void applier_withdraw(struct applier *e, struct job *job);
/* Nothing more is started from now on; transactions in flight go on. */
void applier_stop(struct applier *e);
/* Changes the limits; transactions in flight go on. */
void applier_set_limits(struct applier *e, unsigned max_running, unsigned max_rate, unsigned max_attempts);

/* What may be received now. full: there is no room for one more message. */
enum receiving applier_receiving(const struct applier *e, bool full);
/* How many messages that are ready or running are of use; 0: any number. While it isn't known how much DynamoDB admits,
 * few may run: more than as many again would only wait with us, where they could as well wait on the queue. */
unsigned applier_begun_most(const struct applier *e);
/* Transactions a second that are possible now, by MAX_RATE and by what DynamoDB admits; 0: no bound is known. */
unsigned applier_rate(const struct applier *e);
/* One more message was asked for under RECEIVE_ONE_MORE: the next one may come only after a while. */
void applier_received_extra(struct applier *e);
/* That receive has ended. failed: without an answer that could be used. */
void applier_extra_ended(struct applier *e, bool failed);
/* Jobs inside. */
unsigned applier_count(const struct applier *e);
/* Jobs that wait because their verdict can't be confirmed, or their refusal can't be judged, for now. They count as
 * waiting for the DLQ. */
unsigned applier_unconfirmed(const struct applier *e);
/* Where jobs wait that failed as if by their own fault, and the breaker is closed: when DynamoDB last answered as one
 * that works, or the start. NEVER: none wait so. */
int64_t applier_suspects_since(const struct applier *e);
/* Whether every job inside failed as if by its own fault, at least twice alike, and nothing else is under way. */
bool applier_only_stubborn(const struct applier *e);
/* The number of a job that comes in now. It gives the order of two that were sent in the same moment. */
uint64_t applier_next_arrival(struct applier *e);
/* Whether any job is ready, paused or running, other than probes. */
bool applier_is_busy(const struct applier *e);
/* Whether DynamoDB, or the confirming of verdicts, has failed ever since then (monotonic). */
bool applier_is_lost(const struct applier *e, int64_t since, struct lost_cause *ret_lost);
