/* The simulated transactions: what the worker's tests rely on. */
#include "sim_table_fixture.h"

static void all_is_written_or_nothing(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    assert_int_equal(transact(&t, "k", 2, 1, "a", "").call.class, CALL_OK);
    assert_string_equal(sim_table_get(t.users, "k", "n"), "2");
    assert_string_equal(sim_table_get(t.audit, "a", "request_hash"), "v1:2");
    struct transact_result r = transact(&t, "k", 3, 9, "b", "");
    expect_reasons(&r, "ConditionalCheckFailed", "None");
    assert_true(r.reasons[0].has_item);
    r = transact(&t, "k", 3, 1, "a", "");
    expect_reasons(&r, "None", "ConditionalCheckFailed");
    assert_string_equal(r.reasons[1].request_hash, "v1:2");
    r = transact(&t, "none", 3, 9, "a", "");
    expect_reasons(&r, "ConditionalCheckFailed", "ConditionalCheckFailed");
    assert_false(r.reasons[0].has_item);
    assert_true(r.reasons[1].has_item);
    assert_string_equal(sim_table_get(t.users, "k", "n"), "2");
    assert_int_equal(sim_table_count(t.audit), 1);
    world_done(&t.world);
}

static void what_is_invalid_is_refused_at_once_but_for_the_types_of_keys(void **state) {
    (void)state;
    static const struct {
        const char *actions, *code, *reason;
    } cases[] = {
        {"", "ValidationException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"id\":{\"S\":\"\"}}}}", "ValidationException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"x\":{\"S\":\"a\"}}}}", "ValidationException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"id\":{\"N\":\"1\"}}}}", "TransactionCanceledException",
         "ValidationError"},
        {"{\"Put\":{\"TableName\":\"nowhere\",\"Item\":{\"id\":{\"S\":\"a\"}}}}", "ResourceNotFoundException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"id\":{\"S\":\"a\"}}}},{\"Put\":{\"TableName\":\"users\","
         "\"Item\":{\"id\":{\"S\":\"a\"}}}}",
         "ValidationException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"id\":{\"S\":\"a\"}},\"ConditionExpression\":\"attribute_exists("
         "#a)\"}}",
         "ValidationException", NULL},
        {"{\"Put\":{\"TableName\":\"users\",\"Item\":{\"id\":{\"S\":\"a\"}},\"ConditionExpression\":\"attribute_exists("
         "id)\","
         "\"ExpressionAttributeNames\":{\"#a\":\"id\"}}}",
         "ValidationException", NULL},
        {"{\"Update\":{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"a\"},\"x\":{\"S\":\"a\"}},\"UpdateExpression\":"
         "\"SET y = :v\","
         "\"ExpressionAttributeValues\":{\":v\":{\"S\":\"\"}}}}",
         "ValidationException", NULL},
    };
    struct tables t;
    tables_init(&t);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char body[REQUEST_SIZE];
        snprintf(body, sizeof body, "{\"TransactItems\":[%s]}", cases[i].actions);
        struct transact_result r = sim_client_transact(t.db, body);
        assert_string_equal(r.call.code, cases[i].code);
        assert_int_equal(r.reason_count, cases[i].reason ? 1 : 0);
        if (cases[i].reason)
            assert_string_equal(r.reasons[0].code, cases[i].reason);
    }
    assert_int_equal(sim_table_count(t.users), 1);
    world_done(&t.world);
}

static void transactions_that_overlap_conflict_where_they_meet(void **state) {
    (void)state;
    struct tables t;
    struct pending first;
    char body[REQUEST_SIZE];
    tables_init(&t);
    t.db->commit_time = SECOND;
    make_request(body, "k", 2, 1, "a", "");
    begin_transaction(&t, &first, body, NEVER);
    world_run(&t.world, 100 * MILLISECOND);
    struct transact_result r = transact(&t, "k", 3, 1, "b", "");
    expect_reasons(&r, "TransactionConflict", "None");
    r = transact(&t, "none", 3, 1, "a", "");
    expect_reasons(&r, "ConditionalCheckFailed", "TransactionConflict");
    assert_int_equal(r.call.class, CALL_RETRY);
    assert_string_equal(sim_client_put_item(t.db, "{\"TableName\":\"users\",\"Item\":{\"id\":{\"S\":\"k\"}}}").code,
                        "TransactionConflictException");
    assert_false(first.done);
    assert_string_equal(sim_table_get(t.users, "k", "n"), "1");
    world_run(&t.world, 2 * SECOND);
    assert_int_equal(first.answer.call.class, CALL_OK);
    assert_int_equal(transact(&t, "k", 3, 2, "b", "").call.class, CALL_OK);
    world_done(&t.world);
}

