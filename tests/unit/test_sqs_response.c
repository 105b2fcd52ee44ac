#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sqs_response.h"

/* For each entry: '+' ok, '-' failed, '.' not named. */
static void expect_batch(const char *text, const char *verdicts) {
    struct sqs_entry_result entries[SQS_BATCH_MAX];
    memset(entries, 0xA5, sizeof entries);
    size_t count = strlen(verdicts);
    assert_int_equal(sqs_read_batch(span_cstr(text), count, entries), DECODE_FINE);
    for (size_t i = 0; i < count; i++) {
        char c = entries[i].ok ? '+' : entries[i].code[0] ? '-' : '.';
        if (c != verdicts[i]) {
            fail_msg("%s: entry %zu is %c instead of %c", text, i, c, verdicts[i]);
        }
    }
}

static void each_entry_has_its_own_verdict(void **state) {
    (void)state;
    static const struct {
        const char *text, *verdicts;
    } cases[] = {
        {"{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"1\"}]}", "++"},
        {"{\"Successful\":[{\"Id\":\"1\"},{\"Id\":\"0\"}],\"Failed\":[]}", "++"},
        {"{\"Failed\":[{\"Code\":\"ReceiptHandleIsInvalid\",\"Id\":\"1\",\"Message\":\"m\",\"SenderFault\":true}],"
         "\"Successful\":[{\"Id\":\"0\"},"
         "{\"Id\":\"2\"}]}",
         "+-+"},
        {"{\"Failed\":[{\"Id\":\"0\",\"SenderFault\":false,\"Code\":\"InternalError\"}]}", "-"},
        {"{\"Failed\":[{\"Id\":\"0\",\"Code\":\"InternalError\"}]}", "-"},
        {"{\"Successful\":[{\"Id\":\"2\"}],\"Failed\":null}", "..+"},
        {"{\"Successful\":[{\"Id\":\"9\"}],\"Failed\":[{\"Id\":\"8\",\"Code\":\"c\"}]}", "........-+"},
        /* unknown and odd ids */
        {"{\"Successful\":[{\"Id\":\"1\"},{\"Id\":\"2\"},{\"Id\":\"00\"},{\"Id\":\"\"},{\"Id\":0},{\"Id\":null},{},"
         "null,{\"Id\":\"-1\"},{\"Id\":\"10\"}]}",
         ".+"},
        {"{\"Successful\":[{\"Id\":\"\\u0030\"}]}", "+"},
        /* named twice */
        {"{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"0\"}]}", "+."},
        {"{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"0\",\"Code\":\"c\",\"SenderFault\":true}]}", "-"},
        {"{\"Failed\":[{\"Id\":\"0\",\"Code\":\"c\",\"SenderFault\":true}],\"Successful\":[{\"Id\":\"0\"}]}", "-"},
        /* unknown members */
        {"{\"New\":[{\"Id\":\"0\"}],\"Successful\":[{\"Id\":\"0\",\"New\":{\"Id\":\"1\"},\"MD5OfMessageBody\":\"x\"}]}",
         "+."},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        expect_batch(cases[i].text, cases[i].verdicts);
    }
}

#define MD5_A "0cc175b9c0f1b6a831c399e269772661"
#define MD5_B "92eb5ffee6ae2fec3ad71c777531578f"
#define TAKEN(id, message_id, md5) "{\"Id\":\"" id "\",\"MessageId\":" message_id ",\"MD5OfMessageBody\":" md5 "}"
#define TAKEN_A TAKEN("0", "\"m\"", "\"" MD5_A "\"")
#define TAKEN_B TAKEN("1", "\"m\"", "\"" MD5_B "\"")

