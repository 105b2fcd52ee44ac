#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "json_writer.h"
#include "sqs_response.h"

static int make_digest(void **state) {
    *state = digest_new();
    return *state ? 0 : -1;
}

static int free_digest(void **state) {
    digest_free(*state);
    return 0;
}

static struct sqs_messages read_fine(struct digest *d, const char *text, size_t max) {
    struct sqs_messages m;
    assert_int_equal(sqs_read_messages(span_cstr(text), max, d, &m), DECODE_FINE);
    return m;
}

/* What a server of the SQS kind answered. */
#define RECORDED                                                                                                       \
    "{\"Messages\":[{\"Attributes\":{\"ApproximateReceiveCount\":\"3\",\"SentTimestamp\":\"1795356026539\","           \
    "\"MessageGroupId\":\"g\","                                                                                        \
    "\"SequenceNumber\":\"0\"},\"Body\":\"h\xC3\xA9 \\\"x\\\" \xF0\x9F\x98\x80 "                                       \
    "\\n\",\"MD5OfBody\":\"4b4c432b17546a1d007b218d011773f6\","                                                        \
    "\"MD5OfMessageAttributes\":\"bbab1e6d0ac1188d4b7570fb5af678e9\",\"MessageAttributes\":{\"ErrorEnvelope\":{"       \
    "\"DataType\":\"String\","                                                                                         \
    "\"StringValue\":\"{\\\"a\\\":\\\"b\\\"}\"},\"Other\":{\"StringValue\":\"no\"}},\"MessageId\":\"e9940a33-371f-"    \
    "457d-accf-24ed31fafb9d\","                                                                                        \
    "\"ReceiptHandle\":\"e9940a33#97f2eb0f\"}]}"

static void a_recorded_message_is_read_whole(void **state) {
    struct sqs_messages all = read_fine(*state, RECORDED, 10);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.corrupt, 0);
    const struct sqs_message *m = all.message[0];
    assert_true(span_is(m->message_id, "e9940a33-371f-457d-accf-24ed31fafb9d"));
    assert_true(span_is(m->receipt_handle, "e9940a33#97f2eb0f"));
    assert_true(span_is(m->body, "h\xC3\xA9 \"x\" \xF0\x9F\x98\x80 \n"));
    assert_true(span_is(m->group_id, "g"));
    assert_true(span_is(m->sequence_number, "0"));
    assert_true(span_is(m->error_envelope, "{\"a\":\"b\"}"));
    assert_true(m->sent_at == 1795356026539LL * MILLISECOND);
    assert_int_equal(m->receive_count, 3);
    sqs_messages_free(&all);
    assert_int_equal(all.count, 0);
}

#define MD5_B2 "fbfba2e45c2045dc5cab22a5afe83d9d"
#define MESSAGE(rest)                                                                                                  \
    "{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"" MD5_B2 "\"" rest "}"

static void fault_28_a_message_full_of_escapes_takes_no_more_room_than_without(void **state) {
    enum { QUOTES = 100000 };
    struct buf text, body;
    buf_init(&text, SIZE_MAX);
    buf_init(&body, QUOTES);
    for (int i = 0; i < QUOTES; i++) {
        buf_append_cstr(&body, "\"");
    }
    char md5[MD5_HEX_SIZE + 1];
    assert_true(digest_md5_hex(*state, buf_span(&body), md5));
    buf_printf(&text,
               "{\"Messages\":[{\"MD5OfBody\":\"%s\",\"ReceiptHandle\":\"h\",\"Attributes\":{\"MessageGroupId\":\"g\"},"
               "\"Body\":",
               md5);
    json_append_string(&text, buf_span(&body));
    buf_append_cstr(&text, ",\"MessageId\":\"i\"}]}");
    assert_true(buf_ok(&text) && buf_ok(&body));
    struct sqs_messages all = read_fine(*state, text.data, 10);
    assert_int_equal(all.count, 1);
    struct sqs_message *m = all.message[0];
    assert_true(span_equal(m->body, buf_span(&body)));
    assert_true(sqs_message_body(m) == m->body.data);
    assert_true(span_is(m->message_id, "i") && span_is(m->receipt_handle, "h") && span_is(m->group_id, "g"));
    assert_null(m->sequence_number.data);
    assert_in_range(malloc_usable_size(m), QUOTES, QUOTES + QUOTES / 10);
    sqs_messages_free(&all);
    buf_free(&text);
    buf_free(&body);
}

