#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "digest.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW (784111777 * MICROSECONDS) /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct call_result read_response(struct http_response response) {
    struct call_result result = {.attempts = 3};
    response.message = response.message ? response.message : "";
    error_read(&response, true, NOW, &result);
    assert_int_equal(result.attempts, 3);
    assert_int_equal(result.status, response.status);
    return result;
}

static void code_and_message_come_out_of_the_body(void **state) {
    static const struct {
        const char *body, *code, *message;
    } cases[] = {
        {"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}", "QueueDoesNotExist", "gone"},
        {"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"Message\":\"no\"}", "ResourceNotFoundException", "no"},
        {"{\"__type\":\"ValidationException:http://example.com/#x\"}", "ValidationException", ""},
        {"{\"__type\":\"a#b#Some.Code_1-x:y#z\"}", "Some.Code_1-x", ""},
        {" {\"Item\":{\"a\":[1,{\"__type\":\"No\"}]},\"message\":\"m\",\"__type\":\"Yes\"} ", "Yes", "m"},
        {"{\"\\u005f_type\":\"\\u0041b\",\"message\":\"\\u00e9\\ud83d\\ude00\\n\"}", "Ab", "\u00e9\U0001f600 "},
        {"{\"__type\":\"X\",\"message\":null,\"Message\":\"text\"}", "X", "text"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct call_result result = read_response((struct http_response){.status = 400, .body = span_cstr(cases[i].body)});
        assert_string_equal(result.code, cases[i].code);
        assert_string_equal(result.message, cases[i].message);
        assert_true(result.from_service);
        assert_int_equal(result.class, CALL_PERMANENT);
    }
}

static void what_is_no_error_of_the_services_is_transient(void **state) {
    static const char *const bodies[] = {
        "", "<html>Proxy</html>", "{", "[]", "\"x\"", "null", "{}", "{\"message\":\"Forbidden\"}", "{\"__type\":5}", "{\"__type\":\"\"}",
        "{\"__type\":\"a#\"}", "{\"__type\":\"two words\"}", "{\"__type\":\"\\u0000\"}", "{\"__type\":\"X\"", "{\"__type\":\"X\"}}",
        "{\"__type\":\"X\",\"a\":[1,]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        for (int status = 403; status <= 503; status += 100) {
            struct call_result result = read_response((struct http_response){.status = status, .body = span_cstr(bodies[i])});
            assert_int_equal(result.class, CALL_RETRY);
            assert_false(result.from_service);
            assert_string_equal(result.code, "");
            char expected[64];
            (void)snprintf(expected, sizeof expected, "HTTP status %d with no error of the service's", status);
            assert_string_equal(result.message, expected);
        }
    }
}

static void a_code_of_unreasonable_length_is_none(void **state) {
    (void)state;
    char body[CALL_CODE_SIZE + 64];
    for (size_t len = CALL_CODE_SIZE - 1; len <= CALL_CODE_SIZE; len++) {
        (void)snprintf(body, sizeof body, "{\"__type\":\"%0*d\"}", (int)len, 1);
        struct call_result result = read_response((struct http_response){.status = 400, .body = span_cstr(body)});
        assert_int_equal(result.from_service, len < CALL_CODE_SIZE);
    }
}

static void headers_tell_the_code_where_the_body_does_not(void **state) {
    (void)state;
    struct http_response response = {.status = 400, .body = SPAN("")};
    response.header[HTTP_QUERY_ERROR] = SPAN("AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert_string_equal(read_response(response).code, "NonExistentQueue");
    response.header[HTTP_ERROR_TYPE] = SPAN("ns#AccessDeniedException:http://x");
    struct call_result result = read_response(response);
    assert_string_equal(result.code, "AccessDeniedException");
    assert_int_equal(result.class, CALL_DENIED);
    assert_true(result.from_service);
    response.body = SPAN("{\"__type\":\"a#ThrottlingException\"}");
    assert_int_equal(read_response(response).class, CALL_THROTTLED);
}

/* A message of n times this piece of JSON text. */
static struct call_result read_long_message(const char *piece, size_t n) {
    size_t size = strlen(piece) * n + 64, len = 0;
    char *body = calloc(1, size);
    assert_non_null(body);
    len += (size_t)snprintf(body, size, "{\"__type\":\"X\",\"message\":\"");
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(body + len, size - len, "%s", piece);
    }
    (void)snprintf(body + len, size - len, "\"}");
    struct call_result result = read_response((struct http_response){.status = 400, .body = span_cstr(body)});
    free(body);
    return result;
}

