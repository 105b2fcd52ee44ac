/* A worker that is cut off while the others work: its network, its credentials, its clock. */
#include "faults_private.h"

#include "sim_worker.h"

static enum sim_path path_of_way(enum cut_way way, bool executed) {
    if (executed)
        return way == CUT_UNANSWERED ? SIM_PATH_SILENT : way == CUT_AFTER ? SIM_PATH_RESET : SIM_PATH_CLEAR;
    switch (way) {
    case CUT_UNCONNECTED: return SIM_PATH_NO_CONNECTION;
    case CUT_UNHEARD: return SIM_PATH_SILENT;
    case CUT_BEFORE: return SIM_PATH_RESET;
    case CUT_EXPIRED: return SIM_PATH_EXPIRED;
    case CUT_SKEWED: return SIM_PATH_SKEWED;
    case CUT_BOX: return SIM_PATH_UNAVAILABLE;
    case CUT_FOREIGN: return SIM_PATH_FOREIGN;
    default: return SIM_PATH_CLEAR;
    }
}

static enum sim_path path_of_machine(struct faults *f, enum fault_operation op, const struct sim_call *call,
                                     bool executed) {
    const struct plan *p = f->judge->plan;
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *fault = &p->faults[i];
        bool concerned = op <= OP_DESCRIBE ? plan_cuts_dynamodb(fault) : plan_cuts_sqs(fault);
        if (!f->active[i] || !concerned || f->judge->world->clients[fault->target] != call->client)
            continue;
        enum cut_way way = plan_cut_way(fault);
        if (way == CUT_HALF)
            way = (enum cut_way)pick(&f->random, 2 * CUT_HALF);
        enum sim_path path = path_of_way(way, executed);
        if (path == SIM_PATH_CLEAR)
            continue;
        f->struck[i]++;
        return path;
    }
    return SIM_PATH_CLEAR;
}

static enum sim_path path_of_call(void *ctx, const struct sim_call *call, bool executed) {
    struct faults *f = ctx;
    enum fault_operation op = 0;
    while (op < OP_SEND && faults_operation(f->judge->world, op) != call->operation)
        op++;
    enum sim_path path = path_of_machine(f, op, call, executed);
    return path == SIM_PATH_CLEAR ? faults_path_of_one(f, op, call, executed) : path;
}

void faults_watch_the_way(struct faults *f) {
    for (enum fault_operation op = 0; op < OPS; op++) {
        struct sim_operation *o = faults_operation(f->judge->world, op);
        o->path = path_of_call;
        o->path_ctx = f;
    }
}
