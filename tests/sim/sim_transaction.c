/* TransactWriteItems: tokens, then all checks at once, then, a while later, all writes or none. */
#include "dynamodb_response.h"
#include "sim_action.h"
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX (SIM_TOKEN_SIZE - 1)
static const int64_t LATE_BY = 60 * MICROSECONDS;

/* The record that a request is for, for counting what runs at once. */
static const char *record_of(struct json_object *request) {
    struct json_object *first = json_object_array_get_idx(sim_member(request, "TransactItems"), 0);
    return sim_json_text(sim_member(sim_member(first, "Update"), "Key"));
}

static int change_running(struct sim_dynamodb *db, const char *record, int by) {
    int now = json_object_get_int(sim_member(db->running, record)) + by;
    if (now)
        json_object_object_add(db->running, record, json_object_new_int(now));
    else
        json_object_object_del(db->running, record);
    return now;
}

static void began(struct dynamodb_call *call) {
    int now = change_running(call->db, record_of(call->request), 1);
    if (now > call->db->most_running_of_one_record)
        call->db->most_running_of_one_record = now;
    call->counted = true;
}

static void ended(struct dynamodb_call *call) {
    if (call->counted)
        change_running(call->db, record_of(call->request), -1);
    call->counted = false;
}

static struct sim_transaction summary_of(const struct dynamodb_call *call) {
    struct json_object *items = sim_member(call->request, "TransactItems");
    struct json_object *put = sim_member(json_object_array_get_idx(items, 1), "Put");
    struct json_object *log_id = sim_member(sim_member(sim_member(put, "Item"), "log_id"), "S");
    return (struct sim_transaction){.record = record_of(call->request),
                                    .token = json_object_get_string(sim_member(call->request, "ClientRequestToken")),
                                    .log_id = log_id ? json_object_get_string(log_id) : "",
                                    .audited = put != NULL,
                                    .body = span_of(call->body, call->body_len)};
}

/* The checks. */

static void forget_actions(struct dynamodb_call *call) {
    for (size_t i = 0; i < call->action_count; i++)
        sim_action_done(&call->actions[i]);
    free(call->actions);
    call->actions = NULL;
    call->action_count = 0;
}

static void read_actions(struct dynamodb_call *call) {
    struct json_object *items = sim_member(call->request, "TransactItems");
    forget_actions(call);
    call->action_count = json_object_array_length(items);
    if (call->action_count > CANCELLATION_REASONS_MAX)
        abort(); /* none of ours */
    call->actions = world_alloc(call->action_count * sizeof *call->actions);
    for (size_t i = 0; i < call->action_count; i++)
        call->actions[i] = sim_action_read(call->db, json_object_array_get_idx(items, i));
}

/* What the request as a whole is refused with; NULL: nothing. */
static const char *refusal_of(const struct dynamodb_call *call, const struct sim_transaction *t) {
    if (call->action_count == 0 || (t->token && (!t->token[0] || strlen(t->token) > TOKEN_MAX)))
        return "ValidationException";
    for (size_t i = 0; i < call->action_count; i++) {
        const char *code = sim_action_invalid(&call->actions[i]);
        if (code)
            return code;
        for (size_t j = 0; j < i; j++)
            if (call->actions[i].table == call->actions[j].table &&
                json_object_equal(call->actions[i].key, call->actions[j].key))
                return "ValidationException";
    }
    return NULL;
}

/* Whether the token decides: then the answer is written. */
static bool token_answers(struct dynamodb_call *call, const char *token) {
    struct sim_dynamodb *db = call->db;
    switch (sim_token_look(db, token, call->request)) {
    case SIM_TOKEN_NEW: return false;
    case SIM_TOKEN_DONE: db->happened.tokens_replayed++; break;
    case SIM_TOKEN_RUNNING:
        db->happened.tokens_running++;
        sim_answer_exception(&call->answer, 400, "TransactionInProgressException");
        break;
    case SIM_TOKEN_OTHER:
        db->happened.tokens_mismatched++;
        sim_answer_exception(&call->answer, 400, "IdempotentParameterMismatchException");
        break;
    }
    return true;
}

