#include "update_fixture.h"

static void assert_hashes(const struct fixture *f, const char *body, const char *log_id, const char *request_hash) {
    struct update *u = read_fit(f, body);
    if (log_id)
        assert_string_equal(u->log_id, log_id);
    assert_string_equal(u->request_hash, request_hash);
    update_free(u);
}

/* The golden values are SHA-256 of the texts that the format's comment describes, made with another program. They must
 * never change. */
static void log_id_and_request_hash_are_frozen(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    assert_hashes(&f, EXAMPLE, "042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268",
                  "v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7");
    assert_hashes(&f,
                  "{\"idempotency_key\":\"order-7\",\"id\":\"user-123\","
                  "\"attributes\":{\"name\":\"John Doe\",\"email\":\"john@example.com\",\"status\":\"active\"}}",
                  "226506dd8c8ea1c6f4ddadf38804b9c85411814c2f22d3c8e1765fdce769a973",
                  "v1:e8e13d0734208c00d382be069657d81f8b978bfba405ab01aeacb4c4d9d96f6c");
    fixture_make_composite(&f);
    assert_hashes(&f,
                  "{\"idempotency_key\":\"schl\\u00fcssel\\u0000x\",\"id\":{\"sk\":15e-1,\"pk\":\"a\\u0000\"},"
                  "\"attributes\":{\"b\":{},\"a\":[1e38,{\"y\":\"\\u00e9\\n\",\"x\":null}],\"B\":false},"
                  "\"condition_expression\":\"(version < 5.0) and (status = 'it''s' or attribute_exists(m.n[4]))\"}",
                  "24c03752d4910d6e6666bb8484ec3fe6957b73337a59a2bb6d006babfb58a7ae",
                  "v1:1b32ef48ee5339da694d7e7f1f132f843026f5e4775539ea92427474ba1f8cad");
    fixture_done(&f);
}

/* The second version, of messages with more than attributes: golden values as above. */
static void request_hashes_of_the_second_version_are_frozen(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"id\":\"u\",\"increment\":{\"logins\":1}}",
         "v2:f71d81c2eea2e655d39e2f63ddd3ef3dec8a9c6d4190d0d3072a7c8b30ee384c"},
        {"{\"id\":\"u\",\"attributes\":{\"b\":1e38,\"a\":\"x\"},\"create_if_missing\":true,\"condition_expression\":"
         "\"version < 5.0\"}",
         "v2:afddb300926b33f6e37cbb59692e0f9ac51669627d789576b707ffdd7799f41c"},
        {"{\"id\":\"u\",\"remove\":[\"z\",\"a.b[10]\",\"a.b[9]\",\"`a-b`\"],\"append\":{\"l\":[{\"y\":1,\"x\":[]}]},"
         "\"set\":{\"#n.c"
         "\":null,\"`it``s`\":true},\"increment\":{\"m.n\":-0.50},\"typed_attributes\":{\"t\":{\"NS\":[\"9\",\"1e5\","
         "\"10.0\"]},\"s"
         "\":{\"M\":{\"q\":{\"B\":\"AA==\"},\"p\":{\"SS\":[\"b\",\"a\"]}}}},\"expression_attribute_names\":{\"#n\":\"d "
         "e\"}}",
         "v2:cdfe88947da09122197baa015966c1a5692322e4c2db8dcf1e438b09315ac3ff"},
    };
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_hashes(&f, cases[i][0], NULL, cases[i][1]);
    fixture_done(&f);
}

static void what_makes_no_difference_is_of_the_first_version(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    struct update *u = read_fit(&f, "{\"id\":\"u\",\"attributes\":{\"a\":1}}");
    assert_hashes(&f, "{\"id\":\"u\",\"attributes\":{\"a\":1},\"create_if_missing\":false}", NULL, u->request_hash);
    update_free(u);
    fixture_done(&f);
}

static void one_table_has_one_log_id_whichever_way_it_is_named(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    (void)snprintf(f.table.name, sizeof f.table.name, "arn:aws:dynamodb:eu-west-1:123456789012:table/users");
    (void)snprintf(f.table.own_name, sizeof f.table.own_name, "users");
    assert_hashes(&f, EXAMPLE, "042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268",
                  "v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7");
    fixture_done(&f);
}

