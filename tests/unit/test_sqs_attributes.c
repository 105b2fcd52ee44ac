#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sqs_response.h"

static void attributes_as_aws_gives_them_are_read(void **state) {
    (void)state;
    struct sqs_queue_attributes a;
    assert_int_equal(
        sqs_read_attributes(
            SPAN(
                "{\"Attributes\":{\"QueueArn\":\"arn:aws:sqs:eu-west-1:123456789012:q.fifo\","
                "\"ApproximateNumberOfMessages\":\"1\","
                "\"ApproximateNumberOfMessagesNotVisible\":\"2\",\"ApproximateNumberOfMessagesDelayed\":\"3\","
                "\"VisibilityTimeout\":\"45\","
                "\"MaximumMessageSize\":\"262144\",\"MessageRetentionPeriod\":\"1209600\",\"DelaySeconds\":\"0\","
                "\"FifoQueue\":\"true\","
                "\"DeduplicationScope\":\"messageGroup\",\"FifoThroughputLimit\":\"perMessageGroupId\","
                "\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:eu-west-1:123456789012:dlq.fifo\\\","
                "\\\"maxReceiveCount\\\":\\\"7\\\"}\",\"Policy\":\"{}\",\"KmsMasterKeyId\":\"alias/mine\"},\"New\":1}"),
            &a),
        DECODE_FINE);
    assert_string_equal(a.arn, "arn:aws:sqs:eu-west-1:123456789012:q.fifo");
    assert_string_equal(a.dead_letter_target_arn, "arn:aws:sqs:eu-west-1:123456789012:dlq.fifo");
    assert_string_equal(a.kms_key, "alias/mine");
    assert_int_equal(a.max_receive_count, 7);
    assert_int_equal(a.visibility_timeout, 45);
    assert_int_equal(a.retention, 1209600);
    assert_int_equal(a.max_message_size, 262144);
    assert_true(a.fifo && a.high_throughput);
    assert_true(a.visible == 1 && a.in_flight == 2 && a.delayed == 3);
}

#define COUNTS                                                                                                         \
    "\"ApproximateNumberOfMessages\":\"0\",\"ApproximateNumberOfMessagesNotVisible\":\"0\","                           \
    "\"ApproximateNumberOfMessagesDelayed\":\"0\""

static void what_a_server_does_not_tell_has_its_default(void **state) {
    (void)state;
    struct sqs_queue_attributes a;
    assert_int_equal(sqs_read_attributes(SPAN("{\"Attributes\":{" COUNTS "}}"), &a), DECODE_FINE);
    assert_int_equal(a.visibility_timeout, 30);
    assert_int_equal(a.max_message_size, 1048576);
    assert_int_equal(a.retention, 0);
    assert_int_equal(a.max_receive_count, 0);
    assert_string_equal(a.arn, "");
    assert_string_equal(a.dead_letter_target_arn, "");
    assert_false(a.fifo);
    assert_int_equal(
        sqs_read_attributes(SPAN("{\"Attributes\":{" COUNTS ",\"RedrivePolicy\":\"\",\"FifoQueue\":\"false\"}}"), &a),
        DECODE_FINE);
    assert_false(a.fifo);
    assert_int_equal(
        sqs_read_attributes(
            SPAN("{\"Attributes\":{" COUNTS ",\"FifoQueue\":\"true\",\"FifoThroughputLimit\":\"perQueue\"}}"), &a),
        DECODE_FINE);
    assert_true(a.fifo && !a.high_throughput);
}

static void a_maximum_that_no_queue_can_have_is_none(void **state) {
    (void)state;
    static const struct {
        const char *told;
        size_t size;
    } cases[] = {
        {"\"1024\"", 1024},
        {"\"262144\"", 262144},
        {"\"1048576\"", 1048576},
        {"\"67108864\"", 67108864},
        {"\"67108865\"", 1048576},
        {"\"9000000000000000000\"", 1048576},
        {"\"99999999999999999999999\"", 1048576},
        {"\"0\"", 1048576},
        {"\"1023\"", 1048576},
        {"\"-1\"", 1048576},
        {"\"\"", 1048576},
        {"\"1e6\"", 1048576},
        {"262144", 1048576},
        {"null", 1048576},
        {"{\"x\":[1]}", 1048576},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"Attributes\":{" COUNTS ",\"MaximumMessageSize\":%s}}", cases[i].told);
        struct sqs_queue_attributes a;
        assert_int_equal(sqs_read_attributes(span_cstr(text), &a), DECODE_FINE);
        assert_int_equal(a.max_message_size, cases[i].size);
    }
}

static void a_visibility_timeout_is_at_most_what_sqs_takes(void **state) {
    (void)state;
    static const struct {
        const char *told;
        unsigned seconds;
    } cases[] = {{"0", 0}, {"43200", 43200}, {"43201", 43200}, {"4294967295", 43200}, {"99999999999", 43200}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"Attributes\":{" COUNTS ",\"VisibilityTimeout\":\"%s\"}}", cases[i].told);
        struct sqs_queue_attributes a;
        assert_int_equal(sqs_read_attributes(span_cstr(text), &a), DECODE_FINE);
        assert_int_equal(a.visibility_timeout, cases[i].seconds);
    }
}