static void a_commit_outlives_its_client(void **state) {
    (void)state;
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        struct tables t;
        struct pending p;
        char body[REQUEST_SIZE];
        tables_init(&t);
        t.db->commit_time = 5 * SECOND;
        make_request(body, "k", 2, 1, "a", "token");
        begin_transaction(&t, &p, body, cancelled ? NEVER : t.world.now + 2 * SECOND);
        world_run(&t.world, SECOND);
        if (cancelled) {
            struct dynamodb_api port = sim_dynamodb_api(t.db);
            port.cancel(port.ctx, p.call);
        }
        world_run(&t.world, 2 * SECOND);
        assert_int_equal(p.done, !cancelled);
        assert_string_equal(transact(&t, "k", 2, 1, "a", "token").call.code, "TransactionInProgressException");
        assert_int_equal(t.db->committed, 0);
        world_run(&t.world, 5 * SECOND);
        assert_int_equal(t.db->committed, 1);
        assert_int_equal(transact(&t, "k", 2, 1, "a", "token").call.class, CALL_OK);
        assert_int_equal(t.db->committed, 1);
        world_done(&t.world);
    }
}

static void a_request_whose_connection_broke_may_arrive_late(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    t.db->late_requests = 1000;
    assert_int_equal(transact(&t, "k", 2, 1, "a", "").call.status, 0);
    assert_int_equal(t.db->committed, 0);
    t.db->late_requests = 0;
    world_run(&t.world, 61 * SECOND);
    assert_int_equal(t.db->committed, 1);
    world_done(&t.world);
}

static void chance_refuses_before_and_after_the_commit(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    const struct {
        unsigned *per_mille;
        const char *code;
        enum call_class class;
        unsigned committed;
    } cases[] = {
        {&t.db->limits, "RequestLimitExceeded", CALL_THROTTLED, 0},
        {&t.db->throttles, "ProvisionedThroughputExceededException", CALL_THROTTLED, 0},
        {&t.db->denials, "AccessDeniedException", CALL_DENIED, 0},
        {&t.db->validations, "ValidationException", CALL_PERMANENT, 0},
        {&t.db->errors, "InternalServerError", CALL_RETRY, 0},
        {&t.db->errors_after, "InternalServerError", CALL_RETRY, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        *cases[i].per_mille = 1000;
        struct transact_result r = transact(&t, "k", 2, 1, "a", "");
        *cases[i].per_mille = 0;
        assert_string_equal(r.call.code, cases[i].code);
        assert_int_equal(r.call.class, cases[i].class);
        assert_int_equal(t.db->committed, cases[i].committed);
    }
    t.db->transact.mode = SIM_SKEWED;
    assert_int_equal(transact(&t, "k", 2, 1, "b", "").call.class, CALL_CLOCK);
    world_done(&t.world);
}

static void mixtures_reach_every_position_and_stand_beside_what_is_true(void **state) {
    (void)state;
    static const char *const codes[] = {"None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError",
                                        "ProvisionedThroughputExceeded"};
    unsigned seen[5][5] = {0};
    struct tables t;
    tables_init(&t);
    assert_int_equal(transact(&t, "k", 1, 1, "a", "").call.class, CALL_OK);
    t.db->mixtures = 1000;
    for (int i = 0; i < 2000; i++) {
        struct transact_result r = transact(&t, "k", 2, i & 1 ? 9 : 1, i & 2 ? "a" : "b", "");
        assert_int_equal(r.reason_count, 2);
        for (size_t u = 0; u < 5; u++)
            for (size_t a = 0; a < 5; a++)
                seen[u][a] += !strcmp(r.reasons[0].code, codes[u]) && !strcmp(r.reasons[1].code, codes[a]);
    }
    assert_int_equal(t.db->committed, 1);
    for (size_t u = 0; u < 5; u++)
        for (size_t a = 0; a < 5; a++)
            assert_int_equal(seen[u][a] > 0, u > 1 || a > 1);
    world_done(&t.world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_written_or_nothing),
        cmocka_unit_test(what_is_invalid_is_refused_at_once_but_for_the_types_of_keys),
        cmocka_unit_test(transactions_that_overlap_conflict_where_they_meet),
        cmocka_unit_test(a_commit_outlives_its_client),
        cmocka_unit_test(a_request_whose_connection_broke_may_arrive_late),
        cmocka_unit_test(chance_refuses_before_and_after_the_commit),
        cmocka_unit_test(mixtures_reach_every_position_and_stand_beside_what_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
