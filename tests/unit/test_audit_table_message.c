#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_table_message.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>

#define SECOND_OF_2024 1704067201LL

static struct audit_look looks[3];

static int set_up(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        looks[i] = (struct audit_look){.state = AUDIT_FOUND, .error = "of before", .written = 5, .expires = 5};
        (void)snprintf(looks[i].log_id, sizeof looks[i].log_id, "l%zu%s", i, i == 2 ? "#failure" : "");
    }
    return 0;
}

static enum decode_status read_looks(const char *body) {
    return audit_read_looks(span_cstr(body), looks, ARRAY_LENGTH(looks));
}

static void the_request_asks_for_each_key_and_what_is_wanted_of_it_strongly_consistent(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, AUDIT_REQUEST_MAX);
    assert_true(audit_write_looks("audit_logs", looks, ARRAY_LENGTH(looks), true, &out));
    assert_string_equal(out.data, "{\"RequestItems\":{\"audit_logs\":{\"ConsistentRead\":true,"
                                  "\"ProjectionExpression\":\"log_id,#0,#1,expires_at\","
                                  "\"ExpressionAttributeNames\":{\"#0\":\"error\",\"#1\":\"timestamp\"},"
                                  "\"Keys\":[{\"log_id\":{\"S\":\"l0\"}},{\"log_id\":{\"S\":\"l1\"}},"
                                  "{\"log_id\":{\"S\":\"l2#failure\"}}]}}}");
    buf_reset(&out);
    assert_true(audit_write_looks("audit_logs", looks, 1, false, &out));
    assert_string_equal(out.data, "{\"RequestItems\":{\"audit_logs\":{\"ConsistentRead\":true,"
                                  "\"ProjectionExpression\":\"log_id,#0\","
                                  "\"ExpressionAttributeNames\":{\"#0\":\"error\"},"
                                  "\"Keys\":[{\"log_id\":{\"S\":\"l0\"}}]}}}");
    buf_free(&out);
}

static void a_hundred_keys_of_a_table_named_by_its_arn_fit(void **state) {
    (void)state;
    static struct audit_look many[AUDIT_LOOKS_MAX];
    char table[1024];
    struct buf out;
    buf_init(&out, AUDIT_REQUEST_MAX);
    memset(table, 'a', sizeof table - 1);
    table[sizeof table - 1] = '\0';
    for (size_t i = 0; i < AUDIT_LOOKS_MAX; i++) {
        memset(many[i].log_id, 'f', sizeof many[i].log_id - 1);
    }
    assert_true(audit_write_looks(table, many, AUDIT_LOOKS_MAX, true, &out));
    buf_free(&out);
}

static void the_ttl_is_asked_of_the_table(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, AUDIT_REQUEST_MAX);
    assert_true(audit_write_describe_ttl("audit_logs", &out));
    assert_string_equal(out.data, "{\"TableName\":\"audit_logs\"}");
    buf_free(&out);
}

static void each_key_is_found_absent_or_left_whatever_the_order(void **state) {
    (void)state;
    assert_int_equal(
        read_looks("{\"ConsumedCapacity\":[{\"TableName\":\"t\"}],"
                   "\"UnprocessedKeys\":{\"t\":{\"ConsistentRead\":true,\"Keys\":[{\"log_id\":{\"S\":\"l1\"}}]}},"
                   "\"Responses\":{\"t\":[{\"timestamp\":{\"S\":\"2024-01-01T00:00:01.000Z\"},"
                   "\"expires_at\":{\"N\":\"1704067202\"},\"error\":{\"S\":\"ValidationError\"},"
                   "\"later\":{\"M\":{\"a\":{\"L\":[]}}},\"log_id\":{\"S\":\"l2#failure\"}}]}}"),
        DECODE_FINE);
    assert_int_equal(looks[0].state, AUDIT_ABSENT);
    assert_string_equal(looks[0].error, "");
    assert_int_equal(looks[1].state, AUDIT_UNPROCESSED);
    assert_int_equal(looks[2].state, AUDIT_FOUND);
    assert_string_equal(looks[2].error, "ValidationError");
    assert_int_equal(looks[2].written, SECOND_OF_2024 * MICROSECONDS);
    assert_int_equal(looks[2].expires, (SECOND_OF_2024 + 1) * MICROSECONDS);
}

