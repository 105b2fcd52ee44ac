#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lambda_event.h"

/* As AWS's developer guides show them, but for what is long and not read. */
#define REST(more)                                                                                                     \
    "{\"resource\":\"/\",\"path\":\"/\",\"httpMethod\":\"POST\",\"requestContext\":{\"resourcePath\":\"/\","           \
    "\"httpMethod\":\"POST\",\"identity\":{\"http\":1}},\"queryStringParameters\":null,\"isBase64Encoded\":false" more \
    "}"
#define HTTP_API(more)                                                                                                 \
    "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/my/path\",\"requestContext\":{\"accountId\":\"1\"," \
    "\"http\":{\"method\":\"POST\",\"path\":\"/my/path\"}}" more "}"
#define SQS_RECORD(more)                                                                                               \
    "{\"messageId\":\"19dd0b57\",\"receiptHandle\":\"MessageReceiptHandle\",\"body\":\"Hello\",\"attributes\":{"       \
    "\"ApproximateReceiveCount\":\"3\",\"SentTimestamp\":\"1523232000000\",\"SenderId\":\"123456789012\"},"            \
    "\"messageAttributes\":{},\"md5OfBody\":\"x\",\"eventSource\":\"aws:sqs\",\"eventSourceARN\":"                     \
    "\"arn:aws:sqs:us-east-1:123456789012:MyQueue\",\"awsRegion\":\"us-east-1\"" more "}"
#define SNS_RECORD                                                                                                     \
    "{\"EventVersion\":\"1.0\",\"EventSource\":\"aws:sns\",\"Sns\": {\"Timestamp\":\"2019-01-02T12:45:07.000Z\","      \
    "\"MessageId\":\"95df01b4\",\"Message\":\"Hello\",\"Type\":\"Notification\",\"TopicArn\":\"arn:aws:sns:us-east-1:" \
    "123456789012:sns-lambda\"} }"
#define EVENTBRIDGE(more)                                                                                              \
    "{\"version\":\"0\",\"id\":\"6a7e8feb\",\"detail-type\":\"EC2\",\"source\":\"aws.ec2\",\"time\":\"2017-12-22T18:"  \
    "43:48Z\"" more "}"

static struct lambda_event read_event(const char *text) {
    struct lambda_event event;
    lambda_event_read(span_cstr(text), &event);
    return event;
}

static void an_event_is_known_by_its_members(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum lambda_event_kind kind;
    } cases[] = {
        {"{\"id\":\"a\",\"attributes\":{\"Records\":[],\"requestContext\":{}}}", LAMBDA_DIRECT},
        {REST(",\"body\":\"{}\""), LAMBDA_HTTP},
        {REST(""), LAMBDA_HTTP},
        {HTTP_API(",\"body\":\"{}\""), LAMBDA_HTTP},
        {HTTP_API(""), LAMBDA_HTTP},
        /* A load balancer's, a web socket's. */
        {"{\"requestContext\":{\"elb\":{\"targetGroupArn\":\"arn\"}},\"httpMethod\":\"POST\",\"path\":\"/\"}",
         LAMBDA_HTTP},
        {"{\"requestContext\":{\"routeKey\":\"$default\",\"connectionId\":\"c\"},\"body\":\"{}\"}", LAMBDA_HTTP},
        /* A destination's record of an invocation. */
        {"{\"requestContext\":{\"requestId\":\"r\",\"condition\":\"Success\"},\"requestPayload\":{}}", LAMBDA_DIRECT},
        {"{\"httpMethod\":\"POST\",\"body\":\"{}\"}", LAMBDA_DIRECT},
        {"{\"Records\":[" SQS_RECORD("") "," SQS_RECORD("") "]}", LAMBDA_SQS},
        {"{\"Records\":[" SNS_RECORD "]}", LAMBDA_SNS},
        {EVENTBRIDGE(",\"detail\":{}"), LAMBDA_EVENTBRIDGE},
        {EVENTBRIDGE(",\"detail\":[]"), LAMBDA_DIRECT},
        {EVENTBRIDGE(""), LAMBDA_DIRECT},
        {EVENTBRIDGE(",\"detail\":{},\"id\":\"\""), LAMBDA_DIRECT},
        {"{\"detail\":{},\"detail-type\":\"t\",\"id\":\"i\"}", LAMBDA_DIRECT},
        {"", LAMBDA_DIRECT},
        {"[]", LAMBDA_DIRECT},
        {"\"Records\"", LAMBDA_DIRECT},
        {"{\"Records\":{}}", LAMBDA_DIRECT},
        /* What is cut, or has something behind it, is what it was known to be by then. */
        {"{\"Records\":[" SQS_RECORD("") "]", LAMBDA_UNFIT},
        {"{\"Records\":[" SQS_RECORD("") "]} x", LAMBDA_UNFIT},
        {"{\"Records\":[{\"messageId\":\"1\",\"body\":\"\\ud800", LAMBDA_UNFIT},
        {EVENTBRIDGE(",\"detail\":{\"id\":\"\\ud800\"}"), LAMBDA_EVENTBRIDGE},
        {EVENTBRIDGE(",\"resources\":[\"\\ud800\"],\"detail\":{}"), LAMBDA_DIRECT},
        {REST(",\"body\":\"\\ud800\""), LAMBDA_HTTP},
        {HTTP_API("") "x", LAMBDA_HTTP},
        {"{\"requestContext\":{\"http\":{", LAMBDA_HTTP},
        {"{\"requestContext\":{", LAMBDA_DIRECT},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (read_event(cases[i].text).kind != cases[i].kind) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void records_that_cant_be_worked_on_are_unfit_and_why_is_said(void **state) {
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"{\"Records\":[]}", "no Records"},
        {"{\"Records\":[{}]}", "isn't known"},
        {"{\"Records\":[null]}", "isn't known"},
        {"{\"Records\":[\"aws:sqs\"]}", "isn't known"},
        {"{\"Records\":[{\"eventSource\":\"aws:s3\",\"s3\":{}}]}", "isn't known"},
        {"{\"Records\":[" SQS_RECORD("") ",{\"eventSource\":\"aws:s3\"}]}", "isn't known"},
        {"{\"Records\":[" SQS_RECORD("") "," SNS_RECORD "]}", "several sources"},
        {"{\"Records\":[" SQS_RECORD(",\"messageId\":\"\"") "]}", "no messageId"},
        {"{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":5}]}", "no messageId"},
        {"{\"Records\":[{\"EventSource\":\"aws:sns\",\"Sns\":{\"TopicArn\":\"t\"}}]}", "no MessageId"},
        {"{\"Records\":[{\"EventSource\":\"aws:sns\",\"Sns\":{\"MessageId\":\"m\"}}]}", "no TopicArn"},
        {"{\"Records\":[{\"EventSource\":\"aws:sns\",\"Sns\":[]}]}", "no MessageId"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct lambda_event event = read_event(cases[i].text);
        if (event.kind != LAMBDA_UNFIT || !strstr(event.problem, cases[i].problem)) {
            fail_msg("%s: %s", cases[i].text, event.problem ? event.problem : "fit");
        }
    }
}