static void a_letter_counts_as_sent_only_with_its_id_and_the_md5_of_its_body(void **state) {
    (void)state;
    static const struct sqs_send_entry letters[] = {{.body = {"a", 1}}, {.body = {"b", 1}}};
    static const struct {
        const char *text;
        bool ok[2];
    } cases[] = {
        {"{\"Successful\":[" TAKEN_A "," TAKEN_B "]}", {true, true}},
        {"{\"Successful\":[" TAKEN_B "," TAKEN_A "],\"Failed\":[]}", {true, true}},
        {"{\"Successful\":[{\"MD5OfMessageBody\":\"\\u0030cc175b9c0f1b6a831c399e269772661\",\"MessageId\":\"m\",\"Id\":"
         "\"0\"}]}",
         {true, false}},
        {"{\"Successful\":[{\"Id\":\"0\"}," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\"}," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[{\"Id\":\"0\",\"MD5OfMessageBody\":\"" MD5_A "\"}," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "\"\"", "\"" MD5_A "\"") "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "null", "\"" MD5_A "\"") "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "7", "\"" MD5_A "\"") "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "\"m\"", "null") "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "\"m\"", "\"\"") "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN("0", "\"m\"", "\"0CC175B9C0F1B6A831C399E269772661\"") "," TAKEN_B "]}",
         {false, true}},
        /* each for the other */
        {"{\"Successful\":[" TAKEN("0", "\"m\"", "\"" MD5_B "\"") "," TAKEN("1", "\"m\"", "\"" MD5_A "\"") "]}",
         {false, false}},
        /* named twice */
        {"{\"Successful\":[" TAKEN_A ",{\"Id\":\"0\"}," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[{\"Id\":\"0\"}," TAKEN_A "," TAKEN_B "]}", {false, true}},
        {"{\"Successful\":[" TAKEN_A "," TAKEN_A "," TAKEN_B "]}", {true, true}},
    };
    struct digest *digest = digest_new();
    assert_non_null(digest);
    struct sqs_sent sent;
    assert_true(sqs_hash_sent(digest, letters, 2, &sent));
    digest_free(digest);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct sqs_entry_result e[2];
        assert_int_equal(sqs_read_sent(span_cstr(cases[i].text), 2, &sent, e), DECODE_FINE);
        for (size_t k = 0; k < 2; k++) {
            if (e[k].ok != cases[i].ok[k] || e[k].code[0]) {
                fail_msg("%s: entry %zu", cases[i].text, k);
            }
        }
    }
}

static void the_reason_why_a_letter_was_refused_is_told(void **state) {
    (void)state;
    static const struct sqs_sent sent = {.md5 = {MD5_A}};
    static const char *const texts[] = {
        "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"0\",\"Code\":\"c\",\"SenderFault\":true}]}",
        "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"c\",\"SenderFault\":true}],\"Successful\":[" TAKEN_A "]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_entry_result e[1];
        assert_int_equal(sqs_read_sent(span_cstr(texts[i]), 1, &sent, e), DECODE_FINE);
        assert_false(e[0].ok);
        assert_string_equal(e[0].code, "c");
    }
}

static void where_the_library_has_no_md5_a_letters_id_is_enough(void **state) {
    (void)state;
    static const struct sqs_sent sent = {.md5 = {""}};
    struct sqs_entry_result e[2];
    assert_int_equal(
        sqs_read_sent(SPAN("{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\"},{\"Id\":\"1\"}]}"), 2, &sent, e),
        DECODE_FINE);
    assert_true(e[0].ok && !e[1].ok);
}

static void fault_35_an_answer_that_names_no_entry_is_not_sqss(void **state) {
    (void)state;
    static const struct sqs_sent sent = {.md5 = {""}};
    static const char *const texts[] = {"{}",
                                        "{\"status\":\"ok\"}",
                                        "{\"errors\":[{\"Id\":\"0\"}]}",
                                        "{\"Successful\":[],\"Failed\":[]}",
                                        "{\"Successful\":null}",
                                        "{\"Successful\":[{\"Id\":\"7\"}]}",
                                        "{\"Messages\":[]}",
                                        "[]",
                                        ""};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_entry_result e[2] = {{.code = "untouched"}};
        assert_int_equal(sqs_read_batch(span_cstr(texts[i]), 2, e), DECODE_GARBAGE);
        assert_int_equal(sqs_read_sent(span_cstr(texts[i]), 2, &sent, e), DECODE_GARBAGE);
        assert_string_equal(e[0].code, "untouched");
    }
}

static void a_failed_entry_without_a_code_is_still_not_ok(void **state) {
    (void)state;
    struct sqs_entry_result e[1];
    assert_int_equal(sqs_read_batch(SPAN("{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"0\"}]}"), 1, e),
                     DECODE_FINE);
    assert_false(e[0].ok);
}

static void a_long_code_is_cut(void **state) {
    (void)state;
    char text[512];
    (void)snprintf(text, sizeof text, "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"%0200d\"}]}", 0);
    struct sqs_entry_result e[1];
    assert_int_equal(sqs_read_batch(span_cstr(text), 1, e), DECODE_FINE);
    assert_int_equal(strlen(e[0].code), CALL_CODE_SIZE - 1);
}

