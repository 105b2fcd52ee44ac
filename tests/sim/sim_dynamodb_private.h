/* Between the files of the simulated DynamoDB. */
#pragma once

#include "world.h"

struct dynamodb_call {
    struct sim_call base; /* first */
    struct sim_dynamodb *db;
    char *body; /* or the table's name */
    size_t body_len;
    union {
        transact_done *transact;
        get_item_done *get;
        call_done *put;
        describe_table_done *describe;
    } done;
    void *user;
    bool counted; /* among those that run */
    struct json_object *request;
    struct sim_action *actions; /* of one that is about to commit */
    size_t action_count;
    struct timer commits;
    struct transact_result answer;
    bool found;
    char hash[REQUEST_HASH_TEXT_SIZE];
    struct table_shape shape;
    bool active;
};

/* sim_tokens.c */
enum sim_token_state {
    SIM_TOKEN_NEW,
    SIM_TOKEN_RUNNING,
    SIM_TOKEN_DONE,
    SIM_TOKEN_OTHER /* it was used with another request */
};
enum sim_token_state sim_token_look(struct sim_dynamodb *db, const char *token, struct json_object *request);
void sim_token_begins(struct sim_dynamodb *db, const char *token, struct json_object *request);
void sim_token_committed(struct sim_dynamodb *db, const char *token, struct json_object *request);
/* sim_capacity.c */
struct sim_action;
bool sim_capacity_is_there(const struct sim_action *a, int64_t now);
void sim_capacity_take(const struct sim_action *a);
const char *sim_capacity_reason(const struct sim_action *a);
void sim_capacity_done(struct sim_table *table);
/* sim_item.c */
struct call *sim_get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                          void *user);
struct call *sim_put_item(void *ctx, struct span body, const struct call_options *options, call_done *done, void *user);
/* sim_dynamodb.c */
struct dynamodb_call *sim_dynamodb_call_new(struct sim_dynamodb *db, struct span body);
void sim_dynamodb_call_release(struct sim_call *base);
/* sim_transaction_faults.c */
/* The reasons as they stand are the answer. */
void sim_answer_reasons(struct transact_result *r);
/* Whether chance has it fail before it runs; then the answer is written. */
bool sim_transaction_fails(struct dynamodb_call *call, bool audited);
/* Whether chance gives some of its reasons other codes. */
bool sim_transaction_mixes(struct dynamodb_call *call);
/* sim_transaction.c */
struct call *sim_transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                          void *user);
/* sim_locks.c */
bool sim_is_locked(struct sim_dynamodb *db, const struct sim_action *a);
void sim_lock(struct sim_dynamodb *db, const struct sim_action *actions, size_t count);
void sim_unlock(struct sim_dynamodb *db, const struct sim_action *actions, size_t count);
/* The request_hash of an item; "" where there is none. */
void sim_request_hash(struct json_object *item, char ret_hash[static REQUEST_HASH_TEXT_SIZE]);
static inline const char *sim_json_text(struct json_object *object) {
    return json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
