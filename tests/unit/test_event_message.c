#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "event_message.h"

static struct sqs_message *message_of(const char *text, size_t at, bool group_by_id) {
    struct lambda_event event;
    struct lambda_records records;
    struct lambda_record record;
    struct buf scratch;
    buf_init(&scratch, 4096);
    lambda_event_read(span_cstr(text), &event);
    lambda_records_begin(&records, &event);
    for (size_t i = 0; i <= at; i++) {
        assert_true(lambda_records_next(&records, &record));
    }
    struct sqs_message *m = event_message_new(&event, &record, at, group_by_id, &scratch);
    assert_non_null(m);
    buf_free(&scratch);
    return m;
}

static void a_record_becomes_the_message_that_it_is(void **state) {
    (void)state;
    struct sqs_message *m = message_of(
        "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\\u0031\",\"receiptHandle\":\"theirs\",\"body\":"
        "\"h\\u00e9 \\\"x\\\"\",\"attributes\":{\"ApproximateReceiveCount\":\"4\",\"SentTimestamp\":\"1523232000123\","
        "\"MessageGroupId\":\"g\",\"SequenceNumber\":\"9\",\"AWSTraceHeader\":\"Root=1\"},\"messageAttributes\":{"
        "\"z\":{\"stringValue\":\"\\u00e9\",\"dataType\":\"String\"},\"a\":{\"binaryValue\":\"AAEC\",\"dataType\":"
        "\"Binary\"},\"bad\":{\"binaryValue\":\"no base64\",\"dataType\":\"Binary\"}}}]}",
        0, true);
    assert_true(span_is(m->message_id, "m1") && span_is(m->receipt_handle, "0"));
    assert_true(span_is(m->body, "h\xC3\xA9 \"x\"") && span_is(m->group_id, "g"));
    assert_true(span_is(m->sequence_number, "9") && span_is(m->trace_header, "Root=1"));
    assert_null(m->error_envelope.data);
    assert_int_equal(m->receive_count, 4);
    assert_true(m->sent_at == 1523232000123LL * MILLISECOND);
    assert_int_equal(m->attribute_count, 2);
    assert_true(span_is(m->attributes[0].name, "a") && m->attributes[0].binary);
    assert_true(span_is(m->attributes[1].name, "z") && span_is(m->attributes[1].value, "\xC3\xA9"));
    sqs_message_free(m);
}

static void what_a_record_lacks_is_as_sqs_would_have_it(void **state) {
    (void)state;
    static const char text[] =
        "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\"},{\"eventSource\":\"aws:sqs\",\"messageId\":"
        "\"n\",\"body\":5,\"attributes\":{\"ApproximateReceiveCount\":\"0\",\"SentTimestamp\":\"9223372036854775808\"}"
        "}]}";
    for (size_t i = 0; i < 2; i++) {
        struct sqs_message *m = message_of(text, i, false);
        assert_true(m->body.data && m->body.len == 0);
        assert_null(m->group_id.data);
        assert_int_equal(m->receive_count, 1);
        assert_int_equal(m->sent_at, 0);
        assert_true(span_is(m->receipt_handle, i ? "1" : "0"));
        sqs_message_free(m);
    }
    struct sqs_message *m = message_of(text, 1, true);
    assert_true(span_is(m->group_id, "n"));
    sqs_message_free(m);
}

static void an_events_body_is_what_a_queue_would_have_of_it(void **state) {
    (void)state;
    static const char notification[] = "{\"MessageId\":\"m\",\"TopicArn\":\"arn:aws:sns:r:1:t\",\"Message\":\"{}\","
                                       "\"Timestamp\":\"2019-01-02T12:45:07.000Z\"}";
    static const char event[] = "{\"id\":\"e\",\"source\":\"app\",\"detail-type\":\"t\",\"detail\":{},\"time\":\"x\"}";
    char text[512];
    (void)snprintf(text, sizeof text, "{\"Records\":[{\"EventSource\":\"aws:sns\",\"Sns\":%s}]}", notification);
    struct sqs_message *m = message_of(text, 0, false);
    assert_true(span_is(m->body, notification) && span_is(m->message_id, "m"));
    assert_true(m->sent_at == 1546433107LL * MICROSECONDS);
    sqs_message_free(m);
    m = message_of(event, 0, false);
    assert_true(span_is(m->body, event) && span_is(m->message_id, "e"));
    assert_int_equal(m->sent_at, 0);
    sqs_message_free(m);
}

static void an_origin_is_a_name(void **state) {
    (void)state;
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\",\"eventSourceARN\":\"arn:aws:sqs:r:1:q.fifo\"}"
         "]}",
         "q.fifo"},
        {"{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\"}]}", ""},
        {"{\"Records\":[{\"EventSource\":\"aws:sns\",\"Sns\":{\"MessageId\":\"m\",\"TopicArn\":\"a-very-long-name\"}}]"
         "}",
         "a-very-lo"},
        {"{\"id\":\"e\",\"source\":\"my:app\",\"detail-type\":\"t\",\"detail\":{}}", "my:app"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct lambda_event event;
        struct lambda_records records;
        struct lambda_record record;
        char name[10];
        lambda_event_read(span_cstr(cases[i].text), &event);
        lambda_records_begin(&records, &event);
        assert_true(lambda_records_next(&records, &record));
        event_message_origin(&event, &record, name, sizeof name);
        assert_string_equal(name, cases[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_the_message_that_it_is),
        cmocka_unit_test(what_a_record_lacks_is_as_sqs_would_have_it),
        cmocka_unit_test(an_events_body_is_what_a_queue_would_have_of_it),
        cmocka_unit_test(an_origin_is_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
