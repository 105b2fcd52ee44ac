#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "dynamodb_response.h"

/* As DynamoDB Local 3.1.0 answered. */
#define RECORDED                                                                                                       \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"CancellationReasons\":[{"         \
    "\"Item\":{\"x\":{\"M\":"                                                                                          \
    "{\"request_hash\":{\"S\":\"wrong\"}}},\"s\":{\"N\":\"1\"},\"id\":{\"S\":\"a\"}},\"Code\":"                        \
    "\"ConditionalCheckFailed\",\"Message\":"                                                                          \
    "\"The conditional request failed\"},{\"Item\":{\"log_id\":{\"S\":\"l1\"},\"request_hash\":{\"S\":\"v1:l1\"}},"    \
    "\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The conditional request failed\"}],\"Message\":\"Transaction "  \
    "cancelled, please "                                                                                               \
    "refer cancellation reasons for specific reasons [ConditionalCheckFailed, ConditionalCheckFailed]\"}"

static void recorded_reasons_are_read(void **state) {
    (void)state;
    struct cancellation c;
    assert_int_equal(dynamodb_read_cancellation(SPAN(RECORDED), &c), DECODE_FINE);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.reasons[0].code, "ConditionalCheckFailed");
    assert_string_equal(c.reasons[0].message, "The conditional request failed");
    assert_true(c.reasons[0].has_item);
    assert_false(c.reasons[0].has_request_hash);
    assert_true(c.reasons[1].has_item);
    assert_true(c.reasons[1].has_request_hash);
    assert_string_equal(c.reasons[1].request_hash, "v1:l1");
    assert_int_equal(dynamodb_cancellation_class(&c), CALL_PERMANENT);
}

static void a_reason_without_an_item_says_so(void **state) {
    (void)state;
    struct cancellation c;
    assert_int_equal(dynamodb_read_cancellation(
                         SPAN("{\"CancellationReasons\":[{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"m\"},"
                              "{\"Code\":\"None\",\"Item\":null,\"Message\":null}]}"),
                         &c),
                     DECODE_FINE);
    assert_false(c.reasons[0].has_item);
    assert_false(c.reasons[1].has_item);
    assert_string_equal(c.reasons[1].code, "None");
    assert_string_equal(c.reasons[1].message, "");
}

static void only_a_hash_of_ours_is_kept(void **state) {
    (void)state;
    static const struct {
        const char *item, *hash; /* NULL: none */
    } cases[] = {
        {"{\"request_hash\":{\"S\":\"v1:x\"}}", "v1:x"},
        {"{\"request\\u005fhash\":{\"S\":\"v1\\u003ax\"}}", "v1:x"},
        {"{\"request_hash\":{\"S\":\"\"}}", ""},
        {"{\"request_hash\":{\"N\":\"1\"}}", NULL},
        {"{\"request_hash\":{\"S\":7}}", NULL},
        {"{\"request_hash\":\"x\"}", NULL},
        {"{\"request_hash\":null}", NULL},
        {"{\"other\":{\"request_hash\":{\"S\":\"x\"}}}", NULL},
        {"{\"request_hash\":{\"M\":{\"S\":{\"S\":\"x\"}}}}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "{\"CancellationReasons\":[{\"Item\":%s,\"Code\":\"ConditionalCheckFailed\"}]}", cases[i].item);
        struct cancellation c;
        assert_int_equal(dynamodb_read_cancellation(span_cstr(text), &c), DECODE_FINE);
        assert_true(c.reasons[0].has_item);
        assert_int_equal(c.reasons[0].has_request_hash, cases[i].hash != NULL);
        if (cases[i].hash) {
            assert_string_equal(c.reasons[0].request_hash, cases[i].hash);
        }
    }
}

static void a_hash_that_does_not_fit_is_none(void **state) {
    (void)state;
    for (int len = REQUEST_HASH_TEXT_SIZE - 1; len <= REQUEST_HASH_TEXT_SIZE; len++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"Item\":{\"log_id\":{\"S\":\"l\"},\"request_hash\":{\"S\":\"%0*d\"}}}",
                       len, 0);
        bool found = false;
        char hash[REQUEST_HASH_TEXT_SIZE];
        assert_int_equal(dynamodb_read_item(span_cstr(text), "l", &found, hash), DECODE_FINE);
        assert_true(found);
        assert_int_equal(strlen(hash), len < REQUEST_HASH_TEXT_SIZE ? (size_t)len : 0);
    }
}