static void what_is_absent_is_absent(void **state) {
    struct sqs_messages all = read_fine(*state, "{\"Messages\":[" MESSAGE("") "]}", 10);
    assert_int_equal(all.count, 1);
    const struct sqs_message *m = all.message[0];
    assert_null(m->group_id.data);
    assert_null(m->sequence_number.data);
    assert_null(m->error_envelope.data);
    assert_true(m->sent_at == 0);
    assert_int_equal(m->receive_count, 1);
    sqs_messages_free(&all);
}

static void attributes_are_kept_byte_for_byte_in_the_order_of_their_names(void **state) {
    struct sqs_messages all = read_fine(
        *state,
        "{\"Messages\":[" MESSAGE(
            ",\"Attributes\":{\"AWSTraceHeader\":\"Root=1-5\"},\"MessageAttributes\":{"
            "\"z\":{\"DataType\":\"String\",\"StringValue\":\"\\u0041\\\"\\n\\u00e9\"},"
            "\"ErrorEnvelope\":{\"DataType\":\"String\",\"StringValue\":\"{}\"},"
            "\"a\\u002eb\":{\"StringValue\":\"1e5\",\"DataType\":\"Number.int\"},"
            "\"B\":{\"DataType\":\"Binary.png\",\"BinaryValue\":\"AAEC\\/w==\"},"
            "\"no type\":{\"StringValue\":\"x\"},\"no value\":{\"DataType\":\"String\"},"
            "\"no base64\":{\"DataType\":\"Binary\",\"BinaryValue\":\"?\"},"
            "\"two\":{\"DataType\":\"String\",\"StringValue\":\"x\",\"BinaryValue\":\"AA==\"}}") "," MESSAGE("") "]}",
        10);
    assert_int_equal(all.count, 2);
    const struct sqs_message *m = all.message[0];
    assert_int_equal(m->attribute_count, 3);
    static const struct {
        const char *name, *type, *value;
        bool binary;
        size_t size;
    } expected[] = {{"B", "Binary.png", "AAEC/w==", true, 1 + 10 + 4},
                    {"a.b", "Number.int", "1e5", false, 3 + 10 + 3},
                    {"z", "String", "A\"\n\xC3\xA9", false, 1 + 6 + 5}};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        const struct message_attribute *a = &m->attributes[i];
        assert_true(span_is(a->name, expected[i].name) && span_is(a->type, expected[i].type) &&
                    span_is(a->value, expected[i].value));
        assert_int_equal(a->binary, expected[i].binary);
        assert_int_equal(message_attribute_size(a), expected[i].size);
    }
    assert_true(span_is(m->trace_header, "Root=1-5") && span_is(m->error_envelope, "{}") && span_is(m->body, "b2"));
    assert_true(m->attribute_bytes >= 2 + 8 + 15 + 16 + 12);
    assert_int_equal(all.message[1]->attribute_count + all.message[1]->attribute_bytes, 0);
    assert_null(all.message[1]->trace_header.data);
    sqs_messages_free(&all);
}

static void of_more_attributes_than_sqs_has_ten_are_kept(void **state) {
    struct buf text;
    buf_init(&text, 10000);
    buf_append_cstr(&text, "{\"Messages\":[{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":"
                           "\"" MD5_B2 "\",\"MessageAttributes\":{");
    for (int i = 0; i < 25; i++) {
        buf_printf(&text, "%s\"n%d\":{\"DataType\":\"String\",\"StringValue\":\"v\"}", i ? "," : "", i);
    }
    buf_append_cstr(&text, "}}]}");
    struct sqs_messages all = read_fine(*state, text.data, 10);
    assert_int_equal(all.message[0]->attribute_count, MESSAGE_ATTRIBUTES_MAX);
    sqs_messages_free(&all);
    buf_free(&text);
}

