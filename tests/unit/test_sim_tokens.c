/* The simulated ClientRequestTokens. */
#include "sim_table_fixture.h"

static void a_token_answers_for_ten_minutes_after_the_commit(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    assert_int_equal(transact(&t, "k", 2, 1, "", "token").call.class, CALL_OK);
    sim_table_put(t.users, "k", "n", "1");
    world_run(&t.world, 599 * SECOND);
    assert_int_equal(transact(&t, "k", 2, 1, "", "token").call.class, CALL_OK);
    assert_string_equal(sim_table_get(t.users, "k", "n"), "1");
    assert_string_equal(transact(&t, "k", 3, 1, "", "token").call.code, "IdempotentParameterMismatchException");
    world_run(&t.world, SECOND);
    assert_int_equal(transact(&t, "k", 3, 1, "", "token").call.class, CALL_OK);
    assert_string_equal(sim_table_get(t.users, "k", "n"), "3");
    assert_int_equal(t.db->happened.tokens_replayed, 1);
    assert_int_equal(t.db->happened.tokens_mismatched, 1);
    world_done(&t.world);
}

static void a_cancelled_transaction_leaves_its_token_free(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    struct transact_result r = transact(&t, "k", 2, 5, "", "token");
    expect_reasons(&r, "ConditionalCheckFailed", NULL);
    sim_table_put(t.users, "k", "n", "5");
    assert_int_equal(transact(&t, "k", 2, 5, "", "token").call.class, CALL_OK);
    assert_int_equal(t.db->committed, 1);
    world_done(&t.world);
}

static void the_order_of_members_is_no_other_request(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    assert_int_equal(
        sim_client_transact(t.db, "{\"ClientRequestToken\":\"t\",\"TransactItems\":[{\"Put\":{\"TableName\":\"users\","
                                  "\"Item\":{\"id\":{\"S\":\"x\"},\"a\":{\"N\":\"1\"}}}}]}")
            .call.class,
        CALL_OK);
    assert_int_equal(
        sim_client_transact(t.db, "{\"TransactItems\":[{\"Put\":{\"Item\":{\"a\":{\"N\":\"1\"},\"id\":{\"S\":\"x\"}},"
                                  "\"TableName\":\"users\"}}],\"ClientRequestToken\":\"t\"}")
            .call.class,
        CALL_OK);
    assert_int_equal(t.db->committed, 1);
    world_done(&t.world);
}

static void a_token_in_use_is_in_progress_and_only_for_the_same_request(void **state) {
    (void)state;
    struct tables t;
    struct pending first;
    char body[REQUEST_SIZE];
    tables_init(&t);
    t.db->commit_time = SECOND;
    make_request(body, "k", 2, 1, "", "token");
    begin_transaction(&t, &first, body, NEVER);
    world_run(&t.world, 100 * MILLISECOND);
    assert_string_equal(transact(&t, "k", 2, 1, "", "token").call.code, "TransactionInProgressException");
    assert_string_equal(transact(&t, "k", 3, 1, "", "token").call.code, "IdempotentParameterMismatchException");
    world_run(&t.world, SECOND);
    assert_true(first.done);
    assert_int_equal(transact(&t, "k", 2, 1, "", "token").call.class, CALL_OK);
    world_done(&t.world);
}

static void a_token_has_36_characters_at_most(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    assert_int_equal(transact(&t, "k", 2, 1, "", "123456789012345678901234567890123456").call.class, CALL_OK);
    assert_string_equal(transact(&t, "k", 2, 1, "", "1234567890123456789012345678901234567").call.code,
                        "ValidationException");
    world_done(&t.world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_answers_for_ten_minutes_after_the_commit),
        cmocka_unit_test(a_cancelled_transaction_leaves_its_token_free),
        cmocka_unit_test(the_order_of_members_is_no_other_request),
        cmocka_unit_test(a_token_in_use_is_in_progress_and_only_for_the_same_request),
        cmocka_unit_test(a_token_has_36_characters_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