static void a_throttle_goes_before_a_conflict_and_a_conflict_before_all_else(void **state) {
    (void)state;
    static const struct {
        const char *first, *second;
        enum call_class class;
    } cases[] = {
        {"ConditionalCheckFailed", "None", CALL_PERMANENT},
        {"ValidationError", "None", CALL_PERMANENT},
        {"ItemCollectionSizeLimitExceeded", "ConditionalCheckFailed", CALL_PERMANENT},
        {"SomethingNew", "None", CALL_PERMANENT},
        {"TransactionConflict", "None", CALL_RETRY},
        {"ConditionalCheckFailed", "TransactionConflict", CALL_RETRY},
        {"TransactionConflict", "ValidationError", CALL_RETRY},
        {"ThrottlingError", "None", CALL_THROTTLED},
        {"None", "ProvisionedThroughputExceeded", CALL_THROTTLED},
        {"TransactionConflict", "ThrottlingError", CALL_THROTTLED},
        {"ThrottlingError", "TransactionConflict", CALL_THROTTLED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"CancellationReasons\":[{\"Code\":\"%s\"},{\"Code\":\"%s\"}]}",
                       cases[i].first, cases[i].second);
        struct cancellation c;
        assert_int_equal(dynamodb_read_cancellation(span_cstr(text), &c), DECODE_FINE);
        assert_int_equal(dynamodb_cancellation_class(&c), cases[i].class);
    }
}

static void reasons_that_say_nothing_are_garbage(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"CancellationReasons\":null}",
        "{\"CancellationReasons\":[]}",
        "{\"CancellationReasons\":{}}",
        "{\"CancellationReasons\":[null]}",
        "{\"CancellationReasons\":[{}]}",
        "{\"CancellationReasons\":[{\"Code\":null}]}",
        "{\"CancellationReasons\":[{\"Code\":\"\"}]}",
        "{\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"None\"}]}",
        "{\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"None\"},{\"Code\":\"TransactionConflict\"}]}",
        "{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"}],\"CancellationReasons\":[{\"Code\":\"a\"},{"
        "\"Code\":\"b\"}]}",
        "{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"}]",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct cancellation c = {.count = 77};
        assert_int_equal(dynamodb_read_cancellation(span_cstr(texts[i]), &c), DECODE_GARBAGE);
        assert_int_equal(c.count, 77);
    }
    for (size_t len = 0; len < sizeof RECORDED - 1; len++) {
        char *text = malloc(len + 1);
        assert_non_null(text);
        memcpy(text, RECORDED, len);
        struct cancellation c;
        assert_int_equal(dynamodb_read_cancellation(span_of(text, len), &c), DECODE_GARBAGE);
        free(text);
    }
}

static void a_large_and_deep_item_is_skipped(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 4 * 1024 * 1024);
    (void)buf_append_cstr(&text, "{\"CancellationReasons\":[{\"Item\":{\"deep\":");
    for (int i = 0; i < 33; i++) {
        (void)buf_append_cstr(&text, "{\"L\":[");
    }
    for (int i = 0; i < 33; i++) {
        (void)buf_append_cstr(&text, "]}");
    }
    (void)buf_append_cstr(&text, ",\"large\":{\"S\":\"");
    for (int i = 0; i < 400 * 1024; i++) {
        (void)buf_append_cstr(&text, "\\u0001");
    }
    (void)buf_append_cstr(&text, "\"},\"request_hash\":{\"S\":\"v1:a\"}},\"Code\":\"ConditionalCheckFailed\"}]}");
    assert_true(buf_ok(&text));
    struct cancellation c;
    assert_int_equal(dynamodb_read_cancellation(buf_span(&text), &c), DECODE_FINE);
    assert_string_equal(c.reasons[0].request_hash, "v1:a");
    buf_free(&text);
}

static void an_item_is_found_or_not(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum decode_status status;
        bool found;
        const char *hash;
    } cases[] = {
        {"{\"Item\":{\"log_id\":{\"S\":\"l\"},\"request_hash\":{\"S\":\"v1:abc\"}}}", DECODE_FINE, true, "v1:abc"},
        {"{\"Item\":{\"log_id\":{\"S\":\"l\"}}}", DECODE_FINE, true, ""},
        {"{\"Item\":{\"request_hash\":{\"S\":\"v1:abc\"},\"log\\u005fid\":{\"S\":\"\\u006c\"}},\"New\":{\"Items\":1}}",
         DECODE_FINE, true, "v1:abc"},
        {"{}", DECODE_FINE, false, ""},
        {"{\"Item\":null}", DECODE_FINE, false, ""},
        {"{\"ConsumedCapacity\":{\"Item\":{\"request_hash\":{\"S\":\"x\"}}}}", DECODE_FINE, false, ""},
        /* another's item */
        {"{\"Item\":{}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{\"request_hash\":{\"S\":\"l\"}}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{\"log_id\":{\"S\":\"ll\"},\"request_hash\":{\"S\":\"v1:abc\"}}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{\"log_id\":{\"B\":\"l\"}}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{\"log_id\":\"l\"}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{\"log_id\":null,\"m\":{\"M\":{\"log_id\":{\"S\":\"l\"}}}}}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":[]}", DECODE_GARBAGE, false, ""},
        {"{\"Item\":{}", DECODE_GARBAGE, false, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool found = false;
        char hash[REQUEST_HASH_TEXT_SIZE] = "";
        assert_int_equal(dynamodb_read_item(span_cstr(cases[i].text), "l", &found, hash), cases[i].status);
        assert_int_equal(found, cases[i].found);
        assert_string_equal(hash, cases[i].hash);
    }
}

