/* The faults of a plan, as the simulated services have them while they last. Where two concern the same thing, the
 * later one counts. */
#pragma once

#include "watch.h"

enum fault_operation { OP_TRANSACT, OP_GET, OP_PUT, OP_DESCRIBE, OP_RECEIVE, OP_REMOVE, OP_CHANGE, OP_SEND, OPS };

struct faults {
    struct judge *judge;
    struct random random;
    bool active[PLAN_FAULTS_MAX];
    uint64_t struck[PLAN_FAULTS_MAX];
    struct watch_faults seen, counted;
    /* By operation: whose mode, lost requests, lost answers are in force (-1: nobody's), and what was counted of them.
     */
    int mode_by[OPS], requests_by[OPS], answers_by[OPS];
    uint64_t refused[OPS], requests_lost[OPS], answers_lost[OPS];
};

void faults_init(struct faults *f, struct judge *j);
void faults_begin(struct faults *f, unsigned i);
void faults_end(struct faults *f, unsigned i);
/* Strikes so far, up to date. */
void faults_count(struct faults *f);