static void judge(struct sim_dynamodb *db, const struct sim_action *a, struct cancellation_reason *ret_reason) {
    const char *code = "None";
    *ret_reason = (struct cancellation_reason){0};
    if (sim_action_mistyped(a)) {
        code = "ValidationError";
    } else if (sim_is_locked(db, a)) {
        db->happened.locked++;
        code = "TransactionConflict";
    } else if (!sim_capacity_is_there(a, db->world->now)) {
        db->happened.short_of_capacity++;
        code = sim_capacity_reason(a);
    } else if (!sim_action_condition_holds(a)) {
        struct json_object *item = a->all_old ? sim_action_item(a) : NULL;
        code = "ConditionalCheckFailed";
        ret_reason->has_item = item != NULL;
        sim_request_hash(item, ret_reason->request_hash);
        ret_reason->has_request_hash = ret_reason->request_hash[0] != '\0';
    } else if (!sim_action_update_fits(a)) {
        code = "ValidationError"; /* as AWS has it; DynamoDB Local refuses the request */
        snprintf(ret_reason->message, sizeof ret_reason->message, "%s",
                 "The document path provided in the update expression is invalid for update");
    }
    snprintf(ret_reason->code, sizeof ret_reason->code, "%s", code);
}

static bool is_none(const struct cancellation_reason *reason) {
    return !strcmp(reason->code, "None");
}

/* Whether the transaction may be committed; else the answer is written. What throttling stops costs nothing, a false
 * condition does. */
static bool prepare(struct dynamodb_call *call, const struct sim_transaction *t) {
    struct transact_result *answer = &call->answer;
    bool all = true, spend = true;
    read_actions(call);
    const char *refusal = refusal_of(call, t);
    if (refusal) {
        sim_answer_exception(answer, 400, refusal);
        return false;
    }
    if (token_answers(call, t->token))
        return false;
    for (size_t i = 0; i < call->action_count; i++)
        judge(call->db, &call->actions[i], &answer->reasons[i]);
    sim_transaction_mixes(call);
    for (size_t i = 0; i < call->action_count; i++) {
        all = all && is_none(&answer->reasons[i]);
        spend = spend && (is_none(&answer->reasons[i]) || !strcmp(answer->reasons[i].code, "ConditionalCheckFailed"));
    }
    for (size_t i = 0; spend && i < call->action_count; i++)
        sim_capacity_take(&call->actions[i]);
    answer->reason_count = all ? 0 : call->action_count;
    if (!all)
        sim_answer_reasons(answer);
    return all;
}

/* The commit. */

static void count_commit(struct sim_dynamodb *db, const char *log_id) {
    char key[SIM_TOKEN_SIZE];
    snprintf(key, sizeof key, "%.36s", log_id);
    json_object_object_add(db->commits, key, json_object_new_int(sim_dynamodb_commits(db, key) + 1));
    db->committed++;
}

static void commit(struct dynamodb_call *call, const struct sim_transaction *t) {
    struct sim_dynamodb *db = call->db;
    for (size_t i = 0; i < call->action_count; i++)
        sim_action_write(db, &call->actions[i]);
    sim_token_committed(db, t->token, call->request);
    count_commit(db, t->audited ? t->log_id : t->token ? t->token : "");
    if (db->was_committed)
        db->was_committed(db->observer, t);
    if (sim_happens(db->world, db->errors_after)) {
        db->happened.errors_after++;
        sim_answer_exception(&call->answer, 500, "InternalServerError");
    }
}

static void answer(struct dynamodb_call *call) {
    call->answer.call.attempts = call->base.result.attempts;
    call->base.result = call->answer.call;
}

