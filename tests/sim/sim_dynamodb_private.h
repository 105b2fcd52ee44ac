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
    struct transact_result answer;
    bool found;
    char hash[REQUEST_HASH_TEXT_SIZE];
    struct table_shape shape;
    bool active;
};

enum sim_executed sim_transaction_execute(struct sim_call *base);
void sim_transaction_deliver(struct sim_call *base);
void sim_transaction_begun(struct dynamodb_call *call);
void sim_transaction_ended(struct dynamodb_call *call);
/* The request_hash of an item; "" where there is none. */
void sim_request_hash(struct json_object *item, char ret_hash[static REQUEST_HASH_TEXT_SIZE]);
static inline const char *sim_json_text(struct json_object *object) {
    return json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