static void what_is_not_audited_has_no_request_hash(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_OFF;
    assert_hashes(&f, "{\"id\":\"u\",\"attributes\":{\"a\":1}}", NULL, "");
    fixture_done(&f);
}

static void spelling_makes_no_difference(void **state) {
    (void)state;
    static const char *const same[] = {
        "{\"id\":\"u\",\"attributes\":{\"a\":1.50,\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"v < 5 "
        "AND s = 'x'\"}",
        "{ \"attributes\" : {\"b\":{\"\\u0079\":[1e2],\"x\":\"\\u0071\"},\"a\":15e-1} , "
        "\"id\":\"\\u0075\",\"enable_logging\":true,"
        "\"condition_expression\":\"((v<5.0)) and s=\\\"x\\\"\",\"idempotency_key\":\"other\"}",
        "{\"id\":\"u\",\"attributes\":{\"a\":1.5,\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"#v < "
        ":five AND `s` = :x\","
        "\"expression_attribute_names\":{\"#v\":\"v\"},\"expression_attribute_values\":{\":x\":\"x\",\":five\":5}}",
    };
    static const char *const other[] = {
        "{\"id\":\"u\",\"attributes\":{\"a\":1.50,\"b\":{\"x\":\"q\",\"y\":[100]}}}",
        "{\"id\":\"w\",\"attributes\":{\"a\":1.50,\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"v < 5 "
        "AND s = 'x'\"}",
        "{\"id\":\"u\",\"attributes\":{\"a\":\"1.5\",\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"v < 5 "
        "AND s = 'x'\"}",
        "{\"id\":\"u\",\"attributes\":{\"a\":1.50,\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"v <= 5 "
        "AND s = 'x'\"}",
        "{\"id\":\"u\",\"attributes\":{\"a\":1.50,\"b\":{\"x\":\"q\",\"y\":[100]}},\"condition_expression\":\"v < 5 "
        "AND s = 5\"}",
    };
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    struct update *first = read_fit(&f, same[0]);
    for (size_t i = 1; i < ARRAY_LENGTH(same); i++)
        assert_hashes(&f, same[i], NULL, first->request_hash);
    for (size_t i = 0; i < ARRAY_LENGTH(other); i++) {
        struct update *u = read_fit(&f, other[i]);
        assert_string_not_equal(u->request_hash, first->request_hash);
        update_free(u);
    }
    update_free(first);
    fixture_done(&f);
}

static void a_stored_hash_is_the_same_another_or_of_a_version_that_is_not_known(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, EXAMPLE);
    assert_int_equal(update_compare_hash(u, span_cstr(u->request_hash)), HASH_SAME);
    assert_int_equal(
        update_compare_hash(u, SPAN("v1:0000000000000000000000000000000000000000000000000000000000000000")),
        HASH_OTHER);
    assert_int_equal(
        update_compare_hash(u, SPAN("v2:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7")),
        HASH_OTHER);
    assert_int_equal(
        update_compare_hash(u, SPAN("v3:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7")),
        HASH_UNKNOWN);
    assert_int_equal(update_compare_hash(u, SPAN("")), HASH_UNKNOWN);
    assert_int_equal(update_compare_hash(u, (struct span){NULL, 0}), HASH_UNKNOWN);
    update_fail_reused_key(u);
    assert_int_equal(u->failure.type, ERROR_VALIDATION);
    assert_non_null(strstr(u->failure.details.data, "\"field\":\"idempotency_key\""));
    update_free(u);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_id_and_request_hash_are_frozen),
        cmocka_unit_test(request_hashes_of_the_second_version_are_frozen),
        cmocka_unit_test(what_makes_no_difference_is_of_the_first_version),
        cmocka_unit_test(one_table_has_one_log_id_whichever_way_it_is_named),
        cmocka_unit_test(what_is_not_audited_has_no_request_hash),
        cmocka_unit_test(spelling_makes_no_difference),
        cmocka_unit_test(a_stored_hash_is_the_same_another_or_of_a_version_that_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
