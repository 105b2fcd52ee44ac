/* Between the files of a run. */
#pragma once

#include "faults.h"
#include "run.h"
#include "sim_worker.h"

struct slot { /* of a worker, through all its lives */
    struct run *run;
    unsigned index;
    struct sim_worker sim;
    struct sim_client client;
    struct watch watch;
    struct timer timer; /* starts it (again) */
    bool alive, stopping;
    int64_t stop_by; /* when it must have ended */
    int64_t restart; /* after its end; < 0: not */
};

struct part { /* of the plan, at its time */
    struct run *run;
    unsigned index;
    struct timer timer, over;
};

struct run {
    const struct plan *plan;
    struct trace trace;
    struct world world;
    struct judge judge;
    struct faults faults;
    struct slot slots[PLAN_WORKERS_MAX];
    struct part messages[PLAN_MESSAGES_MAX], fault_parts[PLAN_FAULTS_MAX], events[PLAN_EVENTS_MAX],
        recoveries[PLAN_FAULTS_MAX];
    unsigned armed[PLAN_EVENTS_MAX]; /* steps until an event happens; 0: it is not its time */
    struct timer quiet_timer, feed_timer, beside_timer;
    int64_t began_at, quiet_at;
    bool may_stay; /* its messages needn't end: see allow_for_poison() */
    bool quiet, ended;
    int64_t give_up_at;
    uint64_t rate_marks[4];
};

/* run_workers.c */
void slots_init(struct run *r);
void slot_start(struct slot *s);
void slot_stop(struct slot *s, int64_t restart, bool twice);
void slot_kill(struct slot *s, int64_t restart);
/* After each step: those that have ended, and those that should have. */
void slots_review(struct run *r);
/* Whether none of them stops or holds more than so many messages. */
bool slots_idle(const struct run *r, unsigned left);
/* run_steady.c: a backlog, and its rate. */
void steady_run(struct run *r);
/* Keeps so many messages, of which nothing is wrong, on the queue. */
void run_feed(struct run *r, bool audited);
