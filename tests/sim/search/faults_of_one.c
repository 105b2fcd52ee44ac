/* What concerns one message or one record on the way or at DynamoDB, refusals, answers of others, processes that stand,
 * tables that change. */
#include "faults_private.h"

#include "sim_dynamodb_private.h"
#include "sim_sqs_private.h"
#include "sim_worker.h"

#include <string.h>

static unsigned update_of_text(const struct faults *f, const char *text) {
    return plan_update_in(f->judge->plan, text, strlen(text));
}

/* Where on its way the call is stopped. What a receive brings is known once it was served; where a connection breaks or
 * is silent, the service may have done all the same. */
static bool on_the_way_back(const struct plan_fault *fault, enum sim_path path) {
    bool either = path == SIM_PATH_RESET || path == SIM_PATH_SILENT;
    return path >= SIM_PATHS_BEFORE || fault->kind == FAULT_PATH_RECEIVE ||
           (either && fault->amount / SIM_PATHS % 3 == 0);
}

/* What the faults of a kind do to a call with this update in it. */
static enum sim_path path_for(struct faults *f, enum fault_kind kind, unsigned update, bool executed) {
    const struct plan *p = f->judge->plan;
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *fault = &p->faults[i];
        if (!f->active[i] || fault->kind != kind || fault->target != update)
            continue;
        enum sim_path path = plan_path(fault);
        if (on_the_way_back(fault, path) != executed)
            continue;
        f->struck[i]++;
        return path;
    }
    return SIM_PATH_CLEAR;
}

static enum sim_path path_of_transaction(struct faults *f, const struct sim_call *call, bool executed) {
    const struct dynamodb_call *c = (const struct dynamodb_call *)call;
    return path_for(f, FAULT_PATH_TRANSACT, update_of_text(f, c->body), executed);
}

static enum sim_path path_of_read(struct faults *f, const struct sim_call *call, bool executed) {
    const struct dynamodb_call *c = (const struct dynamodb_call *)call;
    return path_for(f, FAULT_PATH_READ, judge_update_of_log_id(f->judge, span_of(c->body, c->body_len)), executed);
}

static enum sim_path path_of_send(struct faults *f, const struct sim_call *call, bool executed) {
    const struct sqs_call *c = (const struct sqs_call *)call;
    enum sim_path path = SIM_PATH_CLEAR;
    for (size_t i = 0; i < c->count && path == SIM_PATH_CLEAR; i++)
        path = path_for(f, FAULT_PATH_DLQ, update_of_text(f, c->sends[i]->body), executed);
    return path;
}

static enum sim_path path_of_receive(struct faults *f, const struct sim_call *call, bool executed) {
    const struct sqs_call *c = (const struct sqs_call *)call;
    enum sim_path path = SIM_PATH_CLEAR;
    for (size_t i = 0; executed && i < c->count && path == SIM_PATH_CLEAR; i++)
        path = path_for(f, FAULT_PATH_RECEIVE, update_of_text(f, c->sqs->all[c->given[i]]->body), executed);
    return path;
}

enum sim_path faults_path_of_one(struct faults *f, enum fault_operation op, const struct sim_call *call,
                                 bool executed) {
    switch (op) {
    case OP_TRANSACT: return path_of_transaction(f, call, executed);
    case OP_GET: return path_of_read(f, call, executed);
    case OP_SEND: return path_of_send(f, call, executed);
    case OP_RECEIVE: return path_of_receive(f, call, executed);
    default: return SIM_PATH_CLEAR;
    }
}

static void answer_throttled(const struct plan_fault *fault, bool audited, struct transact_result *result) {
    switch (fault->amount % 3) {
    case 0: sim_answer_cancelled(result, "ThrottlingError", audited ? "None" : NULL); break;
    case 1: sim_answer_cancelled(result, "ProvisionedThroughputExceeded", audited ? "None" : NULL); break;
    default: sim_answer_exception(result, 400, "ProvisionedThroughputExceededException"); break;
    }
}

static void answer_refused(unsigned way, bool audited, struct transact_result *result) {
    if (way % 3 == 0)
        sim_answer_exception(result, 400, "ValidationException");
    else if (way % 3 == 1 && audited)
        sim_answer_cancelled(result, "None", "ValidationError");
    else
        sim_answer_cancelled(result, "ValidationError", audited ? "None" : NULL);
}

