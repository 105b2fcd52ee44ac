#include "update_fixture.h"

#include "update_parts.h"

static void assert_item(const struct fixture *f, const char *body, const char *item) {
    struct update *u = read_fit(f, body);
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(u->audited);
    assert_true(audit_append_item(&f->context, u, WALL, &out));
    assert_buf(&out, item);
    buf_free(&out);
    update_free(u);
}

static void a_success_record_has_the_members_of_the_contract(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_item(
        &f, EXAMPLE,
        "{\"log_id\":{\"S\":\"042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268\"},"
        "\"timestamp\":{\"S\":\"" WALL_TEXT "\"},\"table_name\":{\"S\":\"users\"},\"record_id\":{\"S\":\"user-123\"},"
        "\"record_key\":{\"S\":\"user-123\"},"
        "\"updated_attributes\":{\"M\":{\"email\":{\"S\":\"john@example.com\"},\"name\":{\"S\":\"John Doe\"},"
        "\"status\":{\"S\":\"active\"}}},\"user_agent\":{\"S\":\"table-updater/0.1.0\"},\"status\":{\"S\":\"success\"},"
        "\"idempotency_key\":{\"S\":\"" MESSAGE_ID "\"},"
        "\"request_hash\":{\"S\":\"v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7\"}}");
    fixture_done(&f);
}

static void a_record_expires_where_the_setting_says_so(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    f.context.audit_ttl_days = 90;
    struct update *u = read_fit(&f, EXAMPLE);
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(audit_append_item(&f.context, u, WALL, &out));
    /* 1704677672 + 90 * 86400 */
    assert_non_null(strstr(out.data, ",\"expires_at\":{\"N\":\"1712453672\"}}"));
    buf_free(&out);
    update_free(u);
    fixture_done(&f);
}

static void the_record_id_is_the_ids_dynamodb_value(void **state) {
    (void)state;
    static const struct {
        enum key_type type;
        const char *id, *record_id;
    } cases[] = {
        {KEY_STRING, "\"a\\\"b\"", "\"record_id\":{\"S\":\"a\\\"b\"},\"record_key\":{\"S\":\"a\\\"b\"},"},
        {KEY_NUMBER, "10e-1", "\"record_id\":{\"N\":\"1\"},\"record_key\":{\"S\":\"1\"},"},
        {KEY_BINARY, "\"AP8=\"", "\"record_id\":{\"B\":\"AP8=\"},\"record_key\":{\"S\":\"AP8=\"},"},
    };
    struct fixture f;
    fixture_init(&f);
    memcpy(f.table.partition.name, "the \"key\"", sizeof "the \"key\"");
    for (size_t i = 0; i <= ARRAY_LENGTH(cases); i++) {
        bool composite = i == ARRAY_LENGTH(cases);
        if (composite)
            fixture_make_composite(&f);
        else
            f.table.partition.type = cases[i].type;
        char *body = text_of("{\"id\":%s,\"attributes\":{\"x\":1},\"enable_logging\":true}",
                             composite ? "{\"sk\":1.0,\"pk\":\"p\"}" : cases[i].id);
        struct update *u = read_fit(&f, body);
        struct buf out;
        buf_init(&out, SIZE_MAX);
        assert_true(audit_append_item(&f.context, u, WALL, &out));
        const char *record_id = composite ? "\"record_id\":{\"M\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}},"
                                            "\"record_key\":{\"S\":\"{\\\"pk\\\":\\\"p\\\",\\\"sk\\\":1}\"},"
                                          : cases[i].record_id;
        assert_non_null(strstr(out.data, record_id));
        buf_free(&out);
        update_free(u);
        free(body);
    }
    fixture_done(&f);
}

static void a_confirmation_reads_the_record_strongly_consistent(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, EXAMPLE);
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(update_append_confirm_request(&f.context, u, &out));
    assert_buf(&out, "{\"TableName\":\"audit_logs\",\"Key\":{\"log_id\":{\"S\":"
                     "\"042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268\"}},\"ConsistentRead\":true,"
                     "\"ProjectionExpression\":\"log_id,request_hash\"}");
    buf_free(&out);
    update_free(u);
    fixture_done(&f);
}

