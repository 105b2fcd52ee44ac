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

static const struct error_rules DYNAMODB = {.checks_marks = true, .host = "dynamodb.eu-west-1.amazonaws.com"};
static const struct error_rules SQS = {.host = "sqs.eu-west-1.amazonaws.com"};

static int64_t now(void *ctx) {
    (void)ctx;
    return NOW;
}

static struct call_result read_as(struct http_response response, const struct error_rules *rules) {
    struct call_result result = {.attempts = 3};
    response.message = response.message ? response.message : "";
    const struct clock clock = {.wall = now};
    error_read(&response, rules, &clock, &result);
    assert_int_equal(result.attempts, 3);
    assert_int_equal(result.status, response.status);
    return result;
}

/* As DynamoDB sends it. */
static struct call_result read_response(struct http_response response) {
    response.header[HTTP_REQUEST_ID] = SPAN("0VB2E5VOKS8EXAMPLE");
    return read_as(response, &DYNAMODB);
}

static void code_and_message_come_out_of_the_body(void **state) {
    static const struct {
        const char *body, *code, *message;
    } cases[] = {
        {"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}", "QueueDoesNotExist", "gone"},
        {"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"Message\":\"no\"}",
         "ResourceNotFoundException", "no"},
        {"{\"__type\":\"ValidationException:http://example.com/#x\"}", "ValidationException", ""},
        {"{\"__type\":\"a#b#Some.Code_1-x:y#z\"}", "Some.Code_1-x", ""},
        {" {\"Item\":{\"a\":[1,{\"__type\":\"No\"}]},\"message\":\"m\",\"__type\":\"Yes\"} ", "Yes", "m"},
        {"{\"\\u005f_type\":\"\\u0041b\",\"message\":\"\\u00e9\\ud83d\\ude00\\n\"}", "Ab", "\u00e9\U0001f600 "},
        {"{\"__type\":\"X\",\"message\":null,\"Message\":\"text\"}", "X", "text"},
        {"<?xml version=\"1.0\"?>\n<ErrorResponse "
         "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>"
         "<Code>InvalidParameterValue</Code><Message>a &lt;b&gt; &amp;amp; "
         "&quot;c&apos;</Message><Detail/></Error></ErrorResponse>",
         "InvalidParameterValue", "a <b> &amp; \"c'"},
        {" <Error>\n <Code>\n NoSuchKey </Code>\n <Message/></Error>", "NoSuchKey", ""},
        {"<Response><Errors><Error a=\"b\"><Message>m\n</Message><Code>NoSuchKey</Code></Error></Errors></Response>",
         "NoSuchKey", "m"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct call_result result =
            read_response((struct http_response){.status = 400, .body = span_cstr(cases[i].body)});
        assert_string_equal(result.code, cases[i].code);
        assert_string_equal(result.message, cases[i].message);
        assert_true(result.from_service);
        assert_int_equal(result.class, CALL_PERMANENT);
    }
}

static void what_is_no_error_of_the_services_is_transient(void **state) {
    static const char *const bodies[] = {
        "",
        "<html>Proxy</html>",
        "{",
        "[]",
        "\"x\"",
        "null",
        "{}",
        "{\"message\":\"Forbidden\"}",
        "{\"__type\":5}",
        "{\"__type\":\"\"}",
        "{\"__type\":\"a#\"}",
        "{\"__type\":\"two words\"}",
        "{\"__type\":\"\\u0000\"}",
        "{\"__type\":\"X\"",
        "{\"__type\":\"X\"}}",
        "{\"__type\":\"X\",\"a\":[1,]}",
        "<Code>X</Code>",
        "<Error>",
        "<Error><Code>",
        "<Error><Code></Code></Error>",
        "<Error><Code>X</Cod",
        "<Error><Code>two words</Code></Error>",
        "<Error><Code>X<b/></Code></Error>",
        "<Errors><Code>X</Code></Errors>",
        "x<Error><Code>X</Code></Error>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        for (int status = 403; status <= 503; status += 100) {
            struct call_result result =
                read_response((struct http_response){.status = status, .body = span_cstr(bodies[i])});
            assert_int_equal(result.class, CALL_RETRY);
            assert_false(result.from_service);
            assert_string_equal(result.code, "");
            assert_true(result.foreign);
            char expected[128];
            (void)snprintf(expected, sizeof expected,
                           "HTTP status %d from dynamodb.eu-west-1.amazonaws.com with no error of the service's",
                           status);
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
    struct call_result result =
        read_response((struct http_response){.error = HTTP_UNTRUSTED, .message = "self signed"});
    assert_int_equal(result.class, CALL_RETRY);
    assert_true(result.untrusted);
    assert_string_equal(result.message, "self signed");
    for (enum http_error error = HTTP_UNREACHABLE; error <= HTTP_REFUSED; error++) {
        result = read_response(
            (struct http_response){.error = error, .status = 200, .message = "m", .body = SPAN("{\"__type\":\"X\"}")});
        assert_int_equal(result.class, CALL_RETRY);
        assert_int_equal(result.untrusted, error == HTTP_UNTRUSTED);
        assert_false(result.from_service);
        assert_string_equal(result.code, "");
    }
}

static void a_success_is_left_to_its_reader(void **state) {
    (void)state;
    struct call_result result =
        read_response((struct http_response){.status = 200, .answered = 17, .body = SPAN("{\"__type\":\"X\"}")});
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
    assert_int_equal(read_as(response, &SQS).class, CALL_OK);
}

/* As a box on the path answers. */
static struct call_result read_foreign(int status, const char *body, const struct error_rules *rules) {
    struct http_response response = {.status = status, .body = span_cstr(body)};
    response.header[HTTP_SERVER] = SPAN("squid/5.7\x01");
    return read_as(response, rules);
}

static void fault_35_a_200_is_dynamodbs_only_with_its_request_id_or_its_checksum(void **state) {
    static const char *const bodies[] = {
        "", "{}", "{\"status\":\"ok\"}", "{\"errors\":[{\"code\":1}]}", "<html></html>", "[]", "{\"Item\":{}}", "null"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct call_result result = read_foreign(200, bodies[i], &DYNAMODB);
        assert_int_equal(result.class, CALL_RETRY);
        assert_true(result.foreign && !result.from_service);
        assert_string_equal(result.code, "");
        assert_string_equal(call_word(&result), "not the service's answer");
        assert_string_equal(result.message, "HTTP status 200 from dynamodb.eu-west-1.amazonaws.com (Server: squid/5.7 "
                                            ") that isn't the service's: it has neither "
                                            "x-amzn-requestid nor x-amz-crc32");
        struct http_response response = {.status = 200, .body = span_cstr(bodies[i])};
        response.header[HTTP_REQUEST_ID] = SPAN("");
        assert_int_equal(read_as(response, &DYNAMODB).class, CALL_RETRY);
        response.header[HTTP_REQUEST_ID] = SPAN("id");
        assert_int_equal(read_as(response, &DYNAMODB).class, CALL_OK);
        response.header[HTTP_REQUEST_ID] = span_cstr(NULL);
        char crc32[16];
        (void)snprintf(crc32, sizeof crc32, "%u", digest_crc32(response.body));
        response.header[HTTP_CRC32] = span_cstr(crc32);
        assert_int_equal(read_as(response, &DYNAMODB).class, CALL_OK);
        assert_int_equal(read_foreign(200, bodies[i], &SQS).class, CALL_OK); /* its reader knows it by its shape */
    }
}

static void fault_35_another_success_than_200_is_none(void **state) {
    (void)state;
    for (int status = 201; status < 400; status++) {
        struct call_result result = read_response((struct http_response){.status = status, .body = SPAN("{}")});
        assert_int_equal(result.class, CALL_RETRY);
        assert_true(result.foreign);
    }
}

static void fault_35_an_error_without_the_marks_of_dynamodbs_is_no_verdict(void **state) {
    static const char *const bodies[] = {
        "{\"__type\":\"x#ConditionalCheckFailedException\"}",
        "{\"__type\":\"x#ValidationException\",\"message\":\"m\"}", "{\"__type\":\"x#AccessDeniedException\"}",
        "{\"__type\":\"x#ResourceNotFoundException\"}", "<Error><Code>AccessDenied</Code></Error>"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct call_result result = read_foreign(400, bodies[i], &DYNAMODB);
        assert_int_equal(result.class, CALL_RETRY);
        assert_true(result.foreign && !result.from_service);
        assert_string_equal(result.code, "");
        assert_non_null(strstr(result.message, "without x-amzn-requestid"));
        assert_non_null(strstr(result.message, i == 3 ? "ResourceNotFoundException" : ""));
        assert_true(read_response((struct http_response){.status = 400, .body = span_cstr(bodies[i])}).from_service);
        assert_true(read_foreign(400, bodies[i], &SQS).from_service);
    }
    assert_int_equal(read_foreign(429, "", &DYNAMODB).class, CALL_THROTTLED);
}

static void fault_35_a_compressed_answer_is_not_the_services(void **state) {
    (void)state;
    struct http_response response = {.status = 200, .body = SPAN("\x1f\x8b\x08")};
    response.header[HTTP_ENCODING] = SPAN("gzip");
    const struct error_rules *const rules[] = {&DYNAMODB, &SQS};
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        struct call_result result = read_as(response, rules[i]);
        assert_int_equal(result.class, CALL_RETRY);
        assert_true(result.foreign);
        assert_non_null(strstr(result.message, "compressed (gzip)"));
    }
    response.header[HTTP_ENCODING] = SPAN("Identity");
    assert_int_equal(read_response(response).class, CALL_OK);
}

static void the_request_id_of_a_failure_is_kept_wherever_it_stands(void **state) {
    (void)state;
    struct http_response response = {
        .status = 403,
        .body = SPAN("<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error>"
                     "<RequestId>b8e9</RequestId></ErrorResponse>")};
    struct call_result result = read_as(response, &SQS);
    assert_int_equal(result.class, CALL_DENIED);
    assert_string_equal(result.request_id, "b8e9");
    response.header[HTTP_REQUEST_ID] = SPAN("header");
    assert_string_equal(read_as(response, &SQS).request_id, "header");
    assert_string_equal(read_response((struct http_response){.status = 200, .body = SPAN("{}")}).request_id, "");
}

static void credentials_and_clocks_that_are_refused_come_with_what_mends_them(void **state) {
    static const struct {
        const char *code, *says;
    } cases[] = {
        {"UnrecognizedClientException", "doesn't know the access key"},
        {"InvalidClientTokenId", "doesn't know the access key"},
        {"InvalidSignatureException", "secret access key"},
        {"SignatureDoesNotMatch", "secret access key"},
        {"ExpiredToken", "has expired"},
        {"ExpiredTokenException", "has expired"},
        {"MissingAuthenticationToken", "Authorization header"},
        {"AuthFailure", "check the access key id"},
        {"RequestTimeTooSkewed", "set the clock"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char body[256];
        (void)snprintf(body, sizeof body, "{\"__type\":\"x#%s\",\"message\":\"x-amz-security-token:CANARY\"}",
                       cases[i].code);
        struct call_result result = read_response((struct http_response){.status = 403, .body = span_cstr(body)});
        error_advise(&result);
        assert_non_null(strstr(result.message, cases[i].says));
        assert_null(strstr(result.message, "CANARY"));
        assert_string_equal(result.code, cases[i].code);
    }
    struct call_result denied = read_response((struct http_response){
        .status = 400, .body = SPAN("{\"__type\":\"AccessDeniedException\",\"message\":\"m\"}")});
    error_advise(&denied);
    assert_string_equal(denied.message, "m");
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
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:50:27 GMT",
         10 * MICROSECONDS}, /* by the server's clock */
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
        cmocka_unit_test(fault_35_a_200_is_dynamodbs_only_with_its_request_id_or_its_checksum),
        cmocka_unit_test(fault_35_another_success_than_200_is_none),
        cmocka_unit_test(fault_35_an_error_without_the_marks_of_dynamodbs_is_no_verdict),
        cmocka_unit_test(fault_35_a_compressed_answer_is_not_the_services),
        cmocka_unit_test(the_request_id_of_a_failure_is_kept_wherever_it_stands),
        cmocka_unit_test(credentials_and_clocks_that_are_refused_come_with_what_mends_them),
        cmocka_unit_test(the_wish_to_wait_is_read_in_each_of_its_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