static void a_garbled_batch_writes_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "<html></html>",
                                        "{\"Successful\":{}}",
                                        "{\"Failed\":\"x\"}",
                                        "{\"Successful\":[7]}",
                                        "{\"Successful\":[{\"Id\":\"0\"}]",
                                        "{\"Successful\":[[]]}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sqs_entry_result e[1] = {{.code = "untouched"}};
        assert_int_equal(sqs_read_batch(span_cstr(texts[i]), 1, e), DECODE_GARBAGE);
        assert_string_equal(e[0].code, "untouched");
        assert_false(e[0].ok);
    }
}

static void a_queue_url_is_a_string_that_fits(void **state) {
    (void)state;
    char url[SQS_URL_SIZE] = "untouched";
    static const char *const garbage[] = {
        "", "{}", "{\"QueueUrl\":\"\"}", "{\"QueueUrl\":7}", "{\"QueueUrl\":null}", "{\"QueueUrl\":\"a\\u0000\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(garbage); i++) {
        assert_int_equal(sqs_read_queue_url(span_cstr(garbage[i]), url), DECODE_GARBAGE);
        assert_string_equal(url, "untouched");
    }
    char text[2048];
    (void)snprintf(text, sizeof text, "{\"QueueUrl\":\"%01024d\"}", 0);
    assert_int_equal(sqs_read_queue_url(span_cstr(text), url), DECODE_GARBAGE);
    assert_int_equal(sqs_read_queue_url(SPAN("{\"QueueUrl\":\"http:\\/\\/127.0.0.1:9324\\/000000000000\\/q\"}"), url),
                     DECODE_FINE);
    assert_string_equal(url, "http://127.0.0.1:9324/000000000000/q");
}

static void a_send_is_not_acknowledged_with_the_md5_of_other_attributes(void **state) {
    static const char fine[] = "c9c93010c0ca1c580051ae6bbe77aabb";
    (void)state;
    struct digest *digest = digest_new();
    assert_non_null(digest);
    const struct message_attribute attributes[] = {{SPAN("a.b"), SPAN("String"), SPAN("x\xC3\xA9"), false},
                                                   {SPAN("B"), SPAN("Binary.png"), SPAN("AAEC/w=="), true}};
    const struct sqs_send_entry letters[] = {{.body = SPAN("b"),
                                              .error_type = SPAN("DatabaseError"),
                                              .status_code = SPAN("500"),
                                              .attributes = attributes,
                                              .attribute_count = 2},
                                             {.body = SPAN("b")}};
    struct sqs_sent sent;
    assert_true(sqs_hash_sent(digest, letters, 2, &sent));
    assert_string_equal(sent.attributes_md5[0], fine);
    assert_string_equal(sent.attributes_md5[1], "");
    static const struct {
        const char *told;
        bool ok;
    } cases[] = {{fine, true}, {"900150983cd24fb0d6963f7d28e17f72", false}, {"", false}, {NULL, true}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\",\"MD5OfMessageBody\":"
                       "\"92eb5ffee6ae2fec3ad71c777531578f\"%s%s%s}]}",
                       cases[i].told ? ",\"MD5OfMessageAttributes\":\"" : "", cases[i].told ? cases[i].told : "",
                       cases[i].told ? "\"" : "");
        struct sqs_entry_result e[1];
        assert_int_equal(sqs_read_sent(span_cstr(text), 1, &sent, e), DECODE_FINE);
        assert_int_equal(e[0].ok, cases[i].ok);
    }
    digest_free(digest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_has_its_own_verdict),
        cmocka_unit_test(a_letter_counts_as_sent_only_with_its_id_and_the_md5_of_its_body),
        cmocka_unit_test(the_reason_why_a_letter_was_refused_is_told),
        cmocka_unit_test(where_the_library_has_no_md5_a_letters_id_is_enough),
        cmocka_unit_test(fault_35_an_answer_that_names_no_entry_is_not_sqss),
        cmocka_unit_test(a_failed_entry_without_a_code_is_still_not_ok),
        cmocka_unit_test(a_long_code_is_cut),
        cmocka_unit_test(a_garbled_batch_writes_nothing),
        cmocka_unit_test(a_queue_url_is_a_string_that_fits),
        cmocka_unit_test(a_send_is_not_acknowledged_with_the_md5_of_other_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
