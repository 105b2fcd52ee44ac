/* Runs updates: the one way from a fit update to its verdict, for the queue and for `apply` alike.
 *
 * It serialises the updates of one record, keeps to MAX_RATE and to what DynamoDB admits (adaptive_rate.h), reads
 * DynamoDB's answers (verdict.h), tells a message that fails by itself from an environment that fails for everyone, and
 * in the latter case keeps all that it has and probes. Transactions are tried again here and nowhere below, always with
 * the same bytes: a record keeps its line, others go first. */
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
    bool can_return; /* there is a queue that delivers again */
};

struct applier_host {
    /* Whether the message may start now: there is visibility enough left. A no is asked again at the next
     * applier_turn(). */
    bool (*may_start)(void *ctx, struct job *job);
    /* Whether older messages may be about to come, by what was asked for before this one came: a false condition is not
     * its end yet. NULL: jobs are added in their order. */
    bool (*may_be_overtaken)(void *ctx, struct job *job);
    /* Reads the job's update again, by the table as it is now. False: no memory. */
    bool (*read_again)(void *ctx, struct job *job);
    /* The job is out of the applier, for good. */
    void (*ended)(void *ctx, struct job *job, enum job_outcome outcome);
    /* Something that decides about receiving has changed. */
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
    struct adaptive_rate adaptive_rate;
    struct timer rate_timer; /* of both */
    struct breaker breaker;
    struct timer breaker_timer;
    unsigned probes_running;
    unsigned tried_anew; /* jobs that are being confirmed by another try (counted as waiting for the DLQ) */
    bool proven; /* DynamoDB has given a verdict since the start, or since the breaker closed without one */
    bool stopping; /* nothing more is started */
    struct trouble confirming; /* verdicts cannot be confirmed; it is in the log */
    uint64_t arrivals; /* of jobs */
    uint64_t verdicts; /* answers of a DynamoDB that works */
    int64_t verdict_at; /* monotonic: the last of them, or the start */
    uint64_t verdicts_at_own_failure; /* when a message last failed by itself for the first time */
    uint64_t attempts; /* transactions started */
    uint64_t commits[2]; /* by kind ([audited]) */
    uint64_t failures; /* answers that show no health */
    uint64_t succeeded[2]; /* by kind ([audited]): the latest attempt that has committed */
    struct verdict last_own; /* the last failure of a suspect: what a breaker that opens over such is blamed on; its
                                texts are absent */
    struct look look; /* last, as it is large and hardly used */
};

/* platform, context and facts are borrowed. */
void applier_init(struct applier *e, const struct platform *platform, const struct update_context *context,
                  const struct applier_options *options, const struct discovery_facts *facts,
                  const struct applier_host *host);
/* All jobs must be out. */
void applier_done(struct applier *e);

/* Takes a job in; it starts at the next applier_turn(). False: no memory. */
MUST_USE bool applier_add(struct applier *e, struct job *job);
/* Takes a job in again that ended JOB_FAILED, to be confirmed anew: audited by a read, else by another try, for which
 * its update must be fit. `ended` follows as after the first time. False: no memory. */
MUST_USE bool applier_confirm_again(struct applier *e, struct job *job);
/* Starts what may start. */
void applier_turn(struct applier *e);
/* Takes a job out, whatever it does; a call of its is abandoned (its effect may still come about). No `ended` follows.
 */
void applier_withdraw(struct applier *e, struct job *job);
/* Nothing more is started from now on; what runs goes on. */
void applier_stop(struct applier *e);
/* Other limits from now on; what runs goes on. */
void applier_set_limits(struct applier *e, unsigned max_running, unsigned max_rate, unsigned max_attempts);

/* full: there is no room for one more. */
enum receiving applier_receiving(const struct applier *e, bool full);
/* Transactions a second that are possible now, by MAX_RATE and by what DynamoDB admits; 0: no bound is known. */
unsigned applier_rate(const struct applier *e);
/* One more message was asked for in RECEIVE_ONE_MORE: the next may be a while later. */
void applier_received_extra(struct applier *e);
/* That receive has ended, and failed or not. */
void applier_extra_ended(struct applier *e, bool failed);
/* Jobs inside. */
unsigned applier_count(const struct applier *e);
/* Jobs whose verdict can't be confirmed, or a refusal judged (counted as waiting for the DLQ). */
unsigned applier_unconfirmed(const struct applier *e);
/* Since when jobs have stood by that failed as if by their own fault, without any answer of a DynamoDB that works
 * and while the breaker is closed; NEVER: none do. */
int64_t applier_suspects_since(const struct applier *e);
/* Whether all that is inside failed as if by its own fault, at least twice alike each, and nothing else is under way.
 */
bool applier_only_stubborn(const struct applier *e);
/* The number of a job that comes in now, which decides where two were sent in the same moment. */
uint64_t applier_next_arrival(struct applier *e);
/* Whether something is under way, or ready, that isn't a probe. */
bool applier_is_busy(const struct applier *e);
/* Whether the database, or what verdicts are confirmed by, has failed since then (monotonic). */
bool applier_is_lost(const struct applier *e, int64_t since, struct lost_cause *ret_lost);
