/* Amazon DynamoDB as the worker sees it: a struct of functions, so that a simulation can stand in for the service.
 * Same rules as in sqs.h: NULL or done exactly once, later, unless cancelled. Request bodies are borrowed until done or
 * cancel. API: Amazon DynamoDB API Reference, version 2012-08-10. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>

#define CANCELLATION_REASONS_MAX 2 /* our transactions have one or two actions */
#define REQUEST_HASH_TEXT_SIZE 128

/* What is kept of one cancellation reason. */
struct cancellation_reason {
    char code[CALL_CODE_SIZE]; /* "None" where the action was fine */
    char message[CALL_MESSAGE_SIZE];
    bool has_item; /* the item stood there (ALL_OLD) */
    bool has_request_hash; /* the item has an attribute request_hash of type S that fits */
    char request_hash[REQUEST_HASH_TEXT_SIZE];
};
/* If the reasons of a TransactionCanceledException can't be read, or are all "None", it counts as no answer:
 * CALL_RETRY, not from_service, no reasons. Otherwise call.code is "TransactionCanceledException", reason_count > 0,
 * and call.class is CALL_PERMANENT (CALL_THROTTLED if a reason is a throttle, CALL_RETRY if one is a conflict: the
 * client tries these again, up to max_attempts). */
struct transact_result {
    struct call_result call;
    size_t reason_count;
    struct cancellation_reason reasons[CANCELLATION_REASONS_MAX];
};
typedef void transact_done(void *user, const struct transact_result *result);

/* found and request_hash (NULL: none) are about the item that was read. */
typedef void get_item_done(void *user, const struct call_result *result, bool found, const char *request_hash);
typedef void call_done(void *user, const struct call_result *result);
/* shape: NULL unless the class is CALL_OK; its name is the one that was asked for. active: TableStatus is ACTIVE or
 * UPDATING. */
typedef void describe_table_done(void *user, const struct call_result *result, const struct table_shape *shape,
                                 bool active);

struct dynamodb_api {
    void *ctx;
    struct call *(*transact)(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                             void *user);
    struct call *(*get_item)(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                             void *user);
    struct call *(*put_item)(void *ctx, struct span body, const struct call_options *options, call_done *done,
                             void *user);
    struct call *(*describe_table)(void *ctx, const char *table_name, const struct call_options *options,
                                   describe_table_done *done, void *user);
    void (*cancel)(void *ctx, struct call *call);
    /* Opens so many connections for calls that will come soon. NULL: it can't be done. */
    void (*open_ahead)(void *ctx, unsigned count);
};

/* The api over signed calls. */
struct dynamodb;
struct aws_client;

/* The client is borrowed, and must outlive it. NULL: no memory. */
MUST_USE struct dynamodb *dynamodb_new(struct aws_client *client);
/* No call made through its api may be in flight. NULL is fine. */
void dynamodb_free(struct dynamodb *dynamodb);
struct dynamodb_api dynamodb_api(struct dynamodb *dynamodb);
