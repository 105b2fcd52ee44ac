#include "trial.h"

#include "json_writer.h"

#include <stdio.h>
#include <string.h>

/* Can't hold: no item exists and doesn't exist at once. */
#define CONDITION "attribute_exists(#0) AND attribute_not_exists(#0)"
#define KEY_BYTES "dGFibGUtdXBkYXRlcg==" /* TRIAL_KEY in base64 */

static void append_value(struct json_writer *w, const struct key_attribute *key) {
    json_name(w, span_cstr(key->name));
    json_object_begin(w);
    switch (key->type) {
    case KEY_STRING:
        json_name(w, SPAN("S"));
        json_string(w, SPAN(TRIAL_KEY));
        break;
    case KEY_NUMBER:
        json_name(w, SPAN("N"));
        json_string(w, SPAN("0"));
        break;
    case KEY_BINARY:
        json_name(w, SPAN("B"));
        json_string(w, SPAN(KEY_BYTES));
        break;
    }
    json_object_end(w);
}

static void append_key(struct json_writer *w, const struct table_shape *table) {
    json_object_begin(w);
    append_value(w, &table->partition);
    if (table->sort.name[0])
        append_value(w, &table->sort);
    json_object_end(w);
}

static void begin_action(struct json_writer *w, const char *kind, const struct table_shape *table) {
    json_object_begin(w);
    json_name(w, span_cstr(kind));
    json_object_begin(w);
    json_name(w, SPAN("TableName"));
    json_string(w, span_cstr(table->name));
}

/* Ends an action, with the attribute names that its expressions use: the key's, and perhaps one more. */
static void end_action(struct json_writer *w, const struct table_shape *table, const char *attribute) {
    json_name(w, SPAN("ConditionExpression"));
    json_string(w, SPAN(CONDITION));
    json_name(w, SPAN("ExpressionAttributeNames"));
    json_object_begin(w);
    json_name(w, SPAN("#0"));
    json_string(w, span_cstr(table->partition.name));
    if (attribute) {
        json_name(w, SPAN("#1"));
        json_string(w, span_cstr(attribute));
    }
    json_object_end(w);
    json_object_end(w);
    json_object_end(w);
}

bool trial_append_request(const struct discovery_facts *facts, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_name(&w, SPAN("TransactItems"));
    json_array_begin(&w);
    begin_action(&w, "Update", &facts->table);
    json_name(&w, SPAN("Key"));
    append_key(&w, &facts->table);
    json_name(&w, SPAN("UpdateExpression"));
    json_string(&w, SPAN("SET #1=:0"));
    json_name(&w, SPAN("ExpressionAttributeValues"));
    json_raw(&w, SPAN("{\":0\":{\"NULL\":true}}"));
    end_action(&w, &facts->table, "table_updater_trial");
    if (facts->audit_table_exists) {
        begin_action(&w, "Put", &facts->audit_table);
        json_name(&w, SPAN("Item"));
        append_key(&w, &facts->audit_table);
        end_action(&w, &facts->audit_table, NULL);
    }
    json_array_end(&w);
    json_object_end(&w);
    return buf_ok(out);
}

static enum trial_outcome by_reason(const struct cancellation_reason *reason) {
    static const struct {
        const char *code;
        enum trial_outcome outcome;
    } table[] = {
        {"None", TRIAL_POSSIBLE},
        {"ConditionalCheckFailed", TRIAL_POSSIBLE},
        {"TransactionConflict", TRIAL_POSSIBLE}, /* with another worker's trial: both are possible and allowed */
        {"ProvisionedThroughputExceeded", TRIAL_AGAIN},
        {"ThrottlingError", TRIAL_AGAIN},
        {"RequestLimitExceeded", TRIAL_AGAIN},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (!strcmp(reason->code, table[i].code))
            return table[i].outcome;
    return TRIAL_REFUSED;
}

/* Of several reasons, one that won't pass decides. */
static enum trial_outcome by_reasons(const struct transact_result *result, struct call_result *ret_why) {
    enum trial_outcome worst = TRIAL_POSSIBLE;
    for (size_t i = 0; i < result->reason_count; i++) {
        const struct cancellation_reason *reason = &result->reasons[i];
        enum trial_outcome outcome = by_reason(reason);
        if (outcome == TRIAL_POSSIBLE || worst == TRIAL_REFUSED)
            continue;
        worst = outcome;
        *ret_why = result->call;
        ret_why->class = outcome == TRIAL_REFUSED ? CALL_PERMANENT : CALL_THROTTLED;
        (void)snprintf(ret_why->code, sizeof ret_why->code, "%s", reason->code);
        (void)snprintf(ret_why->message, sizeof ret_why->message, "%s", reason->message);
    }
    return worst;
}

enum trial_outcome trial_judge(const struct transact_result *result, struct call_result *ret_why) {
    const struct call_result *call = &result->call;
    *ret_why = *call;
    if (result->reason_count > 0)
        return by_reasons(result, ret_why);
    if (call->class == CALL_OK) {
        *ret_why = (struct call_result){.class = CALL_RETRY, .status = call->status};
        (void)snprintf(ret_why->message, sizeof ret_why->message,
                       "it was answered as committed, though its conditions can't hold: what answers there isn't "
                       "DynamoDB");
        return TRIAL_AGAIN;
    }
    bool may_pass = call->class == CALL_THROTTLED || call->class == CALL_RETRY;
    return may_pass || (!call->from_service && call->class != CALL_AUTH) ? TRIAL_AGAIN : TRIAL_REFUSED;
}