static void a_log_id_is_read_from_its_request(void **state) {
    (void)state;
    static const struct {
        const char *request, *log_id;
    } cases[] = {
        {"{\"TableName\":\"log_id\",\"Key\":{\"log_id\":{\"S\":\"l1\"}},\"ProjectionExpression\":\"log_id\"}", "l1"},
        {"{\"TableName\":\"t\",\"Key\":{\"id\":{\"S\":\"l1\"}}}", ""},
        {"{}", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char log_id[LOG_ID_TEXT_SIZE] = "untouched";
        assert_int_equal(dynamodb_read_asked(span_cstr(cases[i].request), log_id), DECODE_FINE);
        assert_string_equal(log_id, cases[i].log_id);
    }
}

static void an_answer_is_an_object_with_any_unknown_members(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum decode_status status;
    } cases[] = {
        {"{}", DECODE_FINE},
        {"{\"ConsumedCapacity\":[{\"TableName\":\"t\",\"Table\":{\"CapacityUnits\":1}}]}", DECODE_FINE},
        {"{\"ItemCollectionMetrics\":{\"t\":[{\"Items\":1,\"message\":2}]},\"New\":\"x\"}", DECODE_FINE},
        {"", DECODE_GARBAGE},
        {"[]", DECODE_GARBAGE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(dynamodb_read_committed(span_cstr(cases[i].text)), cases[i].status);
        assert_int_equal(dynamodb_read_put(span_cstr(cases[i].text)), cases[i].status);
    }
}

static void an_error_or_an_answer_to_something_else_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"error\":\"proxy authentication required\"}",
        "{\"success\":false}",
        "{\"New\":1,\"message\":\"Forbidden\"}",
        "{\"Message\":null}",
        "{\"Error\":{\"Code\":\"x\"}}",
        "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\"}",
        "{\"__typ\\u0065\":\"x\"}",
        "{\"CancellationReasons\":[]}",
        "{\"Table\":{\"TableName\":\"x\"}}",
        "{\"TableDescription\":{}}",
        "{\"Items\":[],\"Count\":0}",
        "{\"Responses\":{}}",
        "{\"Messages\":[]}",
        "{\"Successful\":[]}",
        "{\"Failed\":[]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        bool found = true;
        char hash[REQUEST_HASH_TEXT_SIZE] = "untouched";
        if (dynamodb_read_committed(span_cstr(texts[i])) != DECODE_GARBAGE ||
            dynamodb_read_put(span_cstr(texts[i])) != DECODE_GARBAGE ||
            dynamodb_read_item(span_cstr(texts[i]), "l", &found, hash) != DECODE_GARBAGE) {
            fail_msg("%s", texts[i]);
        }
        assert_true(found);
        assert_string_equal(hash, "untouched");
    }
}

static void what_another_operation_of_the_table_gives_is_no_answer_either(void **state) {
    (void)state;
    bool found;
    char hash[REQUEST_HASH_TEXT_SIZE];
    const struct span item = SPAN("{\"Item\":{\"log_id\":{\"S\":\"l\"}}}"), attributes = SPAN("{\"Attributes\":{}}");
    assert_int_equal(dynamodb_read_committed(item), DECODE_GARBAGE);
    assert_int_equal(dynamodb_read_put(item), DECODE_GARBAGE);
    assert_int_equal(dynamodb_read_committed(attributes), DECODE_GARBAGE);
    assert_int_equal(dynamodb_read_item(attributes, "l", &found, hash), DECODE_GARBAGE);
    assert_int_equal(dynamodb_read_put(attributes), DECODE_FINE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_reasons_are_read),
        cmocka_unit_test(a_reason_without_an_item_says_so),
        cmocka_unit_test(only_a_hash_of_ours_is_kept),
        cmocka_unit_test(a_hash_that_does_not_fit_is_none),
        cmocka_unit_test(a_throttle_goes_before_a_conflict_and_a_conflict_before_all_else),
        cmocka_unit_test(reasons_that_say_nothing_are_garbage),
        cmocka_unit_test(a_large_and_deep_item_is_skipped),
        cmocka_unit_test(an_item_is_found_or_not),
        cmocka_unit_test(a_log_id_is_read_from_its_request),
        cmocka_unit_test(an_answer_is_an_object_with_any_unknown_members),
        cmocka_unit_test(an_error_or_an_answer_to_something_else_is_none),
        cmocka_unit_test(what_another_operation_of_the_table_gives_is_no_answer_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