static void no_messages_may_be_said_in_several_ways(void **state) {
    static const char *const texts[] = {"{}", "{\"Messages\":[]}", "{\"Messages\":null}",
                                        "{\"New\":{\"Messages\":[1]},\"Messages\":[]}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_messages all = read_fine(*state, texts[i], 10);
        assert_int_equal(all.count + all.corrupt, 0);
    }
}

static void fault_35_another_object_than_sqs_has_is_no_empty_queue(void **state) {
    static const char *const texts[] = {
        "{\"status\":\"ok\"}", "{\"errors\":[]}", "{\"New\":{\"Messages\":[]}}", "{\"messages\":[]}", "[]", "\"\"", ""};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_messages all = {.count = 77};
        assert_int_equal(sqs_read_messages(span_cstr(texts[i]), 10, *state, &all), DECODE_GARBAGE);
        assert_int_equal(all.count, 77);
    }
}

static void odd_attributes_are_not_taken_for_numbers(void **state) {
    static const struct {
        const char *attributes;
        int64_t sent_at;
        unsigned receive_count;
    } cases[] = {
        {"{\"SentTimestamp\":\"x\",\"ApproximateReceiveCount\":\"-1\"}", 0, 1},
        {"{\"SentTimestamp\":1,\"ApproximateReceiveCount\":2}", 0, 1},
        {"{\"SentTimestamp\":\"99999999999999999\",\"ApproximateReceiveCount\":\"99999999999\"}", 0, 1},
        {"{\"SentTimestamp\":\"9223372036854775\",\"ApproximateReceiveCount\":\"4294967295\"}", 9223372036854775000,
         UINT_MAX},
        {"{\"ApproximateReceiveCount\":\"0\"}", 0, 1},
        {"{\"MessageGroupId\":{\"a\":[]},\"SequenceNumber\":null}", 0, 1},
        {"null", 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "{\"Messages\":[" MESSAGE(",\"Attributes\":%s,\"MessageAttributes\":{\"ErrorEnvelope\":null}") "]}",
            cases[i].attributes);
        struct sqs_messages all = read_fine(*state, text, 10);
        assert_int_equal(all.count, 1);
        assert_true(all.message[0]->sent_at == cases[i].sent_at);
        assert_int_equal(all.message[0]->receive_count, cases[i].receive_count);
        assert_null(all.message[0]->group_id.data);
        assert_null(all.message[0]->error_envelope.data);
        sqs_messages_free(&all);
    }
}

