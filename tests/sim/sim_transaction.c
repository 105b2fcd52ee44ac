/* TransactWriteItems: all conditions, then all writes, or none; tokens; and the faults that a test asks for. */
#include "dynamodb_response.h"
#include "sim_dynamodb_private.h"
#include "sim_expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t TOKEN_LIFE = 600 * MICROSECONDS;

struct action {
    struct sim_table *table;
    const char *key;             /* JSON text, owned by the request or by key_object */
    struct json_object *key_object;
    struct json_object *put;     /* the item, of a Put */
    const char *update;          /* of an Update */
    const char *condition;
    struct json_object *names, *values;
    struct json_object *item;    /* as it stands */
};

static struct json_object *member(struct json_object *object, const char *name) {
    struct json_object *value = NULL;
    if (object)
        json_object_object_get_ex(object, name, &value);
    return value;
}

void sim_request_hash(struct json_object *item, char ret_hash[static REQUEST_HASH_TEXT_SIZE]) {
    struct json_object *text = member(member(item, "request_hash"), "S");
    snprintf(ret_hash, REQUEST_HASH_TEXT_SIZE, "%s", text ? json_object_get_string(text) : "");
}

void sim_answer_exception(struct transact_result *r, int status, const char *code) {
    r->reason_count = 0;
    sim_call_fail(&r->call, status, code, "an exception of the test's own");
}

static void classify(struct transact_result *r) {
    struct cancellation c = {.count = r->reason_count};
    memcpy(c.reasons, r->reasons, sizeof c.reasons);
    sim_call_fail(&r->call, 400, "TransactionCanceledException", "Transaction cancelled");
    r->call.class = dynamodb_cancellation_class(&c);
}

void sim_answer_cancelled(struct transact_result *r, const char *update, const char *audit) {
    memset(r->reasons, 0, sizeof r->reasons);
    r->reason_count = audit ? 2 : 1;
    snprintf(r->reasons[0].code, sizeof r->reasons[0].code, "%s", update);
    if (audit)
        snprintf(r->reasons[1].code, sizeof r->reasons[1].code, "%s", audit);
    classify(r);
}

/* The record that a request is for, for counting what runs at once. */
static const char *record_of(struct json_object *request) {
    struct json_object *first = json_object_array_get_idx(member(request, "TransactItems"), 0);
    return sim_json_text(member(member(first, "Update"), "Key"));
}

static int change_running(struct sim_dynamodb *db, const char *record, int by) {
    int now = json_object_get_int(member(db->running, record)) + by;
    if (now)
        json_object_object_add(db->running, record, json_object_new_int(now));
    else
        json_object_object_del(db->running, record);
    return now;
}

void sim_transaction_begun(struct dynamodb_call *call) {
    call->request = json_tokener_parse(call->body);
    if (!call->request) {
        fprintf(stderr, "a request that is no JSON: %s\n", call->body);
        abort();
    }
    int now = change_running(call->db, record_of(call->request), 1);
    if (now > call->db->most_running_of_one_record)
        call->db->most_running_of_one_record = now;
    call->counted = true;
}

void sim_transaction_ended(struct dynamodb_call *call) {
    change_running(call->db, record_of(call->request), -1);
    call->counted = false;
}

static bool happens(struct sim_dynamodb *db, unsigned per_mille) {
    return per_mille && random_below(&db->world->random, 1000) < per_mille;
}

static struct action read_action(struct sim_dynamodb *db, struct json_object *object) {
    struct json_object *put = member(object, "Put"), *inner = put ? put : member(object, "Update");
    struct action a = {.put = member(put, "Item"), .names = member(inner, "ExpressionAttributeNames"),
                       .values = member(inner, "ExpressionAttributeValues")};
    a.table = sim_dynamodb_table(db, json_object_get_string(member(inner, "TableName")));
    a.condition = json_object_get_string(member(inner, "ConditionExpression"));
    a.update = json_object_get_string(member(inner, "UpdateExpression"));
    if (put) {
        const char *name = a.table ? a.table->shape.partition.name : "log_id";
        a.key_object = json_object_new_object();
        json_object_object_add(a.key_object, name, json_object_get(member(a.put, name)));
    } else {
        a.key_object = json_object_get(member(inner, "Key"));
    }
    a.key = sim_json_text(a.key_object);
    if (a.table)
        a.item = member(a.table->items, a.key);
    return a;
}

static bool judge(const struct action *a, struct cancellation_reason *ret_reason) {
    struct sim_expression e = {a->names, a->values, a->item};
    *ret_reason = (struct cancellation_reason){.code = "None"};
    if (sim_condition_holds(&e, a->condition))
        return true;
    snprintf(ret_reason->code, sizeof ret_reason->code, "ConditionalCheckFailed");
    ret_reason->has_item = a->item != NULL;
    sim_request_hash(a->item, ret_reason->request_hash);
    ret_reason->has_request_hash = ret_reason->request_hash[0] != '\0';
    return false;
}

