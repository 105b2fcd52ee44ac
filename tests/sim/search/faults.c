#include "faults_private.h"

#include "sim_sqs_private.h"
#include "sim_worker.h"

static const int64_t WHILE_IT_LASTS = INT64_MAX / 4;

struct sim_operation *faults_operation(struct world *w, enum fault_operation op) {
    switch (op) {
    case OP_TRANSACT: return &w->dynamodb.transact;
    case OP_GET: return &w->dynamodb.get_item;
    case OP_PUT: return &w->dynamodb.put_item;
    case OP_DESCRIBE: return &w->dynamodb.describe;
    case OP_RECEIVE: return &w->sqs.receive;
    case OP_REMOVE: return &w->sqs.remove;
    case OP_CHANGE: return &w->sqs.change;
    default: return &w->sqs.send;
    }
}

static void credit(struct faults *f, int by, uint64_t now, uint64_t *counted) {
    if (by >= 0)
        f->struck[by] += now - *counted;
    *counted = now;
}

static void credit_kind(struct faults *f, enum fault_kind kind, uint64_t now, uint64_t *counted) {
    const struct plan *p = f->judge->plan;
    for (unsigned i = 0; i < p->fault_count; i++)
        if (f->active[i] && p->faults[i].kind == kind)
            f->struck[i] += now - *counted;
}

void faults_count(struct faults *f) {
    struct world *w = f->judge->world;
    for (enum fault_operation op = 0; op < OPS; op++) {
        const struct sim_operation *o = faults_operation(w, op);
        credit(f, f->mode_by[op], o->refused, &f->refused[op]);
        credit(f, f->requests_by[op], o->requests_lost, &f->requests_lost[op]);
        credit(f, f->answers_by[op], o->answers_lost, &f->answers_lost[op]);
    }
    credit_kind(f, FAULT_DLQ, f->seen.dead_letters_failed, &f->counted.dead_letters_failed);
    credit_kind(f, FAULT_DUPLICATES, f->seen.duplicates, &f->counted.duplicates);
    credit_kind(f, FAULT_REORDER, f->seen.reorders, &f->counted.reorders);
    credit_kind(f, FAULT_ENTRIES, f->seen.failed_entries, &f->counted.failed_entries);
    credit_kind(f, FAULT_SHORT_POLLS, f->seen.short_polls, &f->counted.short_polls);
    credit_kind(f, FAULT_TABLE_MISSING, f->seen.missing_tables, &f->counted.missing_tables);
    credit_kind(f, FAULT_AUDIT_TABLE_MISSING, f->seen.missing_tables, &f->counted.missing_tables);
    credit_kind(f, FAULT_DB_SLOW, f->seen.transactions, &f->counted.transactions);
    credit_kind(f, FAULT_CLOCK, f->seen.transactions, &f->counted.transactions);
    f->counted = f->seen;
}

enum sim_mode faults_any_mode(unsigned amount) {
    static const enum sim_mode modes[] = {SIM_DOWN, SIM_SILENT, SIM_BROKEN, SIM_PROXY, SIM_THROTTLED, SIM_DENIED};
    return modes[amount % (sizeof modes / sizeof modes[0])];
}

void faults_set_mode(struct faults *f, unsigned i, enum fault_operation first, enum fault_operation last,
                     enum sim_mode mode) {
    for (enum fault_operation op = first; op <= last; op++) {
        faults_operation(f->judge->world, op)->mode = mode;
        f->mode_by[op] = (int)i;
    }
}

static void lose_answers(struct faults *f, unsigned i, enum fault_operation op, unsigned amount) {
    faults_operation(f->judge->world, op)->lost_answers = amount;
    f->answers_by[op] = (int)i;
}

static void fail_dlq(struct faults *f, unsigned amount) {
    struct sim_queue *dlq = f->judge->dlq;
    switch (amount % 5) {
    case 0: dlq->mode = SIM_DENIED; break;
    case 1: dlq->mode = SIM_THROTTLED; break;
    case 2: dlq->mode = SIM_BROKEN; break;
    case 3: dlq->exists = false; break;
    default: f->judge->world->sqs.send.mode = SIM_DOWN; break;
    }
}

