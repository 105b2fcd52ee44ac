/* Reads a table of audit records: many records at once by their keys (BatchGetItem), and whether DynamoDB removes old
 * ones (DescribeTimeToLive). A struct of functions, so that a test can stand in for the service. Calls follow the rules
 * of dynamodb.h. */
#pragma once

#include "call.h"
#include "compiler.h"

#include <stdbool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_LOOKS_MAX 100 /* keys that one BatchGetItem takes */
#define AUDIT_KEY_SIZE 128 /* of a log_id, terminated */
#define AUDIT_ERROR_SIZE 64

enum audit_look_state {
    AUDIT_ABSENT,
    AUDIT_FOUND,
    AUDIT_UNPROCESSED /* the service left it for another request */
};

/* One key that is looked for, and what was found. */
struct audit_look {
    char log_id[AUDIT_KEY_SIZE];
    enum audit_look_state state;
    char error[AUDIT_ERROR_SIZE]; /* the attribute `error`; "": none */
    int64_t written, expires; /* `timestamp`, `expires_at` in microseconds; 0: absent, unreadable, or not asked for */
};

enum audit_ttl { AUDIT_TTL_OFF, AUDIT_TTL_ON };

/* ttl counts only if the class is CALL_OK. AUDIT_TTL_ON also stands for "being turned on" and "being turned off". */
typedef void audit_ttl_done(void *user, const struct call_result *result, enum audit_ttl ttl);
typedef void audit_looked(void *user, const struct call_result *result);

struct audit_table_api {
    void *ctx;
    /* Reads with strong consistency. with_times: also asks how long records live. looks (at most AUDIT_LOOKS_MAX, no
     * key twice) are borrowed until done; if the class is CALL_OK, they are filled in by then. table: its name or
     * ARN. */
    struct call *(*look)(void *ctx, const char *table, struct audit_look *looks, size_t count, bool with_times,
                         const struct call_options *options, audit_looked *done, void *user);
    struct call *(*describe_ttl)(void *ctx, const char *table, const struct call_options *options, audit_ttl_done *done,
                                 void *user);
    void (*cancel)(void *ctx, struct call *call);
};

struct aws_client;
/* Makes signed calls through DynamoDB's client, which is borrowed. */
struct audit_table_api audit_table_api(struct aws_client *client);
