/* GetItem and PutItem. */
#include "sim_action.h"
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <string.h>

void sim_request_hash(struct json_object *item, char ret_hash[static REQUEST_HASH_TEXT_SIZE]) {
    struct json_object *text = sim_member(sim_member(item, "request_hash"), "S");
    snprintf(ret_hash, REQUEST_HASH_TEXT_SIZE, "%s", text ? json_object_get_string(text) : "");
}

static enum sim_executed execute_get(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct json_object *request = json_tokener_parse(call->body), *key = sim_member(request, "Key"), *own = NULL,
                       *item = NULL;
    const struct sim_table *table =
        sim_dynamodb_table(call->db, json_object_get_string(sim_member(request, "TableName")));
    base->result = (struct call_result){.status = 200};
    if (!table || !table->exists) {
        sim_call_fail(&base->result, 400, "ResourceNotFoundException", "Requested resource not found");
    } else if (sim_key_invalid(table, key) || sim_key_mistyped(table, key)) {
        sim_call_fail(&base->result, 400, "ValidationException", "The provided key element does not match the schema");
    } else {
        own = sim_key_of(table, key);
        item = sim_member(table->items, sim_json_text(own));
    }
    call->found = item != NULL;
    sim_request_hash(item, call->hash);
    json_object_put(own);
    json_object_put(request);
    return SIM_EXECUTED;
}

static void deliver_get(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    bool found = call->found && base->result.class == CALL_OK;
    call->done.get(call->user, &base->result, found, found && call->hash[0] ? call->hash : NULL);
}

static void put(struct dynamodb_call *call, const struct sim_action *a) {
    struct call_result *r = &call->base.result;
    const char *refusal = sim_action_invalid(a);
    if (!refusal && sim_action_mistyped(a))
        refusal = "ValidationException";
    if (refusal) {
        sim_call_fail(r, 400, refusal, "refused");
    } else if (sim_is_locked(call->db, a)) {
        call->db->happened.locked++;
        sim_call_fail(r, 400, "TransactionConflictException", "Transaction is ongoing for the item");
    } else if (!sim_capacity_is_there(a, call->db->world->now)) {
        call->db->happened.short_of_capacity++;
        sim_call_fail(r, 400, a->table->on_demand ? "ThrottlingException" : "ProvisionedThroughputExceededException",
                      "slower");
    } else {
        sim_capacity_take(a);
        if (sim_action_condition_holds(a)) {
            sim_action_write(call->db, a);
            call->db->records_put++;
        } else {
            sim_call_fail(r, 400, "ConditionalCheckFailedException", "The conditional request failed");
        }
    }
}

static enum sim_executed execute_put(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct json_object *request = json_tokener_parse(call->body);
    struct sim_action a = sim_action_of_put(call->db, request);
    base->result = (struct call_result){.status = 200};
    put(call, &a);
    sim_action_done(&a);
    json_object_put(request);
    return SIM_EXECUTED;
}

static void deliver_put(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    call->done.put(call->user, &base->result);
}

struct call *sim_get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                          void *user) {
    static const struct sim_call_kind kind = {
        .execute = execute_get, .deliver = deliver_get, .release = sim_dynamodb_call_release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = sim_dynamodb_call_new(db, body);
    call->done.get = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->get_item, options);
}

struct call *sim_put_item(void *ctx, struct span body, const struct call_options *options, call_done *done,
                          void *user) {
    static const struct sim_call_kind kind = {
        .execute = execute_put, .deliver = deliver_put, .release = sim_dynamodb_call_release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = sim_dynamodb_call_new(db, body);
    call->done.put = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->put_item, options);
}