static void apply_to_database(struct faults *f, unsigned i, const struct plan_fault *fault) {
    struct world *w = f->judge->world;
    enum fault_operation last = fault->amount % 2 ? OP_DESCRIBE : OP_TRANSACT;
    switch (fault->kind) {
    case FAULT_DB_UNREACHABLE:
        faults_set_mode(f, i, OP_TRANSACT, OP_DESCRIBE, fault->amount % 2 ? SIM_DOWN : SIM_SILENT);
        break;
    case FAULT_DB_BROKEN: faults_set_mode(f, i, OP_TRANSACT, last, fault->amount % 3 ? SIM_BROKEN : SIM_PROXY); break;
    case FAULT_DB_THROTTLED: faults_set_mode(f, i, OP_TRANSACT, last, SIM_THROTTLED); break;
    case FAULT_DB_DENIED: faults_set_mode(f, i, OP_TRANSACT, last, SIM_DENIED); break;
    case FAULT_CONFIRM: faults_set_mode(f, i, OP_GET, OP_GET, faults_any_mode(fault->amount)); break;
    case FAULT_DESCRIBE: faults_set_mode(f, i, OP_DESCRIBE, OP_DESCRIBE, faults_any_mode(fault->amount)); break;
    case FAULT_RECORDS: faults_set_mode(f, i, OP_PUT, OP_PUT, faults_any_mode(fault->amount)); break;
    case FAULT_TABLE_MISSING: sim_dynamodb_table(&w->dynamodb, SIM_TABLE)->exists = false; break;
    case FAULT_AUDIT_TABLE_MISSING: sim_dynamodb_table(&w->dynamodb, SIM_AUDIT_TABLE)->exists = false; break;
    case FAULT_DB_SLOW: w->dynamodb.transact.latency = (int64_t)fault->amount * SECOND; break;
    case FAULT_DB_LOST_ANSWERS: lose_answers(f, i, OP_TRANSACT, fault->amount); break;
    case FAULT_DB_LOST_REQUESTS:
        w->dynamodb.transact.lost_requests = fault->amount;
        f->requests_by[OP_TRANSACT] = (int)i;
        break;
    default: break; /* by chance: the hook */
    }
}

static void apply(struct faults *f, unsigned i) {
    struct world *w = f->judge->world;
    const struct plan_fault *fault = &f->judge->plan->faults[i];
    switch (fault->kind) {
    case FAULT_NO_CREDENTIALS: faults_set_mode(f, i, OP_TRANSACT, OP_SEND, SIM_EXPIRED); break;
    case FAULT_SQS_OUT: faults_set_mode(f, i, OP_RECEIVE, OP_SEND, faults_any_mode(fault->amount)); break;
    case FAULT_RECEIVE: faults_set_mode(f, i, OP_RECEIVE, OP_RECEIVE, faults_any_mode(fault->amount)); break;
    case FAULT_DELETE: faults_set_mode(f, i, OP_REMOVE, OP_REMOVE, faults_any_mode(fault->amount)); break;
    case FAULT_VISIBILITY: faults_set_mode(f, i, OP_CHANGE, OP_CHANGE, faults_any_mode(fault->amount)); break;
    case FAULT_DLQ: fail_dlq(f, fault->amount); break;
    case FAULT_RECEIVE_ANSWERS: lose_answers(f, i, OP_RECEIVE, fault->amount); break;
    case FAULT_DELETE_ANSWERS: lose_answers(f, i, OP_REMOVE, fault->amount); break;
    case FAULT_VISIBILITY_ANSWERS: lose_answers(f, i, OP_CHANGE, fault->amount); break;
    case FAULT_DLQ_ANSWERS: lose_answers(f, i, OP_SEND, fault->amount); break;
    case FAULT_DUPLICATES: w->sqs.duplicates = fault->amount; break;
    case FAULT_REORDER: w->sqs.reorders = fault->amount; break;
    case FAULT_ENTRIES: w->sqs.failed_entries = fault->amount; break;
    case FAULT_SHORT_POLLS: w->sqs.never_waits = true; break;
    case FAULT_CLOCK: w->wall_shift = (int64_t)fault->amount * (fault->amount % 2 ? SECOND : -SECOND); break;
    default:
        apply_to_database(f, i, fault);
        faults_of_one_apply(f, i);
        break;
    }
}

static void heal(struct faults *f) {
    struct world *w = f->judge->world;
    const struct plan *p = f->judge->plan;
    for (enum fault_operation op = 0; op < OPS; op++) {
        struct sim_operation *o = faults_operation(w, op);
        o->mode = SIM_UP;
        o->lost_requests = o->lost_answers = 0;
        o->latency = op <= OP_DESCRIBE ? p->db_latency : p->sqs_latency;
        f->mode_by[op] = f->requests_by[op] = f->answers_by[op] = -1;
    }
    w->sqs.duplicates = w->sqs.failed_entries = 0;
    /* Where one message stops the receives that it is in, the oldest is not always the first, as at SQS itself. */
    w->sqs.reorders = p->feed_every ? 400 : 0;
    w->sqs.never_waits = false;
    w->wall_shift = 0;
    f->judge->dlq->mode = SIM_UP;
    f->judge->dlq->exists = true;
    sim_dynamodb_table(&w->dynamodb, SIM_TABLE)->exists = true;
    sim_dynamodb_table(&w->dynamodb, SIM_AUDIT_TABLE)->exists = true;
    faults_of_one_heal(f);
}