static void on_commits(void *user) {
    struct dynamodb_call *call = user;
    struct sim_transaction t = summary_of(call);
    world_enter();
    sim_unlock(call->db, call->actions, call->action_count);
    commit(call, &t);
    answer(call);
    sim_call_executed(&call->base);
    world_leave();
}

/* The items are locked and the token is known until the commit. */
static void commit_later(struct dynamodb_call *call, const struct sim_transaction *t) {
    struct sim_dynamodb *db = call->db;
    int64_t jitter = db->commit_jitter ? (int64_t)random_below(&db->world->random, (uint64_t)db->commit_jitter) : 0;
    sim_lock(db, call->actions, call->action_count);
    sim_token_begins(db, t->token, call->request);
    timer_init(&call->commits, on_commits, call);
    timer_start(&db->world->timers, &call->commits, db->world->now + db->commit_time + jitter);
}

static const struct sim_call_kind *transaction_kind(void);

/* A second life for a request whose connection broke. */
static bool arrives_late(struct dynamodb_call *call) {
    struct sim_dynamodb *db = call->db;
    if (call->base.client_gone || !sim_happens(db->world, db->late_requests))
        return false;
    struct dynamodb_call *ghost = sim_dynamodb_call_new(db, span_of(call->body, call->body_len));
    ghost->request = json_object_get(call->request);
    int64_t by = (int64_t)random_below(&db->world->random, (uint64_t)(db->late_by ? db->late_by : LATE_BY));
    sim_call_ghost(db->world, &ghost->base, transaction_kind(), &db->transact, db->world->now + by);
    db->happened.late_requests++;
    return true;
}

static enum sim_executed execute(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct sim_dynamodb *db = call->db;
    struct sim_transaction t = summary_of(call);
    call->answer = (struct transact_result){.call = {.status = 200}};
    enum sim_fate fate = db->hook ? db->hook(db->hook_ctx, &t, &call->answer) : SIM_RUN;
    bool runs = fate == SIM_COMMIT_AND_CUT || (fate == SIM_RUN && !sim_transaction_fails(call, t.audited));
    if (runs && fate == SIM_RUN && arrives_late(call))
        return SIM_CUT;
    if (runs && prepare(call, &t)) {
        if (fate == SIM_RUN && db->commit_time + db->commit_jitter > 0) {
            commit_later(call, &t);
            return SIM_WAITS;
        }
        commit(call, &t);
    }
    answer(call);
    return fate == SIM_COMMIT_AND_CUT ? SIM_CUT : SIM_EXECUTED;
}

/* The commit doesn't wait for who has hung up. */
static bool abandon(struct sim_call *base) {
    (void)base;
    return false;
}

static void deliver(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct transact_result result = {.call = base->result};
    if (base->result.from_service && !strcmp(base->result.code, "TransactionCanceledException")) {
        result.reason_count = call->answer.reason_count;
        memcpy(result.reasons, call->answer.reasons, sizeof result.reasons);
    }
    ended(call);
    call->done.transact(call->user, &result);
}

static void release(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    ended(call);
    timer_stop(&base->world->timers, &call->commits);
    forget_actions(call);
    sim_dynamodb_call_release(base);
}

static const struct sim_call_kind *transaction_kind(void) {
    static const struct sim_call_kind kind = {
        .execute = execute, .deliver = deliver, .release = release, .abandon = abandon};
    return &kind;
}

struct call *sim_transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                          void *user) {
    struct sim_dynamodb *db = ctx;
    world_enter();
    struct dynamodb_call *call = sim_dynamodb_call_new(db, body);
    call->request = json_tokener_parse(call->body);
    if (!call->request) {
        fprintf(stderr, "a request that is no JSON: %s\n", call->body);
        abort();
    }
    call->done.transact = done;
    call->user = user;
    began(call);
    struct call *started = sim_call_start(db->world, &call->base, transaction_kind(), &db->transact, options);
    world_leave();
    return started;
}
