#include "update_fixture.h"

static struct update *build(const struct fixture *f, const char *body, int64_t wall) {
    struct update *u = read_fit(f, body);
    if (!update_build(&f->context, u, wall))
        fail_msg("%s\nis not built: %s", body, u->failure.message.data);
    return u;
}

static void assert_request(const struct fixture *f, const char *body, const char *request) {
    struct update *u = build(f, body, WALL);
    assert_buf(&u->request, request);
    update_free(u);
}

static void an_unaudited_update_is_one_guarded_update_whose_token_is_of_table_and_key(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_request(
        &f, "{\"id\":\"u\",\"attributes\":{\"name\":\"J\",\"age\":4.20e1}}",
        "{\"TransactItems\":[{\"Update\":{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"u\"}},"
        "\"UpdateExpression\":\"SET "
        "#0=:0,#1=:1\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"42\"},\":1\":{\"S\":\"J\"}},"
        "\"ExpressionAttributeNames\":{\"#0\":\"age\",\"#1\":\"name\",\"#2\":\"id\"},"
        "\"ConditionExpression\":\"attribute_exists(#2)\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}],"
        "\"ClientRequestToken\":\"042f812f6e85ad9b7089fb04e7d684c9a3f2\"}");
    fixture_done(&f);
}

static void an_audited_update_puts_its_record_in_the_same_transaction(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_request(
        &f, EXAMPLE,
        "{\"TransactItems\":[{\"Update\":{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"user-123\"}},"
        "\"UpdateExpression\":\"SET "
        "#0=:0,#1=:1,#2=:2\",\"ExpressionAttributeValues\":{\":0\":{\"S\":\"john@example.com\"},"
        "\":1\":{\"S\":\"John "
        "Doe\"},\":2\":{\"S\":\"active\"}},\"ExpressionAttributeNames\":{\"#0\":\"email\",\"#1\":\"name\","
        "\"#2\":\"status\",\"#3\":\"id\",\"#4\":\"email\"},"
        "\"ConditionExpression\":\"attribute_exists(#3) AND attribute_not_exists(#4)\","
        "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}},{\"Put\":{\"TableName\":\"audit_logs\",\"Item\":{"
        "\"log_id\":{\"S\":\"042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268\"},"
        "\"timestamp\":{\"S\":\"" WALL_TEXT "\"},\"table_name\":{\"S\":\"users\"},\"record_id\":{\"S\":\"user-123\"},"
        "\"record_key\":{\"S\":\"user-123\"},"
        "\"updated_attributes\":{\"M\":{\"email\":{\"S\":\"john@example.com\"},\"name\":{\"S\":\"John Doe\"},"
        "\"status\":{\"S\":\"active\"}}},\"user_agent\":{\"S\":\"table-updater/0.1.0\"},\"status\":{\"S\":\"success\"},"
        "\"idempotency_key\":{\"S\":\"" MESSAGE_ID "\"},"
        "\"request_hash\":{\"S\":\"v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7\"}},"
        "\"ConditionExpression\":\"attribute_not_exists(log_id)\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}"
        "],"
        "\"ClientRequestToken\":\"05f74ffee9c0252f2385329b4d4766290307\"}");
    fixture_done(&f);
}

static void assert_part(const struct fixture *f, const char *body, const char *part) {
    struct update *u = build(f, body, WALL);
    if (!strstr(u->request.data, part))
        fail_msg("%s\ngives\n%s\nwithout\n%s", body, u->request.data, part);
    update_free(u);
}

static void the_condition_stands_behind_the_guard_and_its_text_nowhere(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_part(&f, "{\"id\":\"u\",\"attributes\":{\"a\":1},\"condition_expression\":\"v<5 or s='x'\"}",
                "\"ConditionExpression\":\"attribute_exists(#1) AND (#2<:1 OR #3=:2)\"");
    assert_part(
        &f,
        "{\"id\":\"u\",\"attributes\":{\"a\":1},\"condition_expression\":\"a = 'x) OR attribute_exists(id) OR (a'\"}",
        "\"ConditionExpression\":\"attribute_exists(#1) AND #2=:1\"");
    assert_part(
        &f,
        "{\"id\":\"u\",\"attributes\":{\"a\":1},\"condition_expression\":\"a = 'x) OR attribute_exists(id) OR (a'\"}",
        "\":0\":{\"N\":\"1\"},\":1\":{\"S\":\"x) OR attribute_exists(id) OR (a\"}}");
    assert_part(&f,
                "{\"id\":\"u\",\"attributes\":{\"a\":1},\"condition_expression\":\"`\\\\\\\"` = :v\","
                "\"expression_attribute_values\":{\":v\":{\"z\":1,\"a\":[\"\\u0000\"]}}}",
                "\":1\":{\"M\":{\"a\":{\"L\":[{\"S\":\"\\u0000\"}]},\"z\":{\"N\":\"1\"}}}},"
                "\"ExpressionAttributeNames\":{\"#0\":\"a\",\"#1\":\"id\",\"#2\":\"\\\\\\\"\"}");
    fixture_done(&f);
}