static bool is_text(const struct json_token *token, const char *text) {
    return text ? token->event == JSON_STRING && json_token_is(token, text) : token->event != JSON_STRING;
}

static void a_requests_body_and_key_are_found_however_the_header_is_spelt(void **state) {
    (void)state;
    static const struct {
        const char *text, *body, *key;
        bool is_base64;
    } cases[] = {
        {REST(",\"body\":\"{\\\"id\\\":1}\""), "{\"id\":1}", NULL, false},
        {REST(",\"body\":null,\"headers\":null"), NULL, NULL, false},
        {REST(",\"body\":{\"id\":1}"), NULL, NULL, false},
        {REST(",\"body\":\"e30=\",\"isBase64Encoded\":true"), "e30=", NULL, true},
        {REST(",\"body\":\"x\",\"isBase64Encoded\":\"true\""), "x", NULL, false},
        {REST(",\"headers\":{\"A\":\"b\",\"Idempotency-Key\":\"k\"}"), NULL, "k", false},
        {HTTP_API(",\"headers\":{\"idempotency-key\":\"k\\u00e9\"},\"body\":\"\""), "", "ké", false},
        {REST(",\"headers\":{\"IDEMPOTENCY-KEY\":\"\"}"), NULL, "", false},
        {REST(",\"headers\":{\"Idempotency-Key\":5}"), NULL, NULL, false},
        {REST(",\"multiValueHeaders\":{\"Idempotency-Key\":[\"one\",\"two\"]}"), NULL, "one", false},
        {REST(",\"multiValueHeaders\":{\"Idempotency-Key\":[],\"X\":[\"y\"]}"), NULL, NULL, false},
        {REST(",\"multiValueHeaders\":{\"Idempotency-Key\":[{\"a\":[1]},\"two\"]}"), NULL, NULL, false},
        {REST(",\"headers\":{\"Idempotency-Key\":\"k\"},\"multiValueHeaders\":{\"Idempotency-Key\":[\"k\"]}"), NULL,
         "k", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct lambda_event event = read_event(cases[i].text);
        if (event.kind != LAMBDA_HTTP || !is_text(&event.body, cases[i].body) || !is_text(&event.key, cases[i].key) ||
            event.is_base64 != cases[i].is_base64) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void a_record_of_sqs_is_read_whole(void **state) {
    (void)state;
    struct lambda_event event = read_event("{\"Records\":[" SQS_RECORD(
        "") ",{\"eventSource\":\"aws:sqs\",\"messageId\":\"m2\",\"attributes\":{"
            "\"MessageGroupId\":\"g\",\"SequenceNumber\":\"7\",\"AWSTraceHeader\":\"Root=1\"},\"messageAttributes\":{"
            "\"ErrorEnvelope\":{\"stringValue\":\"{}\",\"dataType\":\"String\"},\"n\":{\"stringValue\":\"1\","
            "\"dataType\":"
            "\"Number\"},\"both\":{\"stringValue\":\"1\",\"binaryValue\":\"AA==\",\"dataType\":\"String\"},\"none\":{},"
            "\"untyped\":{\"stringValue\":\"1\"},\"b\":{\"binaryValue\":\"AA==\",\"stringValue\":null,\"dataType\":"
            "\"Binary\"}}}]}");
    struct lambda_records records;
    struct lambda_record record;
    assert_int_equal(event.kind, LAMBDA_SQS);
    assert_int_equal(event.record_count, 2);
    lambda_records_begin(&records, &event);
    assert_true(lambda_records_next(&records, &record));
    assert_true(is_text(&record.id, "19dd0b57") && is_text(&record.body, "Hello"));
    assert_true(is_text(&record.receive_count, "3") && is_text(&record.sent_at, "1523232000000"));
    assert_true(is_text(&record.origin, "arn:aws:sqs:us-east-1:123456789012:MyQueue"));
    assert_int_equal(record.attribute_count, 0);
    assert_true(lambda_records_next(&records, &record));
    assert_true(is_text(&record.id, "m2") && is_text(&record.body, NULL) && is_text(&record.origin, NULL));
    assert_true(is_text(&record.group_id, "g") && is_text(&record.sequence_number, "7"));
    assert_true(is_text(&record.trace_header, "Root=1") && is_text(&record.error_envelope, "{}"));
    assert_int_equal(record.attribute_count, 2);
    assert_true(is_text(&record.attributes[0].text, "1") && is_text(&record.attributes[0].type, "Number"));
    assert_true(is_text(&record.attributes[1].base64, "AA==") && json_token_is(&record.attributes[1].name, "b"));
    assert_false(lambda_records_next(&records, &record));
    assert_false(lambda_records_next(&records, &record));
}

static void more_attributes_than_sqs_has_are_left_out(void **state) {
    (void)state;
    char text[2048];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\","
                                  "\"messageAttributes\":{");
    for (unsigned i = 0; i < 12; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\"a%u\":{\"stringValue\":\"v\",\"dataType\":\"S\"}",
                                i ? "," : "", i);
    }
    (void)snprintf(text + len, sizeof text - len, "}}]}");
    struct lambda_event event = read_event(text);
    struct lambda_records records;
    struct lambda_record record;
    lambda_records_begin(&records, &event);
    assert_true(lambda_records_next(&records, &record));
    assert_int_equal(record.attribute_count, MESSAGE_ATTRIBUTES_MAX);
}

static void a_notification_and_an_event_are_kept_as_they_are(void **state) {
    (void)state;
    struct lambda_records records;
    struct lambda_record record;
    const char *text = "{\"Records\":[" SNS_RECORD "]}";
    struct lambda_event event = read_event(text);
    lambda_records_begin(&records, &event);
    assert_true(lambda_records_next(&records, &record));
    assert_true(is_text(&record.id, "95df01b4") && is_text(&record.sent_at, "2019-01-02T12:45:07.000Z"));
    assert_true(is_text(&record.origin, "arn:aws:sns:us-east-1:123456789012:sns-lambda"));
    const char *inner = strstr(text, "\"Sns\": ") + strlen("\"Sns\": ");
    assert_ptr_equal(record.whole.data, inner);
    assert_int_equal(record.whole.len, strstr(inner, "} }") + 1 - inner);
    assert_false(lambda_records_next(&records, &record));

    text = EVENTBRIDGE(",\"detail\":{\"id\":\"a\"}");
    event = read_event(text);
    lambda_records_begin(&records, &event);
    assert_true(lambda_records_next(&records, &record));
    assert_true(is_text(&record.id, "6a7e8feb") && is_text(&record.origin, "aws.ec2"));
    assert_true(is_text(&record.sent_at, "2017-12-22T18:43:48Z"));
    assert_true(record.whole.data == text && record.whole.len == strlen(text));
    assert_false(lambda_records_next(&records, &record));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_known_by_its_members),
        cmocka_unit_test(records_that_cant_be_worked_on_are_unfit_and_why_is_said),
        cmocka_unit_test(a_requests_body_and_key_are_found_however_the_header_is_spelt),
        cmocka_unit_test(a_record_of_sqs_is_read_whole),
        cmocka_unit_test(more_attributes_than_sqs_has_are_left_out),
        cmocka_unit_test(a_notification_and_an_event_are_kept_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