static void what_is_no_message_is_left_out_counted_and_named(void **state) {
    static const struct {
        const char *message, *spoilt;
    } bad[] = {
        {"{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b3\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "i: its body doesn't fit its MD5"},
        {"{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"\"}",
         "i: its body doesn't fit its MD5"},
        {"{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\"}", "i: it has no MD5OfBody"},
        {"{\"MessageId\":\"i\",\"ReceiptHandle\":\"h\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "i: it lacks its id, its receipt handle or its body"},
        {"{\"MessageId\":\"i\",\"Body\":\"b2\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "i: it lacks its id, its receipt handle or its body"},
        {"{\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "no MessageId: it lacks its id, its receipt handle or its body"},
        {"{\"MessageId\":\"\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "no MessageId: it lacks its id, its receipt handle or its body"},
        {"{\"MessageId\":7,\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"" MD5_B2 "\"}",
         "no MessageId: it lacks its id, its receipt handle or its body"},
        {"null", "no MessageId: it lacks its id, its receipt handle or its body"},
        {"{}", "no MessageId: it lacks its id, its receipt handle or its body"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "{\"Messages\":[" MESSAGE("") ",%s," MESSAGE("") "]}", bad[i].message);
        struct sqs_messages all = read_fine(*state, text, 10);
        assert_int_equal(all.count, 2);
        assert_int_equal(all.corrupt, 1);
        assert_string_equal(all.spoilt, bad[i].spoilt);
        sqs_messages_free(&all);
    }
}

#define OF_GROUP(group, number, md5)                                                                                   \
    "{\"MessageId\":\"" number "\",\"ReceiptHandle\":\"h\",\"Body\":\"b2\",\"MD5OfBody\":\"" md5                       \
    "\",\"Attributes\":{" group "}}"
#define GROUP(name) "\"MessageGroupId\":\"" name "\",\"SequenceNumber\":\"1\""
#define BROKEN "00000000000000000000000000000000"

static void on_a_fifo_queue_none_overtakes_one_of_its_group_that_was_left_out(void **state) {
    static const struct {
        const char *messages;
        const char *left; /* their MessageIds */
        size_t corrupt;
    } cases[] = {
        {OF_GROUP(GROUP("a"), "1", MD5_B2) "," OF_GROUP(GROUP("a"), "2", BROKEN) "," OF_GROUP(
             GROUP("a"), "3", MD5_B2) "," OF_GROUP(GROUP("b"), "4", MD5_B2) "," OF_GROUP(GROUP("a"), "5", MD5_B2),
         "14", 3},
        /* Of which group it was is not told: of any. */
        {OF_GROUP(GROUP("a"), "1", MD5_B2) ",{}," OF_GROUP(GROUP("a"), "3", MD5_B2) "," OF_GROUP(GROUP("b"), "4",
                                                                                                 MD5_B2),
         "1", 3},
        /* A standard queue may have groups too, and no order. */
        {OF_GROUP("\"MessageGroupId\":\"a\"", "1", BROKEN) "," OF_GROUP("\"MessageGroupId\":\"a\"", "2", MD5_B2), "2",
         1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[2048], left[16] = "";
        (void)snprintf(text, sizeof text, "{\"Messages\":[%s]}", cases[i].messages);
        struct sqs_messages all = read_fine(*state, text, 10);
        for (size_t k = 0; k < all.count; k++) {
            left[k] = all.message[k]->message_id.data[0];
        }
        assert_string_equal(left, cases[i].left);
        assert_int_equal(all.corrupt, cases[i].corrupt);
        sqs_messages_free(&all);
    }
}

static void more_messages_than_were_asked_for_are_left_out(void **state) {
    char text[4096] = "{\"Messages\":[";
    size_t len = strlen(text);
    for (int i = 0; i < 12; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s" MESSAGE(""), i ? "," : "");
    }
    (void)snprintf(text + len, sizeof text - len, "]}");
    static const size_t cases[][3] = {{10, 10, 2}, {3, 3, 9}, {1000, 10, 2}, {0, 0, 12}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct sqs_messages all = read_fine(*state, text, cases[i][0]);
        assert_int_equal(all.count, cases[i][1]);
        assert_int_equal(all.corrupt, cases[i][2]);
        sqs_messages_free(&all);
    }
}

static void an_answer_that_is_cut_gives_nothing(void **state) {
    size_t whole = strlen(RECORDED);
    for (size_t len = 0; len < whole; len++) {
        /* In memory of its own, so that a byte read too many is seen. */
        char *text = malloc(len + 1);
        assert_non_null(text);
        memcpy(text, RECORDED, len);
        struct sqs_messages all = {.count = 77};
        assert_int_equal(sqs_read_messages(span_of(text, len), 10, *state, &all), DECODE_GARBAGE);
        assert_int_equal(all.count, 77);
        free(text);
    }
}

static void messages_of_the_wrong_type_are_garbage(void **state) {
    static const char *const texts[] = {"{\"Messages\":{}}",
                                        "{\"Messages\":\"x\"}",
                                        "{\"Messages\":[7]}",
                                        "{\"Messages\":[[]]}",
                                        "{\"Messages\":[{\"Attributes\":[]}]}",
                                        "{\"Messages\":[{\"MessageAttributes\":{\"ErrorEnvelope\":7}}]}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_messages all;
        assert_int_equal(sqs_read_messages(span_cstr(texts[i]), 10, *state, &all), DECODE_GARBAGE);
    }
}

static void a_body_may_hold_any_character_escaped_or_not(void **state) {
    struct sqs_messages all =
        read_fine(*state,
                  "{\"Messages\":[{\"MessageId\":\"\\u0069\",\"ReceiptHandle\":\"h\",\"Body\":\"\\u0062\\u0032\","
                  "\"MD5OfBody\":\"" MD5_B2 "\"},{\"MessageId\":\"n\",\"ReceiptHandle\":\"h\",\"Body\":\"a\\u0000b\","
                  "\"MD5OfBody\":\"70350f6027bce3713f6b76473084309b\"}]}",
                  10);
    assert_int_equal(all.count, 2);
    assert_true(span_is(all.message[0]->message_id, "i"));
    assert_true(span_is(all.message[0]->body, "b2"));
    assert_int_equal(all.message[1]->body.len, 3);
    assert_memory_equal(all.message[1]->body.data, "a\0b", 3);
    sqs_messages_free(&all);
}

#define WITH_DIGEST(test) cmocka_unit_test_setup_teardown(test, make_digest, free_digest)

static void a_message_of_given_parts_is_one_block_of_its_own(void **state) {
    (void)state;
    char text[] = "m-1 h-1 body group seq env trace name String value";
    const struct message_attribute attribute = {
        .name = span_of(text + 33, 4), .type = span_of(text + 38, 6), .value = span_of(text + 45, 5)};
    const struct sqs_message parts = {.message_id = span_of(text, 3),
                                      .receipt_handle = span_of(text + 4, 3),
                                      .body = span_of(text + 8, 4),
                                      .group_id = span_of(text + 13, 5),
                                      .sequence_number = span_of(text + 19, 3),
                                      .error_envelope = span_of(text + 23, 3),
                                      .trace_header = span_of(text + 27, 5),
                                      .attributes = &attribute,
                                      .attribute_count = 1,
                                      .sent_at = 5,
                                      .receive_count = 3};
    struct sqs_message *m = sqs_message_new(&parts);
    assert_non_null(m);
    memset(text, 'x', sizeof text - 1);
    assert_true(span_is(m->message_id, "m-1") && span_is(m->receipt_handle, "h-1") && span_is(m->body, "body"));
    assert_true(span_is(m->group_id, "group") && span_is(m->sequence_number, "seq"));
    assert_true(span_is(m->error_envelope, "env") && span_is(m->trace_header, "trace"));
    assert_true(span_is(m->attributes[0].name, "name") && span_is(m->attributes[0].type, "String") &&
                span_is(m->attributes[0].value, "value"));
    assert_int_equal(m->attribute_bytes, 3 + 5 + sizeof attribute + 4 + 6 + 5);
    assert_int_equal(m->sent_at, 5);
    assert_int_equal(m->receive_count, 3);
    memset(sqs_message_body(m), 'y', m->body.len);
    assert_true(span_is(m->body, "yyyy") && span_is(m->group_id, "group"));
    sqs_message_free(m);
    m = sqs_message_new(&(struct sqs_message){.message_id = SPAN("m"), .body = SPAN("")});
    assert_non_null(m);
    assert_true(m->body.data && !m->group_id.data && !m->attributes && m->attribute_bytes == 0);
    sqs_message_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DIGEST(a_recorded_message_is_read_whole),
        WITH_DIGEST(fault_28_a_message_full_of_escapes_takes_no_more_room_than_without),
        WITH_DIGEST(what_is_absent_is_absent),
        WITH_DIGEST(attributes_are_kept_byte_for_byte_in_the_order_of_their_names),
        WITH_DIGEST(of_more_attributes_than_sqs_has_ten_are_kept),
        WITH_DIGEST(no_messages_may_be_said_in_several_ways),
        WITH_DIGEST(fault_35_another_object_than_sqs_has_is_no_empty_queue),
        WITH_DIGEST(odd_attributes_are_not_taken_for_numbers),
        WITH_DIGEST(what_is_no_message_is_left_out_counted_and_named),
        WITH_DIGEST(on_a_fifo_queue_none_overtakes_one_of_its_group_that_was_left_out),
        WITH_DIGEST(more_messages_than_were_asked_for_are_left_out),
        WITH_DIGEST(an_answer_that_is_cut_gives_nothing),
        WITH_DIGEST(messages_of_the_wrong_type_are_garbage),
        WITH_DIGEST(a_body_may_hold_any_character_escaped_or_not),
        WITH_DIGEST(a_message_of_given_parts_is_one_block_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
