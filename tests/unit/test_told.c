#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "kept_log.h"
#include "told.h"

#include <stdio.h>

#define SECOND MICROSECONDS
#define SENTENCE                                                                                                       \
    "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: dynamodb:PutItem on resource: "               \
    "arn:aws:dynamodb:eu-west-1:1:table/t"

static const struct call_result DENIED = {.class = CALL_DENIED,
                                          .status = 400,
                                          .from_service = true,
                                          .code = "AccessDeniedException",
                                          .message = SENTENCE,
                                          .request_id = "R1"};
static const struct call_result FOREIGN = {
    .class = CALL_RETRY, .status = 200, .foreign = true, .message = "HTTP status 200 from a box"};

static size_t lines(void) {
    size_t n = 0;
    for (const char *at = logged; (at = strchr(at, '\n')); at++) {
        n++;
    }
    return n;
}

static void a_denial_is_told_in_awss_words_with_its_request_id(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    told_failed(&told, &log, "TransactWriteItems", "host", &DENIED, 0);
    assert_non_null(strstr(logged, "AWS denies a call"));
    assert_non_null(strstr(logged, "TransactWriteItems"));
    assert_non_null(strstr(logged, "AccessDeniedException"));
    assert_non_null(strstr(logged, "R1"));
    assert_non_null(strstr(logged, SENTENCE));
}

static void a_refusal_for_the_queue_the_table_or_its_key_is_told_in_awss_words(void **state) {
    (void)state;
    static const char *const codes[] = {"KmsDisabled",          "KmsInvalidState", "KmsNotFound",
                                        "KMSDisabledException", "InvalidAddress",  "UnsupportedOperation"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        struct log log = test_log();
        struct told told = {0};
        struct call_result r = {.class = CALL_PERMANENT,
                                .status = 400,
                                .from_service = true,
                                .message = "arn:aws:kms:eu-west-1:1:key/k is disabled",
                                .request_id = "R1"};
        (void)snprintf(r.code, sizeof r.code, "%s", codes[i]);
        told_failed(&told, &log, "ReceiveMessage", "h", &r, 0);
        assert_non_null(strstr(logged, "AWS refuses a call for what the queue, the table or its key is"));
        assert_non_null(strstr(logged, "key/k is disabled"));
        assert_non_null(strstr(logged, "R1"));
    }
}

static void fault_35_an_answer_that_is_not_the_services_is_told_with_host_and_status(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    told_failed(&told, &log, "ReceiveMessage", "sqs.example", &FOREIGN, 0);
    assert_non_null(strstr(logged, "not the service's"));
    assert_non_null(strstr(logged, "sqs.example"));
    assert_non_null(strstr(logged, "200"));
    assert_non_null(strstr(logged, "from a box"));
}

static void the_same_is_told_once_in_ten_minutes_and_sooner_only_where_it_had_worked(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    int64_t now = 0;
    for (; now < 600 * SECOND; now += SECOND) {
        told_failed(&told, &log, "GetItem", "h", &DENIED, now);
    }
    assert_int_equal(lines(), 1);
    told_failed(&told, &log, "GetItem", "h", &DENIED, now);
    assert_int_equal(lines(), 2);
    told_worked(&told, "PutItem");
    told_failed(&told, &log, "GetItem", "h", &DENIED, now + 599 * SECOND);
    assert_int_equal(lines(), 2);
    told_worked(&told, "GetItem");
    told_failed(&told, &log, "GetItem", "h", &DENIED, now + 59 * SECOND);
    assert_int_equal(lines(), 2);
    told_failed(&told, &log, "GetItem", "h", &DENIED, now + 60 * SECOND);
    assert_int_equal(lines(), 3);
    told_failed(&told, &log, "GetItem", "h", &DENIED, now + 120 * SECOND);
    assert_int_equal(lines(), 3);
}

static void each_operation_code_and_status_is_a_trouble_of_its_own(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    struct call_result other = DENIED, status = FOREIGN;
    (void)snprintf(other.code, sizeof other.code, "KMSAccessDeniedException");
    status.status = 503;
    for (int i = 0; i < 3; i++) {
        told_failed(&told, &log, "GetItem", "h", &DENIED, 0);
        told_failed(&told, &log, "GetItem", "h", &other, 0);
        told_failed(&told, &log, "PutItem", "h", &DENIED, 0);
        told_failed(&told, &log, "PutItem", "h", &FOREIGN, 0);
        told_failed(&told, &log, "PutItem", "h", &status, 0);
    }
    assert_int_equal(lines(), 5);
}

static void throttles_faults_of_the_service_and_of_the_network_are_left_to_the_caller(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    static const struct call_result others[] = {
        {.class = CALL_THROTTLED, .from_service = true, .code = "ThrottlingException"},
        {.class = CALL_RETRY, .from_service = true, .code = "InternalServerError", .status = 500},
        {.class = CALL_PERMANENT, .from_service = true, .code = "ValidationException", .message = "a stored value"},
        {.class = CALL_RETRY, .message = "no answer"},
        {.class = CALL_AUTH, .message = "there are no credentials"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        told_failed(&told, &log, "GetItem", "h", &others[i], 0);
    }
    assert_int_equal(lines(), 0);
    told_failed(&told, NULL, "GetItem", "h", &DENIED, 0);
}

static void however_many_troubles_there_are_the_memory_of_them_is_bounded(void **state) {
    (void)state;
    struct log log = test_log();
    struct told told = {0};
    struct call_result r = FOREIGN;
    for (int i = 0; i < 3 * TOLD_MAX; i++) {
        logged[0] = '\0';
        r.status = 500 + i;
        told_failed(&told, &log, "GetItem", "h", &r, i);
        assert_int_equal(lines(), 1);
    }
    logged[0] = '\0';
    told_failed(&told, &log, "GetItem", "h", &r, 3 * TOLD_MAX);
    assert_int_equal(lines(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_denial_is_told_in_awss_words_with_its_request_id),
        cmocka_unit_test(a_refusal_for_the_queue_the_table_or_its_key_is_told_in_awss_words),
        cmocka_unit_test(fault_35_an_answer_that_is_not_the_services_is_told_with_host_and_status),
        cmocka_unit_test(the_same_is_told_once_in_ten_minutes_and_sooner_only_where_it_had_worked),
        cmocka_unit_test(each_operation_code_and_status_is_a_trouble_of_its_own),
        cmocka_unit_test(throttles_faults_of_the_service_and_of_the_network_are_left_to_the_caller),
        cmocka_unit_test(however_many_troubles_there_are_the_memory_of_them_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