static void write_action(struct sim_dynamodb *db, const struct action *a) {
    if (a->put) {
        json_object_object_add(a->table->items, a->key, json_object_get(a->put));
        return;
    }
    sim_update_apply(&(struct sim_expression){a->names, a->values, a->item}, a->update);
    struct json_object *n = member(member(a->item, "n"), "N");
    if (n)
        buf_printf(&db->applied, "%s ", json_object_get_string(n));
}

static void count_commit(struct sim_dynamodb *db, const char *log_id) {
    char key[SIM_TOKEN_SIZE];
    snprintf(key, sizeof key, "%.36s", log_id);
    json_object_object_add(db->commits, key, json_object_new_int(sim_dynamodb_commits(db, key) + 1));
    db->committed++;
}

/* Whether the token is known: then the answer is written. */
static bool known_token(struct dynamodb_call *call, const char *token) {
    struct sim_dynamodb *db = call->db;
    struct json_object *before = member(db->tokens, token);
    if (!before || db->world->now - json_object_get_int64(member(before, "at")) >= TOKEN_LIFE)
        return false;
    if (strcmp(json_object_get_string(member(before, "body")), call->body) != 0)
        sim_answer_exception(&call->answer, 400, "IdempotentParameterMismatchException");
    return true;
}

static void remember_token(struct dynamodb_call *call, const char *token) {
    struct json_object *entry = json_object_new_object();
    json_object_object_add(entry, "at", json_object_new_int64(call->db->world->now));
    json_object_object_add(entry, "body", json_object_new_string(call->body));
    json_object_object_add(call->db->tokens, token, entry);
}

static void run(struct dynamodb_call *call, const struct sim_transaction *t) {
    struct action actions[CANCELLATION_REASONS_MAX];
    struct json_object *items = member(call->request, "TransactItems");
    size_t count = json_object_array_length(items);
    bool all = true, tables = true;
    for (size_t i = 0; i < count; i++) {
        actions[i] = read_action(call->db, json_object_array_get_idx(items, i));
        tables = tables && actions[i].table && actions[i].table->exists;
    }
    if (!tables) {
        sim_answer_exception(&call->answer, 400, "ResourceNotFoundException");
    } else if (!known_token(call, t->token)) {
        for (size_t i = 0; i < count; i++)
            all = judge(&actions[i], &call->answer.reasons[i]) && all;
        call->answer.reason_count = all ? 0 : count;
        if (all) {
            for (size_t i = 0; i < count; i++)
                write_action(call->db, &actions[i]);
            remember_token(call, t->token);
            count_commit(call->db, t->audited ? t->log_id : t->token);
            if (call->db->was_committed)
                call->db->was_committed(call->db->observer, t);
        } else {
            classify(&call->answer);
        }
    }
    for (size_t i = 0; i < count; i++)
        json_object_put(actions[i].key_object);
}

/* Faults by chance. */
static bool fails_by_chance(struct dynamodb_call *call, bool audited) {
    struct sim_dynamodb *db = call->db;
    if (happens(db, db->conflicts))
        sim_answer_cancelled(&call->answer, "TransactionConflict", audited ? "None" : NULL);
    else if (happens(db, db->throttles))
        sim_answer_exception(&call->answer, 400, "ProvisionedThroughputExceededException");
    else if (happens(db, db->errors))
        sim_answer_exception(&call->answer, 500, "InternalServerError");
    else if (happens(db, db->in_progress))
        sim_answer_exception(&call->answer, 400, "TransactionInProgressException");
    else
        return false;
    return true;
}

enum sim_executed sim_transaction_execute(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct sim_dynamodb *db = call->db;
    struct json_object *items = member(call->request, "TransactItems");
    struct json_object *put = member(json_object_array_get_idx(items, 1), "Put");
    struct sim_transaction t = {.record = record_of(call->request),
                                .token = json_object_get_string(member(call->request, "ClientRequestToken")),
                                .log_id = put ? json_object_get_string(member(member(member(put, "Item"), "log_id"), "S")) : "",
                                .audited = put != NULL,
                                .body = span_of(call->body, call->body_len)};
    unsigned attempts = base->result.attempts;
    call->answer = (struct transact_result){.call = {.status = 200}};
    enum sim_fate fate = db->hook ? db->hook(db->hook_ctx, &t, &call->answer) : SIM_RUN;
    if (fate != SIM_ANSWER && (fate == SIM_COMMIT_AND_CUT || !fails_by_chance(call, t.audited)))
        run(call, &t);
    call->answer.call.attempts = attempts;
    base->result = call->answer.call;
    return fate == SIM_COMMIT_AND_CUT ? SIM_CUT : SIM_EXECUTED;
}

void sim_transaction_deliver(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct transact_result result = {.call = base->result};
    if (base->result.from_service && !strcmp(base->result.code, "TransactionCanceledException")) {
        result.reason_count = call->answer.reason_count;
        memcpy(result.reasons, call->answer.reasons, sizeof result.reasons);
    }
    if (call->counted)
        sim_transaction_ended(call);
    call->done.transact(call->user, &result);
}