bool faults_refuse_all(struct faults *f, const struct sim_transaction *t, struct transact_result *result) {
    const struct plan *p = f->judge->plan;
    for (unsigned i = 0; i < p->fault_count; i++)
        if (f->active[i] && p->faults[i].kind == FAULT_ALL_REFUSED) {
            f->struck[i]++;
            answer_refused(p->faults[i].amount, t->audited, result);
            return true;
        }
    return false;
}

bool faults_of_one_answer(struct faults *f, const struct sim_transaction *t, unsigned update,
                          struct transact_result *result) {
    const struct plan *p = f->judge->plan;
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *fault = &p->faults[i];
        if (!f->active[i])
            continue;
        bool hot = fault->kind == FAULT_HOT_RECORD && plan_concerns(p, fault, update);
        bool refused = fault->kind == FAULT_SOME_REFUSED && pick(&f->random, 1000) < fault->amount;
        if (!hot && !refused)
            continue;
        f->struck[i]++;
        if (hot)
            answer_throttled(fault, t->audited, result);
        else
            answer_refused(pick(&f->random, 3), t->audited, result);
        return true;
    }
    if (update == p->update_count || p->updates[update].kind != UPDATE_REFUSED)
        return false;
    answer_refused(p->updates[update].record, t->audited, result);
    return true;
}

static void set_foreign(struct faults *f, unsigned i, unsigned amount) {
    switch (amount % 4) {
    case 0: faults_set_mode(f, i, OP_TRANSACT, OP_DESCRIBE, SIM_FOREIGN); break;
    case 1: faults_set_mode(f, i, OP_RECEIVE, OP_SEND, SIM_FOREIGN); break;
    case 2: faults_set_mode(f, i, OP_TRANSACT, OP_SEND, SIM_FOREIGN); break;
    default:
        faults_set_mode(f, i, (enum fault_operation)(amount / 4 % OPS), (enum fault_operation)(amount / 4 % OPS),
                        SIM_FOREIGN);
        break;
    }
}

/* The tables are made with an index by `m`. */
static void set_indexes(struct faults *f, unsigned i, unsigned amount) {
    struct sim_dynamodb *db = &f->judge->world->dynamodb;
    struct sim_table *users = sim_dynamodb_table(db, SIM_TABLE);
    f->struck[i]++;
    if (amount % 3 == 0)
        sim_table_set_index(users, "m", KEY_STRING, false);
    else
        sim_table_set_index(users, amount % 3 == 1 ? "n" : "other", KEY_NUMBER, true);
    if (amount % 2)
        sim_table_set_index(sim_dynamodb_table(db, SIM_AUDIT_TABLE), "record_key", KEY_STRING, true);
}

void faults_of_one_apply(struct faults *f, unsigned i) {
    const struct plan_fault *fault = &f->judge->plan->faults[i];
    switch (fault->kind) {
    case FAULT_FOREIGN: set_foreign(f, i, fault->amount); break;
    case FAULT_UNDELETED: faults_set_mode(f, i, OP_REMOVE, OP_REMOVE, faults_any_mode(fault->amount)); break;
    case FAULT_INDEX: set_indexes(f, i, fault->amount); break;
    default: break; /* the hooks */
    }
}

void faults_of_one_heal(struct faults *f) {
    struct sim_dynamodb *db = &f->judge->world->dynamodb;
    struct sim_table *users = sim_dynamodb_table(db, SIM_TABLE);
    sim_table_set_index(users, "m", KEY_STRING, true);
    sim_table_set_index(users, "n", KEY_NUMBER, false);
    sim_table_set_index(users, "other", KEY_NUMBER, false);
    sim_table_set_index(sim_dynamodb_table(db, SIM_AUDIT_TABLE), "record_key", KEY_STRING, false);
}

void faults_of_one_begin(struct faults *f, unsigned i) {
    struct judge *j = f->judge;
    const struct plan_fault *fault = &j->plan->faults[i];
    int64_t until = j->world->now + fault->lasts;
    if (fault->kind != FAULT_SUSPEND)
        return;
    for (unsigned k = 0; k < j->plan->worker_count; k++) {
        struct sim_client *client = j->world->clients[k];
        if (!j->workers[k].alive || (fault->target != k && fault->target != PLAN_EVERY_WORKER) ||
            client->stands_until > until)
            continue;
        client->stands_until = until;
        f->struck[i]++;
        judge_stands(j, k, until);
    }
}
