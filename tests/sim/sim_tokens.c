/* ClientRequestTokens: of transactions that run, and of those that were committed within the last ten minutes.
 * Cancelled ones leave no trace. Amazon DynamoDB API Reference, TransactWriteItems, "ClientRequestToken". */
#include "sim_dynamodb_private.h"

#include "sim_action.h"

static const int64_t TOKEN_LIFE = 600 * MICROSECONDS;

enum sim_token_state sim_token_look(struct sim_dynamodb *db, const char *token, struct json_object *request) {
    struct json_object *running = token ? sim_member(db->running_tokens, token) : NULL,
                       *before = token ? sim_member(db->tokens, token) : NULL;
    if (before && db->world->now - json_object_get_int64(sim_member(before, "at")) >= TOKEN_LIFE) {
        json_object_object_del(db->tokens, token);
        before = NULL;
    }
    struct json_object *known = running ? running : sim_member(before, "request");
    if (!known)
        return SIM_TOKEN_NEW;
    if (!json_object_equal(known, request))
        return SIM_TOKEN_OTHER;
    return running ? SIM_TOKEN_RUNNING : SIM_TOKEN_DONE;
}

void sim_token_begins(struct sim_dynamodb *db, const char *token, struct json_object *request) {
    if (token)
        json_object_object_add(db->running_tokens, token, json_object_get(request));
}

void sim_token_committed(struct sim_dynamodb *db, const char *token, struct json_object *request) {
    if (!token)
        return;
    struct json_object *entry = json_object_new_object();
    json_object_object_add(entry, "at", json_object_new_int64(db->world->now));
    json_object_object_add(entry, "request", json_object_get(request));
    json_object_object_add(db->tokens, token, entry);
    json_object_object_del(db->running_tokens, token);
}
