#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sqs_request.h"

#define URL "http://h/1/q"

static void expect(struct buf *out, const char *text) {
    assert_string_equal(out->data, text);
    buf_free(out);
}

static void a_receive_asks_for_what_is_read(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    struct sqs_receive_request r = {.queue_url = URL, .max_messages = 10, .wait_seconds = 20, .visibility_seconds = 30};
    assert_true(sqs_write_receive(&r, &out));
    expect(&out, "{\"QueueUrl\":\"" URL "\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":20,\"VisibilityTimeout\":30,"
                 "\"MessageSystemAttributeNames\":[\"ApproximateReceiveCount\",\"SentTimestamp\",\"MessageGroupId\","
                 "\"SequenceNumber\",\"AWSTraceHeader\"],"
                 "\"MessageAttributeNames\":[\"All\"]}");
    r.attempt_id = "a-1";
    r.wait_seconds = 0;
    assert_true(sqs_write_receive(&r, &out));
    expect(&out, "{\"QueueUrl\":\"" URL "\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":0,\"VisibilityTimeout\":30,"
                 "\"MessageSystemAttributeNames\":[\"ApproximateReceiveCount\",\"SentTimestamp\",\"MessageGroupId\","
                 "\"SequenceNumber\",\"AWSTraceHeader\"],"
                 "\"MessageAttributeNames\":[\"All\"],\"ReceiveRequestAttemptId\":\"a-1\"}");
}

static void entries_have_their_index_as_their_id(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    const struct span handles[] = {SPAN("h\"0"), SPAN("h1")};
    assert_true(sqs_write_delete(URL, handles, 2, &out));
    expect(&out,
           "{\"QueueUrl\":\"" URL
           "\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"h\\\"0\"},{\"Id\":\"1\",\"ReceiptHandle\":\"h1\"}]}");
    const struct sqs_visibility_entry entries[] = {{SPAN("h0"), 0}, {SPAN("h1"), 43200}};
    assert_true(sqs_write_change_visibility(URL, entries, 2, &out));
    expect(&out,
           "{\"QueueUrl\":\"" URL "\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"h0\",\"VisibilityTimeout\":0},"
           "{\"Id\":\"1\",\"ReceiptHandle\":\"h1\",\"VisibilityTimeout\":43200}]}");
}

static void a_sent_entry_has_only_the_members_that_are_there(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    const struct sqs_send_entry entries[] = {
        {.body = SPAN("a\n\xC3\xA9")},
        {.body = SPAN("b"), .group_id = SPAN("g"), .deduplication_id = SPAN("d")},
        {.body = SPAN("c"),
         .error_type = SPAN("DatabaseError"),
         .status_code = SPAN("500"),
         .error_envelope = SPAN("{}")},
        {.body = SPAN("d"), .status_code = SPAN("400")},
    };
    assert_true(sqs_write_send(URL, entries, 4, &out));
    expect(&out, "{\"QueueUrl\":\"" URL "\",\"Entries\":[{\"Id\":\"0\",\"MessageBody\":\"a\\n\xC3\xA9\"},"
                 "{\"Id\":\"1\",\"MessageBody\":\"b\",\"MessageGroupId\":\"g\",\"MessageDeduplicationId\":\"d\"},"
                 "{\"Id\":\"2\",\"MessageBody\":\"c\",\"MessageAttributes\":{\"ErrorType\":{\"DataType\":\"String\","
                 "\"StringValue\":\"DatabaseError\"},"
                 "\"StatusCode\":{\"DataType\":\"Number\",\"StringValue\":\"500\"},\"ErrorEnvelope\":{\"DataType\":"
                 "\"String\",\"StringValue\":\"{}\"}}},"
                 "{\"Id\":\"3\",\"MessageBody\":\"d\",\"MessageAttributes\":{\"StatusCode\":{\"DataType\":\"Number\","
                 "\"StringValue\":\"400\"}}}]}");
}

static void the_originals_attributes_stand_behind_ours_as_they_came(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    const struct message_attribute attributes[] = {{SPAN("B"), SPAN("Binary.png"), SPAN("AAEC/w=="), true},
                                                   {SPAN("a.b"), SPAN("String"), SPAN("\"\n"), false}};
    const struct sqs_send_entry entries[] = {
        {.body = SPAN("a"),
         .error_type = SPAN("E"),
         .attributes = attributes,
         .attribute_count = 2,
         .trace_header = SPAN("Root=1-5")},
        {.body = SPAN("b"), .attributes = attributes, .attribute_count = 1},
    };
    assert_true(sqs_write_send(URL, entries, 2, &out));
    expect(&out,
           "{\"QueueUrl\":\"" URL "\",\"Entries\":[{\"Id\":\"0\",\"MessageBody\":\"a\",\"MessageAttributes\":{"
           "\"ErrorType\":{\"DataType\":\"String\",\"StringValue\":\"E\"},"
           "\"B\":{\"DataType\":\"Binary.png\",\"BinaryValue\":\"AAEC/w==\"},"
           "\"a.b\":{\"DataType\":\"String\",\"StringValue\":\"\\\"\\n\"}},"
           "\"MessageSystemAttributes\":{\"AWSTraceHeader\":{\"DataType\":\"String\",\"StringValue\":\"Root=1-5\"}}},"
           "{\"Id\":\"1\",\"MessageBody\":\"b\",\"MessageAttributes\":{\"B\":{\"DataType\":\"Binary.png\","
           "\"BinaryValue\":\"AAEC/w==\"}}}]}");
}

static void queues_are_asked_for_by_name_and_owner(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_true(sqs_write_get_attributes(URL, &out));
    expect(&out, "{\"QueueUrl\":\"" URL "\",\"AttributeNames\":[\"All\"]}");
    assert_true(sqs_write_get_queue_url("q", "", &out));
    expect(&out, "{\"QueueName\":\"q\"}");
    assert_true(sqs_write_get_queue_url("q", "123456789012", &out));
    expect(&out, "{\"QueueName\":\"q\",\"QueueOwnerAWSAccountId\":\"123456789012\"}");
}

static void a_full_buffer_is_told(void **state) {
    (void)state;
    const struct span handle = SPAN("h");
    const struct sqs_visibility_entry visibility = {SPAN("h"), 1};
    const struct sqs_send_entry send = {.body = SPAN("b")};
    const struct sqs_receive_request receive = {.queue_url = URL, .max_messages = 1};
    struct buf out;
    buf_init(&out, 30);
    assert_false(sqs_write_delete(URL, &handle, 1, &out));
    buf_reset(&out);
    assert_false(sqs_write_change_visibility(URL, &visibility, 1, &out));
    buf_reset(&out);
    assert_false(sqs_write_send(URL, &send, 1, &out));
    buf_reset(&out);
    assert_false(sqs_write_receive(&receive, &out));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receive_asks_for_what_is_read),
        cmocka_unit_test(entries_have_their_index_as_their_id),
        cmocka_unit_test(a_sent_entry_has_only_the_members_that_are_there),
        cmocka_unit_test(the_originals_attributes_stand_behind_ours_as_they_came),
        cmocka_unit_test(queues_are_asked_for_by_name_and_owner),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
