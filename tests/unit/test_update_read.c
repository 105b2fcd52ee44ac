#include "update_fixture.h"

static void the_example_of_the_contract_is_fit(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, EXAMPLE);
    assert_true(u->readable && u->audited);
    assert_false(u->own_key || u->unwrapped);
    assert_span(u->idempotency_key, MESSAGE_ID);
    assert_span(u->id, "\"user-123\"");
    assert_span(u->record, "{\"id\":{\"S\":\"user-123\"}}");
    assert_int_equal(u->request.len, 0);
    update_free(u);
    update_free(NULL);
    fixture_done(&f);
}

static void audit_is_what_the_message_says_or_else_the_setting_and_always_overrules_both(void **state) {
    (void)state;
    static const char *const says[] = {"", ",\"enable_logging\":true", ",\"enable_logging\":false"};
    static const bool audited[3][3] = {
        [AUDIT_OFF] = {false, true, false},
        [AUDIT_ON] = {true, true, false},
        [AUDIT_ALWAYS] = {true, true, true},
    };
    struct fixture f;
    fixture_init(&f);
    for (unsigned mode = 0; mode < 3; mode++) {
        for (size_t i = 0; i < ARRAY_LENGTH(says); i++) {
            f.context.audit = (enum audit_mode)mode;
            char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1}%s}", says[i]);
            struct update *u = read_fit(&f, body);
            assert_int_equal(u->audited, audited[mode][i]);
            update_free(u);
            free(body);
        }
    }
    fixture_done(&f);
}

static void asking_for_audit_where_there_is_no_table_is_a_validation_error(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit_table_exists = false;
    assert_invalid(&f, EXAMPLE, "enable_logging");
    struct update *u = read_text(&f, EXAMPLE);
    assert_false(u->audited);
    update_free(u);
    assert_fit(&f, "{\"id\":\"a\",\"attributes\":{\"x\":1},\"enable_logging\":false}");
    fixture_done(&f);
}

static void a_key_of_its_own_is_the_producers_up_to_256_bytes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, "{\"id\":\"a\",\"attributes\":{\"x\":1},\"idempotency_key\":\"k\\u00e9\"}");
    assert_true(u->own_key);
    assert_span(u->idempotency_key, "k\xC3\xA9");
    update_free(u);
    for (size_t size = 256; size <= 257; size++) {
        char *key = repeated("k", size);
        char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},\"idempotency_key\":\"%s\"}", key);
        if (size == 256)
            assert_fit(&f, body);
        else
            assert_invalid(&f, body, "idempotency_key");
        u = read_text(&f, body);
        assert_int_equal(u->own_key, size == 256);
        assert_int_equal(u->idempotency_key.len, size == 256 ? 256 : strlen(MESSAGE_ID));
        update_free(u);
        free(body);
        free(key);
    }
    fixture_done(&f);
}

static void the_first_broken_rule_in_the_order_of_the_members_is_reported(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit_table_exists = false;
    char *key = repeated("k", 257);
    const char *const members[] = {"\"id\":1", "\"attributes\":{\"x\":1e999}", "\"enable_logging\":true",
                                   "\"condition_expression\":\"1\""};
    const char *const sound[] = {"\"id\":\"a\"", "\"attributes\":{\"x\":1}", "\"enable_logging\":false",
                                 "\"condition_expression\":\"a=1\""};
    const char *const fields[] = {"id", "attributes.x", "enable_logging", "condition_expression", "idempotency_key"};
    for (size_t first = 0; first <= ARRAY_LENGTH(members); first++) {
        char *body = text_of("{\"idempotency_key\":\"%s\"", key);
        for (size_t i = ARRAY_LENGTH(members); i-- > 0;) {
            char *longer = text_of("%s,%s", body, i < first ? sound[i] : members[i]);
            free(body);
            body = longer;
        }
        char *whole = text_of("%s}", body);
        assert_invalid(&f, whole, fields[first]);
        free(whole);
        free(body);
    }
    free(key);
    fixture_done(&f);
}

static void nothing_stored_stands_in_a_message(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{\"id\":\"SECRET\",\"attributes\":{\"id\":\"SECRET\"}}",
        "{\"id\":\"SECRET\",\"attributes\":{\"x\":[\"SECRET\",1e999]}}",
        "{\"id\":[\"SECRET\"],\"attributes\":{\"x\":1}}",
        "{\"id\":\"a\",\"attributes\":{\"x\":\"SECRET\"},\"idempotency_key\":[\"SECRET\"]}",
        "{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"'SECRET' = 'SECRET'\"}",
        "{\"id\":\"a\",\"attributes\":{\"x\":\"SECRET\"},\"expression_attribute_values\":{\":v\":\"SECRET\"}}",
        "{\"id\":\"SECRET",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct update *u = read_text(&f, bodies[i]);
        assert_int_not_equal(u->failure.type, ERROR_NONE);
        assert_null(strstr(u->failure.message.data, "SECRET"));
        assert_null(strstr(u->failure.details.data, "SECRET"));
        update_free(u);
    }
    fixture_done(&f);
}

static void invalid_utf8_is_not_json(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_refused(&f, "{\"id\":\"\xff\"}", ERROR_INVALID_INPUT, "\"position\":7");
    assert_refused(&f, "\xEF\xBB\xBF{}", ERROR_INVALID_INPUT, "\"position\":0");
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_contract_is_fit),
        cmocka_unit_test(audit_is_what_the_message_says_or_else_the_setting_and_always_overrules_both),
        cmocka_unit_test(asking_for_audit_where_there_is_no_table_is_a_validation_error),
        cmocka_unit_test(a_key_of_its_own_is_the_producers_up_to_256_bytes),
        cmocka_unit_test(the_first_broken_rule_in_the_order_of_the_members_is_reported),
        cmocka_unit_test(nothing_stored_stands_in_a_message),
        cmocka_unit_test(invalid_utf8_is_not_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