static void a_count_that_is_missing_is_unknown_and_not_zero(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"Attributes\":{\"QueueArn\":\"a\",\"VisibilityTimeout\":\"30\"}}",
        "{\"Attributes\":{\"ApproximateNumberOfMessagesNotVisible\":\"0\",\"ApproximateNumberOfMessagesDelayed\":\"0\"}"
        "}",
        "{\"Attributes\":{\"ApproximateNumberOfMessages\":\"0\",\"ApproximateNumberOfMessagesDelayed\":\"0\"}}",
        "{\"Attributes\":{\"ApproximateNumberOfMessages\":\"0\",\"ApproximateNumberOfMessagesNotVisible\":\"0\"}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_queue_attributes a;
        if (sqs_read_attributes(span_cstr(texts[i]), &a) != DECODE_FINE || sqs_counts_told(&a)) {
            fail_msg("%s", texts[i]);
        }
    }
}

static void a_redrive_count_may_be_a_number_or_a_string(void **state) {
    (void)state;
    static const struct {
        const char *policy;
        unsigned count; /* 0: garbage */
    } cases[] = {
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":5}", 5},
        {"{\\\"maxReceiveCount\\\":\\\"1000\\\",\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"x\\\":[1]}", 1000},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":5.5}", 0},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":-5}", 0},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":null}", 0},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":0}", 0},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":99999999999}", 0},
        {"{\\\"deadLetterTargetArn\\\":\\\"a\\\"}", 0},
        {"{\\\"maxReceiveCount\\\":5}", 0},
        {"{\\\"deadLetterTargetArn\\\":7,\\\"maxReceiveCount\\\":5}", 0},
        {"{", 0},
        {"[]", 0},
        {"x", 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"Attributes\":{" COUNTS ",\"RedrivePolicy\":\"%s\"}}", cases[i].policy);
        struct sqs_queue_attributes a = {.max_receive_count = 77};
        assert_int_equal(sqs_read_attributes(span_cstr(text), &a), cases[i].count ? DECODE_FINE : DECODE_GARBAGE);
        assert_int_equal(a.max_receive_count, cases[i].count ? cases[i].count : 77);
    }
}

static void attributes_are_read_strictly(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"Attributes\":null}",
        "{\"Attributes\":[]}",
        "{\"Attributes\":{" COUNTS ",\"VisibilityTimeout\":30}}",
        "{\"Attributes\":{" COUNTS ",\"VisibilityTimeout\":\"\"}}",
        "{\"Attributes\":{" COUNTS ",\"VisibilityTimeout\":\"-1\"}}",
        "{\"Attributes\":{" COUNTS ",\"VisibilityTimeout\":\"30s\"}}",
        "{\"Attributes\":{" COUNTS ",\"ApproximateNumberOfMessages\":\"18446744073709551615\"}}",
        "{\"Attributes\":{" COUNTS ",\"QueueArn\":7}}",
        "{\"Attributes\":{" COUNTS ",\"RedrivePolicy\":{}}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_queue_attributes a = {.arn = "untouched"};
        assert_int_equal(sqs_read_attributes(span_cstr(texts[i]), &a), DECODE_GARBAGE);
        assert_string_equal(a.arn, "untouched");
    }
}

static void fault_35_an_answer_without_any_attribute_of_a_queue_is_not_sqss(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "{\"Attributes\":{}}", "{\"Attributes\":null}",
                                        "{\"Attributes\":{\"status\":\"ok\"}}", "{\"QueueArn\":\"a\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_queue_attributes a = {.retention = 77};
        assert_int_equal(sqs_read_attributes(span_cstr(texts[i]), &a), DECODE_GARBAGE);
        assert_int_equal(a.retention, 77);
    }
}

static void an_arn_that_does_not_fit_is_garbage(void **state) {
    (void)state;
    char text[512];
    struct sqs_queue_attributes a;
    (void)snprintf(text, sizeof text, "{\"Attributes\":{" COUNTS ",\"QueueArn\":\"%0255d\"}}", 0);
    assert_int_equal(sqs_read_attributes(span_cstr(text), &a), DECODE_FINE);
    assert_int_equal(strlen(a.arn), 255);
    (void)snprintf(text, sizeof text, "{\"Attributes\":{" COUNTS ",\"QueueArn\":\"%0256d\"}}", 0);
    assert_int_equal(sqs_read_attributes(span_cstr(text), &a), DECODE_GARBAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_as_aws_gives_them_are_read),
        cmocka_unit_test(what_a_server_does_not_tell_has_its_default),
        cmocka_unit_test(a_maximum_that_no_queue_can_have_is_none),
        cmocka_unit_test(a_visibility_timeout_is_at_most_what_sqs_takes),
        cmocka_unit_test(a_count_that_is_missing_is_unknown_and_not_zero),
        cmocka_unit_test(a_redrive_count_may_be_a_number_or_a_string),
        cmocka_unit_test(attributes_are_read_strictly),
        cmocka_unit_test(fault_35_an_answer_without_any_attribute_of_a_queue_is_not_sqss),
        cmocka_unit_test(an_arn_that_does_not_fit_is_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