static void a_record_without_times_or_with_odd_ones_is_found_all_the_same(void **state) {
    (void)state;
    assert_int_equal(
        read_looks("{\"Responses\":{\"t\":[{\"log_id\":{\"S\":\"l0\"}},"
                   "{\"log_id\":{\"S\":\"l1\"},\"expires_at\":{\"S\":\"soon\"},\"timestamp\":{\"N\":\"1\"},"
                   "\"error\":{\"S\":\"an error whose name is longer than any of those that there are by far\"}}"
                   "]},\"UnprocessedKeys\":{}}"),
        DECODE_FINE);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(looks[i].state, AUDIT_FOUND);
        assert_string_equal(looks[i].error, "");
        assert_int_equal(looks[i].written, 0);
        assert_int_equal(looks[i].expires, 0);
    }
}

static void what_is_no_answer_to_the_question_is_garbage(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"UnprocessedKeys\":{}}",
        "{\"Responses\":null}",
        "{\"Responses\":[]}",
        "{\"Responses\":{\"t\":{}}}",
        "{\"Responses\":{\"t\":[5]}}",
        "{\"Responses\":{\"t\":[]}",
        "{\"Responses\":{\"t\":[{\"log_id\":{\"S\":\"l7\"}}]}}",
        "{\"Responses\":{\"t\":[{}]}}",
        "{\"Responses\":{\"t\":[]},\"UnprocessedKeys\":{\"t\":{\"Keys\":[{\"log_id\":{\"S\":\"l7\"}}]}}}",
        "{\"Responses\":{\"t\":[]},\"__type\":\"x\"}",
        "{\"Responses\":{\"t\":[]},\"Item\":{}}",
        "{\"message\":\"a proxy's\"}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        assert_int_equal(read_looks(bodies[i]), DECODE_GARBAGE);
    }
}

static void ttl_is_off_only_where_it_is_said_to_be(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum decode_status status;
        enum audit_ttl ttl;
    } cases[] = {
        {"{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}", DECODE_FINE, AUDIT_TTL_OFF},
        {"{\"TimeToLiveDescription\":{\"AttributeName\":\"expires_at\",\"TimeToLiveStatus\":\"ENABLED\"}}", DECODE_FINE,
         AUDIT_TTL_ON},
        {"{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLING\"}}", DECODE_FINE, AUDIT_TTL_ON},
        {"{\"TimeToLiveDescription\":{}}", DECODE_GARBAGE, AUDIT_TTL_OFF},
        {"{}", DECODE_GARBAGE, AUDIT_TTL_OFF},
        {"{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":5}}", DECODE_GARBAGE, AUDIT_TTL_OFF},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum audit_ttl ttl = AUDIT_TTL_OFF;
        assert_int_equal(audit_read_ttl(span_cstr(cases[i].body), &ttl), cases[i].status);
        assert_int_equal(ttl, cases[i].ttl);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_request_asks_for_each_key_and_what_is_wanted_of_it_strongly_consistent, set_up),
        cmocka_unit_test(a_hundred_keys_of_a_table_named_by_its_arn_fit),
        cmocka_unit_test(the_ttl_is_asked_of_the_table),
        cmocka_unit_test_setup(each_key_is_found_absent_or_left_whatever_the_order, set_up),
        cmocka_unit_test_setup(a_record_without_times_or_with_odd_ones_is_found_all_the_same, set_up),
        cmocka_unit_test_setup(what_is_no_answer_to_the_question_is_garbage, set_up),
        cmocka_unit_test(ttl_is_off_only_where_it_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
