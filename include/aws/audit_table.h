/* What is read of a table of audit records, many at once: records by their keys (BatchGetItem), and whether DynamoDB
 * removes them after a time (DescribeTimeToLive). A struct of functions, so that a test can stand in for the service.
 * The rules of calls are those of dynamodb.h. */
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
    int64_t written, expires; /* microseconds since 1970: `timestamp` and `expires_at`; 0: none that can be read, or it
                                 wasn't asked for */
};

enum audit_ttl { AUDIT_TTL_OFF, AUDIT_TTL_ON };

/* ttl is meant only where the class is CALL_OK; it is on also while it is being turned on or off. */
typedef void audit_ttl_done(void *user, const struct call_result *result, enum audit_ttl ttl);
typedef void audit_looked(void *user, const struct call_result *result);

struct audit_table_api {
    void *ctx;
    /* Strongly consistent; with_times: how long records live is asked for as well. looks (at most AUDIT_LOOKS_MAX, no
     * key twice) are borrowed until done, and have been written to then where the class is CALL_OK. table: its name or
     * ARN. */
    struct call *(*look)(void *ctx, const char *table, struct audit_look *looks, size_t count, bool with_times,
                         const struct call_options *options, audit_looked *done, void *user);
    struct call *(*describe_ttl)(void *ctx, const char *table, const struct call_options *options, audit_ttl_done *done,
                                 void *user);
    void (*cancel)(void *ctx, struct call *call);
};

struct aws_client;
/* Over signed calls of DynamoDB's client, which is borrowed. */
struct audit_table_api audit_table_api(struct aws_client *client);
