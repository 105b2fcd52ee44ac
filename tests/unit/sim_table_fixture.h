/* What the tests of the simulated tables share: `users` (k: n = 1), `audit_logs`, and transactions on both. */
#pragma once

#include "sim_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND MICROSECONDS

struct tables {
    struct world world;
    struct sim_dynamodb *db;
    struct sim_table *users, *audit;
};

static inline void tables_init(struct tables *t) {
    world_init(&t->world, 7);
    t->db = &t->world.dynamodb;
    t->users = sim_dynamodb_add_table(t->db, "users", "id");
    t->audit = sim_dynamodb_add_table(t->db, "audit_logs", "log_id");
    sim_table_put(t->users, "k", "n", "1");
}

#define REQUEST_SIZE 1024

/* Sets n of a record, which must have `least` at least; with an audit record where log_id isn't "", with a token where
 * that isn't. */
static inline void make_request(char ret_body[static REQUEST_SIZE], const char *key, int n, int least,
                                const char *log_id, const char *token) {
    int len = snprintf(ret_body, REQUEST_SIZE,
                       "{\"TransactItems\":[{\"Update\":{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"%s\"}},"
                       "\"UpdateExpression\":\"SET #0=:0\","
                       "\"ConditionExpression\":\"attribute_exists(#1) AND #0 >= "
                       ":1\",\"ExpressionAttributeNames\":{\"#0\":\"n\",\"#1\":\"id\"},"
                       "\"ExpressionAttributeValues\":{\":0\":{\"N\":\"%d\"},\":1\":{\"N\":\"%d\"}},"
                       "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}",
                       key, n, least);
    if (log_id[0])
        len += snprintf(ret_body + len, REQUEST_SIZE - (size_t)len,
                        ",{\"Put\":{\"TableName\":\"audit_logs\",\"Item\":{\"log_id\":{\"S\":\"%s\"},\"request_hash\":{"
                        "\"S\":\"v1:%d\"}},"
                        "\"ConditionExpression\":\"attribute_not_exists(log_id)\","
                        "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}",
                        log_id, n);
    len += snprintf(ret_body + len, REQUEST_SIZE - (size_t)len, "]");
    if (token[0])
        len += snprintf(ret_body + len, REQUEST_SIZE - (size_t)len, ",\"ClientRequestToken\":\"%s\"", token);
    snprintf(ret_body + len, REQUEST_SIZE - (size_t)len, "}");
}

static inline struct transact_result transact(struct tables *t, const char *key, int n, int least, const char *log_id,
                                              const char *token) {
    char body[REQUEST_SIZE];
    make_request(body, key, n, least, log_id, token);
    return sim_client_transact(t->db, body);
}

static inline void expect_reasons(const struct transact_result *r, const char *update, const char *audit) {
    assert_string_equal(r->call.code, "TransactionCanceledException");
    assert_int_equal(r->reason_count, audit ? 2 : 1);
    assert_string_equal(r->reasons[0].code, update);
    if (audit)
        assert_string_equal(r->reasons[1].code, audit);
}

/* A transaction that is not waited for. */
struct pending {
    struct call *call;
    struct transact_result answer;
    bool done;
};

static inline void pending_done(void *user, const struct transact_result *result) {
    struct pending *p = user;
    p->answer = *result;
    p->done = true;
}

static inline void begin_transaction(struct tables *t, struct pending *p, const char *body, int64_t deadline) {
    struct dynamodb_api port = sim_dynamodb_api(t->db);
    struct call_options options = {.deadline = deadline, .max_attempts = 1};
    *p = (struct pending){0};
    p->call = port.transact(port.ctx, span_cstr(body), &options, pending_done, p);
    assert_non_null(p->call);
}
