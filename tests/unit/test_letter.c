#include "letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "5a1b"
#define UPDATE "{\"id\":\"u\",\"attributes\":{\"x\":1}}"
#define ESCAPED_UPDATE "{\\\"id\\\":\\\"u\\\",\\\"attributes\\\":{\\\"x\\\":1}}"
#define FACTS                                                                                                          \
    "\"message_id\":\"first\",\"queue\":\"updates\",\"receive_count\":5,\"sent_at\":\"2024-01-01T00:00:00.000Z\","     \
    "\"idempotency_key\":\"k\\u0031\",\"group_id\":\"g\""
#define ENVELOPE(source)                                                                                               \
    "{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"it\\u0020failed\",\"details\":{\"code\":\"Access\"," \
    "\n \"fields\": [\"a\",{\"b\":1}],\"source\":{" source "}},\"timestamp\":\"2024-01-08T01:34:32.343Z\"}"

static const uint64_t seed[2] = {1, 2};

static struct letter *read_of(const char *body, const char *envelope, const char *error_type) {
    const struct letter_delivery d = {span_cstr(body), SPAN(ID), span_cstr(envelope), span_cstr(error_type)};
    struct letter *l = letter_read(seed, &d);
    assert_non_null(l);
    return l;
}

static void assert_span(struct span got, const char *expected) {
    if (!expected) {
        assert_null(got.data);
        return;
    }
    if (!span_is(got, expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)got.len, got.data ? got.data : "", expected);
}

static void an_envelope_tells_why_it_failed_and_what_it_was(void **state) {
    (void)state;
    struct letter *l = read_of(ENVELOPE("\"body\":\"" ESCAPED_UPDATE "\"," FACTS), NULL, "DatabaseError");
    assert_int_equal(l->form, LETTER_WRAPPED);
    assert_span(l->error, "DatabaseError");
    assert_span(l->message, "it failed");
    assert_span(l->code, "Access");
    assert_span(l->details, "{\"code\":\"Access\",\"fields\": [\"a\",{\"b\":1}]}");
    assert_int_equal(l->failed_at, 1704677672343000LL);
    assert_int_equal(l->receive_count, 5);
    assert_span(l->source.body, UPDATE);
    assert_span(l->source.message_id, "first");
    assert_span(l->source.queue, "updates");
    assert_span(l->source.group_id, "g");
    assert_span(l->id, "\"u\"");
    assert_span(l->idempotency_key, "k1");
    assert_true(l->has_key);
    letter_free(l);
}

static void an_envelope_beside_the_body_tells_the_same(void **state) {
    (void)state;
    struct letter *l = read_of(UPDATE, ENVELOPE(FACTS), "DatabaseError");
    assert_int_equal(l->form, LETTER_BESIDE);
    assert_span(l->message, "it failed");
    assert_span(l->source.body, UPDATE);
    assert_span(l->idempotency_key, "k1");
    assert_true(l->has_key);
    letter_free(l);
}

static void of_a_bare_one_the_attribute_tells_the_error_alone(void **state) {
    (void)state;
    struct letter *l = read_of(UPDATE, NULL, "ValidationError");
    assert_int_equal(l->form, LETTER_BARE);
    assert_span(l->error, "ValidationError");
    assert_span(l->message, NULL);
    assert_span(l->details, NULL);
    assert_span(l->id, "\"u\"");
    assert_span(l->idempotency_key, ID);
    assert_false(l->has_key);
    letter_free(l);
}

static void anything_else_is_not_ours(void **state) {
    (void)state;
    static const struct {
        const char *body, *envelope, *error_type, *id, *key;
        bool has_key;
    } cases[] = {
        {UPDATE, NULL, NULL, "\"u\"", ID, false},
        {UPDATE, NULL, "OtherError", "\"u\"", ID, false},
        {UPDATE, "no JSON", NULL, "\"u\"", ID, false},
        {UPDATE, ENVELOPE("\"idempotency_key\":\"\""), NULL, "\"u\"", ID, false},
        {"{\"id\": {\"b\": 1.0, \"a\": \"x\"}, \"idempotency_key\":\"mine\"}", NULL, NULL, "{\"b\":1.0,\"a\":\"x\"}",
         "mine", true},
        {"{\"id\":1e0,\"idempotency_key\":\"\"}", NULL, NULL, "1e0", ID, false},
        {"{\"id\":1e0,\"idempotency_key\":5}", NULL, NULL, "1e0", ID, false},
        {"{\"id\":{\"a\":{}}}", NULL, NULL, NULL, ID, false},
        {"{\"id\":{\"a\":[1]}}", NULL, NULL, NULL, ID, false},
        {"{\"id\":true}", NULL, NULL, NULL, ID, false},
        {"[1]", NULL, NULL, NULL, ID, false},
        {"5", NULL, NULL, NULL, ID, false},
        {"no JSON", NULL, NULL, NULL, ID, false},
        {"", NULL, NULL, NULL, ID, false},
        /* An envelope needs a body to be one. */
        {ENVELOPE(FACTS), NULL, NULL, NULL, ID, false},
        /* These keys come with the event at each delivery. */
        {"{\"Type\":\"Notification\",\"TopicArn\":\"arn\",\"MessageId\":\"m\",\"Message\":\"" ESCAPED_UPDATE "\"}",
         NULL, NULL, "\"u\"", "sns:m", true},
        {"{\"detail-type\":\"t\",\"source\":\"s\",\"id\":\"e\",\"detail\":" UPDATE "}", NULL, NULL, "\"u\"",
         "eventbridge:s/e", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct letter *l = read_of(cases[i].body, cases[i].envelope, cases[i].error_type);
        assert_int_equal(l->form, LETTER_FOREIGN);
        assert_span(l->error, NULL);
        assert_span(l->id, cases[i].id);
        assert_span(l->idempotency_key, cases[i].key);
        assert_int_equal(l->has_key, cases[i].has_key);
        assert_span(l->source.body, cases[i].body);
        letter_free(l);
    }
}

static void counts_and_times_that_are_none_are_not_told(void **state) {
    (void)state;
    static const char *const counts[] = {"-1", "1.5", "1e3", "99999999999", "\"5\"", "null"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char body[512];
        (void)snprintf(body, sizeof body,
                       "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"body\":\"x\",\"idempotency_key\":"
                       "\"k\",\"receive_count\":%s}},\"timestamp\":\"2024-01-08\"}",
                       counts[i]);
        struct letter *l = read_of(body, NULL, NULL);
        assert_int_equal(l->form, LETTER_WRAPPED);
        assert_int_equal(l->receive_count, 0);
        assert_int_equal(l->failed_at, 0);
        assert_span(l->details, "{}");
        assert_span(l->message, NULL);
        assert_span(l->source.body, "x");
        letter_free(l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_tells_why_it_failed_and_what_it_was),
        cmocka_unit_test(an_envelope_beside_the_body_tells_the_same),
        cmocka_unit_test(of_a_bare_one_the_attribute_tells_the_error_alone),
        cmocka_unit_test(anything_else_is_not_ours),
        cmocka_unit_test(counts_and_times_that_are_none_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