static bool troubles_sqs(enum fault_kind kind) {
    return kind == FAULT_NO_CREDENTIALS || (kind >= FAULT_SQS_OUT && kind <= FAULT_EXPOSE) || kind == FAULT_FOREIGN ||
           kind == FAULT_UNDELETED || kind == FAULT_PATH_RECEIVE;
}

static bool troubles_changes(enum fault_kind kind) {
    return kind == FAULT_NO_CREDENTIALS || kind == FAULT_SQS_OUT || kind == FAULT_VISIBILITY ||
           kind == FAULT_VISIBILITY_ANSWERS || kind == FAULT_ENTRIES || kind == FAULT_DUPLICATES ||
           kind == FAULT_EXPOSE || kind == FAULT_FOREIGN;
}

static bool troubles_deletes(enum fault_kind kind) {
    return kind == FAULT_NO_CREDENTIALS || kind == FAULT_SQS_OUT || kind == FAULT_DELETE ||
           kind == FAULT_DELETE_ANSWERS || kind == FAULT_ENTRIES || kind == FAULT_FOREIGN || kind == FAULT_UNDELETED;
}

/* When it last was so; as long as it is, far ahead. */
static int64_t last_of(bool troubled, int64_t before, int64_t now) {
    return troubled ? WHILE_IT_LASTS : before == WHILE_IT_LASTS ? now : before;
}

/* What the judge has to know of it. */
static void tell(struct faults *f) {
    struct judge *j = f->judge;
    int64_t now = j->world->now;
    const struct sim_dynamodb *db = &j->world->dynamodb;
    bool db_out = db->transact.mode != SIM_UP || !sim_dynamodb_table(&j->world->dynamodb, SIM_TABLE)->exists;
    bool sqs_out = j->world->sqs.receive.mode != SIM_UP, troubled = false, changes = false, deletes = false;
    for (unsigned i = 0; i < j->plan->fault_count; i++) {
        db_out = db_out || (f->active[i] && j->plan->faults[i].kind == FAULT_ALL_REFUSED);
        const struct plan_fault *fault = &j->plan->faults[i];
        troubled = troubled || (f->active[i] && (troubles_sqs(fault->kind) || plan_cuts_sqs(fault)));
        deletes = deletes || (f->active[i] && (troubles_deletes(fault->kind) || plan_cuts_sqs(fault)));
        changes = changes || (f->active[i] && (troubles_changes(fault->kind) || plan_cuts_sqs(fault)));
    }
    j->db_out_since = !db_out ? NEVER : j->db_out_since == NEVER ? now : j->db_out_since;
    j->sqs_out_since = !sqs_out ? NEVER : j->sqs_out_since == NEVER ? now : j->sqs_out_since;
    j->sqs_trouble_at = last_of(troubled, j->sqs_trouble_at, now);
    j->delete_trouble_at = last_of(deletes, j->delete_trouble_at, now);
    j->change_trouble_at = last_of(changes, j->change_trouble_at, now);
}

static void renew(struct faults *f) {
    faults_count(f);
    heal(f);
    for (unsigned i = 0; i < f->judge->plan->fault_count; i++)
        if (f->active[i])
            apply(f, i);
    tell(f);
}

static void expose(struct faults *f, unsigned i) {
    struct world *w = f->judge->world;
    for (size_t k = 0; k < w->sqs.all_count; k++) {
        struct sim_message *m = w->sqs.all[k];
        if (m->queue != f->judge->queue || m->deleted || m->handle == 0 || m->visible_at <= w->now ||
            pick(&f->random, 2))
            continue;
        f->struck[i]++;
        sim_queue_expose(m);
    }
}