static char *failure_record(const struct fixture *f, const struct update *u) {
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(update_append_failure_record(&f->context, u, WALL, &out));
    return out.data;
}

static void a_failure_has_a_record_of_its_own_also_after_the_request_was_built(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, EXAMPLE);
    assert_true(update_build(&f.context, u, WALL));
    failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
    char *record = failure_record(&f, u);
    assert_string_equal(
        record,
        "{\"TableName\":\"audit_logs\",\"Item\":{"
        "\"log_id\":{\"S\":\"042f812f6e85ad9b7089fb04e7d684c9a3f2a095bbbbb0ea4bf64e1f90aea268#failure\"},"
        "\"timestamp\":{\"S\":\"" WALL_TEXT "\"},\"table_name\":{\"S\":\"users\"},\"record_id\":{\"S\":\"user-123\"},"
        "\"record_key\":{\"S\":\"user-123\"},"
        "\"updated_attributes\":{\"M\":{\"email\":{\"S\":\"john@example.com\"},\"name\":{\"S\":\"John Doe\"},"
        "\"status\":{\"S\":\"active\"}}},\"user_agent\":{\"S\":\"table-updater/0.1.0\"},\"status\":{\"S\":\"failure\"},"
        "\"error\":{\"S\":\"ConditionalCheckFailed\"},\"idempotency_key\":{\"S\":\"" MESSAGE_ID "\"},"
        "\"request_hash\":{\"S\":\"v1:ce96d6154895746206cd459ddea48be4badd8f6c65866c23c5d9272dd21098a7\"}}}");
    free(record);
    update_free(u);
    fixture_done(&f);
}

static void what_cannot_be_stored_is_left_out_of_a_failures_record(void **state) {
    (void)state;
    static const struct {
        const char *members;
        bool id, attributes;
    } cases[] = {
        {"\"id\":\"a\",\"attributes\":{\"x\":1e999}", true, false},
        {"\"id\":\"a\",\"attributes\":{\"id\":1}", true, false},
        {"\"id\":1,\"attributes\":{\"x\":1}", false, true},
        {"\"id\":{\"a\":1},\"attributes\":{\"\":1}", false, false},
        {"\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"nonsense\"", true, true},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = text_of("{%s,\"enable_logging\":true}", cases[i].members);
        struct update *u = read_text(&f, body);
        assert_int_equal(u->failure.type, ERROR_VALIDATION);
        assert_true(u->readable && u->audited);
        char *record = failure_record(&f, u);
        assert_int_equal(strstr(record, "\"record_id\"") != NULL, cases[i].id);
        assert_int_equal(strstr(record, "\"updated_attributes\":{\"M\":{}}") == NULL, cases[i].attributes);
        assert_null(strstr(record, "\"request_hash\""));
        assert_non_null(strstr(record, "\"error\":{\"S\":\"ValidationError\"}"));
        free(record);
        update_free(u);
        free(body);
    }
    fixture_done(&f);
}

/* A success record of just the limit; what a failure's has more doesn't fit. */
static void attributes_that_only_the_failures_record_cannot_hold_are_left_out(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *text = repeated("v", ITEM_SIZE_MAX - 70 - 33 - 15 - 10 - 23 - 29 - 13 - 51 - 79 - 11);
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,\"attributes\":{\"x\":\"%s\"}}", text);
    struct update *u = read_fit(&f, body);
    failure_database(&u->failure, SPAN("Broken"));
    char *record = failure_record(&f, u);
    assert_non_null(strstr(record, "\"updated_attributes\":{\"M\":{}}"));
    free(record);
    update_free(u);
    free(body);
    free(text);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_record_has_the_members_of_the_contract),
        cmocka_unit_test(a_record_expires_where_the_setting_says_so),
        cmocka_unit_test(the_record_id_is_the_ids_dynamodb_value),
        cmocka_unit_test(a_confirmation_reads_the_record_strongly_consistent),
        cmocka_unit_test(a_failure_has_a_record_of_its_own_also_after_the_request_was_built),
        cmocka_unit_test(what_cannot_be_stored_is_left_out_of_a_failures_record),
        cmocka_unit_test(attributes_that_only_the_failures_record_cannot_hold_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