static void a_long_message_is_cut_where_a_character_ends(void **state) {
    static const struct {
        const char *piece;
        size_t bytes; /* of one piece, decoded */
        const char *decoded;
    } cases[] = {
        {"a", 1, "a"},
        {"\u00e9", 2, "\u00e9"},
        {"\u20ac", 3, "\u20ac"},
        {"\U0001f600", 4, "\U0001f600"},
        {"\\u20ac", 3, "\u20ac"},
        {"\\ud83d\\ude00", 4, "\U0001f600"},
        {"\\\"", 1, "\""},
        {"x\\uD83D\\uDE00", 5, "x\U0001f600"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct call_result result = read_long_message(cases[i].piece, 5000);
        assert_string_equal(result.code, "X");
        size_t len = strlen(result.message);
        assert_in_range(len, CALL_MESSAGE_SIZE - 5, CALL_MESSAGE_SIZE - 1);
        for (size_t at = 0; at + cases[i].bytes <= len; at += cases[i].bytes) {
            assert_memory_equal(result.message + at, cases[i].decoded, cases[i].bytes);
        }
    }
}

static void transport_failures_are_transient_and_told_apart(void **state) {
    (void)state;
    struct call_result result = read_response((struct http_response){.error = HTTP_UNTRUSTED, .message = "self signed"});
    assert_int_equal(result.class, CALL_RETRY);
    assert_true(result.untrusted);
    assert_string_equal(result.message, "self signed");
    for (enum http_error error = HTTP_UNREACHABLE; error <= HTTP_REFUSED; error++) {
        result = read_response((struct http_response){.error = error, .status = 200, .message = "m", .body = SPAN("{\"__type\":\"X\"}")});
        assert_int_equal(result.class, CALL_RETRY);
        assert_int_equal(result.untrusted, error == HTTP_UNTRUSTED);
        assert_false(result.from_service);
        assert_string_equal(result.code, "");
    }
}

static void a_success_is_left_to_its_reader(void **state) {
    (void)state;
    struct call_result result = read_response((struct http_response){.status = 200, .answered = 17, .body = SPAN("{\"__type\":\"X\"}")});
    assert_int_equal(result.class, CALL_OK);
    assert_int_equal(result.answered, 17);
    assert_string_equal(result.code, "");
    assert_string_equal(result.message, "");
}

static void a_wrong_checksum_is_transient(void **state) {
    (void)state;
    struct http_response response = {.status = 200, .body = SPAN("123456789"), .message = ""};
    response.header[HTTP_CRC32] = SPAN("3421780262");
    assert_int_equal(read_response(response).class, CALL_OK);
    response.header[HTTP_CRC32] = SPAN("3421780263");
    struct call_result result = read_response(response);
    assert_int_equal(result.class, CALL_RETRY);
    assert_false(result.from_service);
    assert_string_not_equal(result.message, "");
    response.header[HTTP_CRC32] = SPAN("nonsense");
    assert_int_equal(read_response(response).class, CALL_OK);
    response.header[HTTP_CRC32] = SPAN("3421780263");
    error_read(&response, false, NOW, &result);
    assert_int_equal(result.class, CALL_OK);
}

static void the_wish_to_wait_is_read_in_each_of_its_forms(void **state) {
    static const struct {
        const char *amz, *plain, *date;
        int64_t microseconds;
    } cases[] = {
        {NULL, NULL, NULL, 0},
        {"1500", NULL, NULL, 1500 * MILLISECOND},
        {"1500", "7", NULL, 1500 * MILLISECOND},
        {"x", "7", NULL, 7 * MICROSECONDS},
        {NULL, "0", NULL, 0},
        {NULL, "-3", NULL, 0},
        {NULL, "", NULL, 0},
        {NULL, "999999999999999999999999", NULL, 86400 * MICROSECONDS},
        {"999999999999999999999999", NULL, NULL, 86400 * MICROSECONDS},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", NULL, 60 * MICROSECONDS},
        {NULL, "Sun, 06 Nov 1994 08:48:37 GMT", NULL, 0},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:50:27 GMT", 10 * MICROSECONDS}, /* by the server's clock */
        {NULL, "Sun, 06 Nov 2094 08:50:37 GMT", NULL, 86400 * MICROSECONDS},
        {NULL, "tomorrow", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_response response = {.status = 503, .body = SPAN("")};
        response.header[HTTP_AMZ_RETRY_AFTER] = span_cstr(cases[i].amz);
        response.header[HTTP_RETRY_AFTER] = span_cstr(cases[i].plain);
        response.header[HTTP_DATE] = span_cstr(cases[i].date);
        assert_int_equal(read_response(response).retry_after, cases[i].microseconds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_and_message_come_out_of_the_body),
        cmocka_unit_test(what_is_no_error_of_the_services_is_transient),
        cmocka_unit_test(a_code_of_unreasonable_length_is_none),
        cmocka_unit_test(headers_tell_the_code_where_the_body_does_not),
        cmocka_unit_test(a_long_message_is_cut_where_a_character_ends),
        cmocka_unit_test(transport_failures_are_transient_and_told_apart),
        cmocka_unit_test(a_success_is_left_to_its_reader),
        cmocka_unit_test(a_wrong_checksum_is_transient),
        cmocka_unit_test(the_wish_to_wait_is_read_in_each_of_its_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
