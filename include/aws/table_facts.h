/* What a table is besides its key: `check` looks at it, the worker doesn't need it. Same rules as in dynamodb.h: NULL
 * (no memory), or done exactly once, later, unless call_cancel() ends the call before. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "dynamodb.h"
#include "table_shape.h"

#include <stdbool.h>

#define TABLE_STATUS_SIZE 48
#define TABLE_KMS_KEY_SIZE 256

struct table_facts {
    struct table_shape shape; /* its name is the one that was asked for */
    char status[TABLE_STATUS_SIZE]; /* TableStatus */
    char kms_key[TABLE_KMS_KEY_SIZE]; /* the ARN of its key in KMS; "": it has DynamoDB's own */
    char ttl_status[TABLE_STATUS_SIZE]; /* TimeToLiveStatus */
    char ttl_attribute[KEY_NAME_MAX + 1]; /* "": none */
    char recovery_status[TABLE_STATUS_SIZE]; /* PointInTimeRecoveryStatus */
};

struct aws_client;

/* Each fills in its own part of ret_facts, and leaves the rest alone. ret_facts must outlive the call; the part counts
 * only if the result's class is CALL_OK. table_name is the table's name or ARN. */
MUST_USE struct call *table_facts_describe(struct aws_client *client, const char *table_name,
                                           const struct call_options *options, struct table_facts *ret_facts,
                                           call_done *done, void *user);
MUST_USE struct call *table_facts_ttl(struct aws_client *client, const char *table_name,
                                      const struct call_options *options, struct table_facts *ret_facts,
                                      call_done *done, void *user);
MUST_USE struct call *table_facts_recovery(struct aws_client *client, const char *table_name,
                                           const struct call_options *options, struct table_facts *ret_facts,
                                           call_done *done, void *user);