/* As an operator's redrive does it: new messages, new MessageIds. */
static void redrive(struct faults *f, unsigned i) {
    struct judge *j = f->judge;
    struct sim_message *m, *next;
    for (m = TAILQ_FIRST(&j->dlq->messages); m; m = next) {
        char identity[SIM_MESSAGE_ID_SIZE], deduplication[SIM_MESSAGE_ID_SIZE];
        next = TAILQ_NEXT(m, link);
        snprintf(deduplication, sizeof deduplication, "%s", j->plan->fifo ? m->id : "");
        judge_identity(span_cstr(m->error_envelope[0] ? m->error_envelope : m->body), identity);
        struct sim_message *again = sim_queue_send_fifo(j->queue, m->body, m->group_id, deduplication);
        sim_message_set(&again->error_envelope, span_cstr(m->error_envelope));
        judge_sent(j, again, identity);
        TAILQ_REMOVE(&j->dlq->messages, m, link);
        j->dlq->count--;
        m->deleted = true;
        f->struck[i]++;
    }
}

void faults_begin(struct faults *f, unsigned i) {
    const struct plan_fault *fault = &f->judge->plan->faults[i];
    trace_note(f->judge->trace, f->judge->world->now, TRACE_FAULT, NO_WORKER, i, (uint64_t)fault->kind,
               span_cstr(fault_name(fault->kind)));
    f->active[i] = true;
    renew(f);
    faults_of_one_begin(f, i);
    if (fault->kind == FAULT_EXPOSE)
        expose(f, i);
    else if (fault->kind == FAULT_REDRIVE)
        redrive(f, i);
}

void faults_end(struct faults *f, unsigned i) {
    const struct plan_fault *fault = &f->judge->plan->faults[i];
    faults_count(f);
    f->active[i] = false;
    renew(f);
    trace_note(f->judge->trace, f->judge->world->now, TRACE_FAULT_OVER, NO_WORKER, i, f->struck[i],
               span_cstr(fault_name(fault->kind)));
}

static void answer_poison(const struct sim_transaction *t, unsigned record, struct transact_result *result) {
    switch (record % 3) {
    case 0: sim_answer_exception(result, 500, "InternalServerError"); break;
    case 1: sim_answer_exception(result, 400, "AccessDeniedException"); break;
    default: sim_answer_cancelled(result, "ItemCollectionSizeLimitExceeded", t->audited ? "None" : NULL); break;
    }
}

static void answer_by_chance(struct faults *f, enum fault_kind kind, const struct sim_transaction *t,
                             struct transact_result *result) {
    unsigned way = pick(&f->random, 3);
    switch (kind) {
    case FAULT_DB_CONFLICTS:
        if (t->audited && way == 0)
            sim_answer_cancelled(result, "ConditionalCheckFailed", "TransactionConflict");
        else if (t->audited && way == 1)
            sim_answer_cancelled(result, "None", "TransactionConflict");
        else
            sim_answer_cancelled(result, "TransactionConflict", t->audited ? "None" : NULL);
        break;
    case FAULT_DB_SOME_THROTTLED:
        if (way == 0)
            sim_answer_cancelled(result, "ThrottlingError", t->audited ? "None" : NULL);
        else
            sim_answer_exception(result, 400,
                                 way == 1 ? "ProvisionedThroughputExceededException" : "ThrottlingException");
        break;
    case FAULT_DB_SOME_BROKEN: sim_answer_exception(result, 500, "InternalServerError"); break;
    default: sim_answer_exception(result, 400, "TransactionInProgressException"); break;
    }
}

static enum sim_fate hook(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct faults *f = ctx;
    const struct plan *p = f->judge->plan;
    unsigned update = plan_update_in(p, t->body.data, t->body.len);
    if (!sim_dynamodb_table(&f->judge->world->dynamodb, SIM_TABLE)->exists)
        return SIM_RUN; /* nothing but that is answered */
    if (faults_refuse_all(f, t, result))
        return SIM_ANSWER; /* before any look at an item, as in any other outage */
    if (update < p->update_count && p->updates[update].kind == UPDATE_POISON) {
        answer_poison(t, p->updates[update].record, result);
        return SIM_ANSWER;
    }
    if (faults_of_one_answer(f, t, update, result))
        return SIM_ANSWER;
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *fault = &p->faults[i];
        if (!f->active[i] || fault->kind < FAULT_DB_CONFLICTS || fault->kind > FAULT_DB_IN_PROGRESS ||
            pick(&f->random, 1000) >= fault->amount)
            continue;
        f->struck[i]++;
        answer_by_chance(f, fault->kind, t, result);
        return SIM_ANSWER;
    }
    return SIM_RUN;
}

void faults_init(struct faults *f, struct judge *j) {
    *f = (struct faults){.judge = j};
    random_seed(&f->random, random_next(&j->world->random));
    j->world->dynamodb.hook = hook;
    j->world->dynamodb.hook_ctx = f;
    faults_watch_the_way(f);
    heal(f);
}