static void fault_03_spelling_and_order_make_no_difference_to_the_bytes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *a =
        build(&f, "{\"id\":\"u\",\"attributes\":{\"a\":10,\"b\":{\"x\":1,\"y\":2}},\"enable_logging\":true}", WALL);
    struct update *b = build(
        &f, "{\"enable_logging\":true,\"attributes\":{\"b\":{\"y\":2.0,\"x\":1},\"a\":1e1},\"id\":\"\\u0075\"}", WALL);
    assert_buf(&b->request, a->request.data);
    update_free(b);
    b = build(&f, "{\"id\":\"u\",\"attributes\":{\"a\":10,\"b\":{\"x\":1,\"y\":2}},\"enable_logging\":true}",
              WALL + 1000);
    assert_string_not_equal(b->request.data, a->request.data);
    update_free(b);
    update_free(a);
    a = build(&f, "{\"id\":\"u\",\"attributes\":{\"a\":10}}", WALL);
    b = build(&f, "{\"id\":\"u\",\"attributes\":{\"a\":10}}", 0);
    assert_buf(&b->request, a->request.data);
    update_free(b);
    update_free(a);
    fixture_done(&f);
}

/* Of the bytes that came before it, so that a deliverer who builds other bytes has another token. */
static void an_audited_token_and_the_hash_for_the_signature_are_of_the_bytes_that_are_sent(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = build(&f, EXAMPLE, WALL);
    uint8_t hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE + 1];
    size_t token_at = u->request.len - 38;
    assert_true(digest_sha256(f.context.digest, span_of(u->request.data, token_at), hash));
    hex_encode(hash, sizeof hash, hex);
    assert_memory_equal(u->request.data + token_at, hex, 36);
    assert_true(u->request_hashed);
    assert_true(digest_sha256(f.context.digest, buf_span(&u->request), hash));
    assert_memory_equal(u->request_sha256, hash, sizeof hash);
    update_next_token(&f.context, u);
    assert_false(u->request_hashed);
    update_free(u);
    u = build(&f, "{\"id\":\"u\",\"attributes\":{\"a\":1}}", WALL);
    assert_false(u->request_hashed);
    update_free(u);
    fixture_done(&f);
}

static void fault_03_the_next_token_differs_in_the_token_alone_every_time(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = build(&f, EXAMPLE, WALL);
    char *first = text_of("%s", u->request.data);
    char seen[20][40];
    size_t token_at = u->request.len - 38;
    for (size_t i = 0; i < ARRAY_LENGTH(seen); i++) {
        memcpy(seen[i], u->request.data + token_at, 37);
        seen[i][36] = '\0';
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        update_next_token(&f.context, u);
        assert_int_equal(u->request.len, strlen(first));
        assert_memory_equal(u->request.data, first, token_at);
        assert_string_equal(u->request.data + u->request.len - 2, "\"}");
        assert_int_equal(strspn(u->request.data + token_at, "0123456789abcdef"), 36);
    }
    /* A carry goes through all digits. */
    memset(u->request.data + token_at, 'f', 36);
    update_next_token(&f.context, u);
    assert_memory_equal(u->request.data + token_at, "000000000000000000000000000000000000", 36);
    memcpy(u->request.data + token_at + 34, "9f", 2);
    update_next_token(&f.context, u);
    assert_memory_equal(u->request.data + token_at + 34, "a0", 2);
    free(first);
    update_free(u);
    fixture_done(&f);
}

static void a_bound_condition_beyond_4096_bytes_is_a_validation_error(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct buf body;
    buf_init(&body, SIZE_MAX);
    buf_append_cstr(&body, "{\"id\":\"u\",\"attributes\":{\"a\":1},\"condition_expression\":\"a=1");
    for (unsigned i = 0; i < 120; i++)
        buf_printf(&body, " OR attribute_not_exists(b%u.c.d.e.f)", i);
    buf_append_cstr(&body, "\"}");
    struct update *u = read_fit(&f, body.data);
    assert_false(update_build(&f.context, u, WALL));
    assert_int_equal(u->failure.type, ERROR_VALIDATION);
    assert_non_null(u->failure.details.data);
    assert_non_null(strstr(u->failure.details.data, "\"field\":\"condition_expression\""));
    assert_int_equal(u->request.len, 0);
    update_free(u);
    buf_free(&body);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unaudited_update_is_one_guarded_update_whose_token_is_of_table_and_key),
        cmocka_unit_test(an_audited_update_puts_its_record_in_the_same_transaction),
        cmocka_unit_test(the_condition_stands_behind_the_guard_and_its_text_nowhere),
        cmocka_unit_test(fault_03_spelling_and_order_make_no_difference_to_the_bytes),
        cmocka_unit_test(an_audited_token_and_the_hash_for_the_signature_are_of_the_bytes_that_are_sent),
        cmocka_unit_test(fault_03_the_next_token_differs_in_the_token_alone_every_time),
        cmocka_unit_test(a_bound_condition_beyond_4096_bytes_is_a_validation_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
