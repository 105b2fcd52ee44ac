#include "redrive_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT SQS_MESSAGE_SIZE_MAX
#define KEYLESS "{\"id\":\"u\",\"attributes\":{\"x\":1}}"
#define KEYED "{\"id\":\"u\",\"attributes\":{\"x\":1},\"idempotency_key\":\"mine\"}"
#define WRAPPED                                                                                                        \
    "{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"s\",\"details\":{\"source\":{\"body\":\"{"           \
    "\\\"id\\\":"                                                                                                      \
    "\\\"u\\\"}\",\"message_id\":\"first\",\"queue\":\"q\",\"sent_at\":\"t\",\"idempotency_key\":\"k\"}},"             \
    "\"timestamp\":"                                                                                                   \
    "\"2024-01-08T01:34:32.343Z\"}"
#define BESIDE "{\"success\":false,\"error\":\"DatabaseError\",\"details\":{\"source\":{\"idempotency_key\":\"k\"}}}"
#define OWN_ENVELOPE(more)                                                                                             \
    "{\"success\":false,\"error\":\"\",\"details\":{\"source\":{\"message_id\":\"m-1\",\"queue\":\"updates\",\"sent_"  \
    "at\":"                                                                                                            \
    "\"2024-01-08T01:34:32.343Z\",\"idempotency_key\":\"m-1\"" more "}}}"

struct made {
    struct sqs_message m;
    struct message_attribute attributes[10];
    char names[10][16];
    struct letter *letter;
    struct redrive_entry entry;
    enum redrive_entry_status status;
};

static const uint64_t seed[2] = {1, 2};

static void make(struct made *t, const char *body, const char *envelope, unsigned attributes, const char *error_type,
                 bool fifo, size_t limit) {
    *t = (struct made){.m = {.message_id = SPAN("m-1"),
                             .body = span_cstr(body),
                             .error_envelope = span_cstr(envelope),
                             .sent_at = 1704677672343000LL,
                             .receive_count = 1}};
    if (fifo) {
        t->m.group_id = SPAN("g");
        t->m.sequence_number = SPAN("1");
    }
    for (unsigned i = 0; i < attributes; i++) {
        (void)snprintf(t->names[i], sizeof t->names[i], "a%u", i);
        t->attributes[i] = (struct message_attribute){span_cstr(t->names[i]), SPAN("String"), SPAN("v"), false};
    }
    if (error_type)
        t->attributes[0] = (struct message_attribute){SPAN("ErrorType"), SPAN("String"), span_cstr(error_type), false};
    t->m.attributes = t->attributes;
    t->m.attribute_count = attributes;
    const struct letter_delivery d = {t->m.body, t->m.message_id, t->m.error_envelope, span_cstr(error_type)};
    t->letter = letter_read(seed, &d);
    assert_non_null(t->letter);
    t->status = redrive_entry_make(&t->m, t->letter, "updates", fifo, limit, &t->entry);
}

static void unmake(struct made *t) {
    if (t->status == REDRIVE_ENTRY_FINE)
        redrive_entry_free(&t->entry);
    letter_free(t->letter);
}

static void assert_span(struct span got, const char *expected) {
    if (!expected)
        assert_null(got.data);
    else if (!span_is(got, expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)got.len, got.data ? got.data : "", expected);
}

static void what_has_a_key_goes_as_it_is(void **state) {
    (void)state;
    static const struct {
        const char *body, *envelope, *error_type;
    } cases[] = {{KEYED, NULL, NULL}, {WRAPPED, NULL, "DatabaseError"}, {KEYLESS, BESIDE, "DatabaseError"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made t;
        make(&t, cases[i].body, cases[i].envelope, 9, cases[i].error_type, false, LIMIT);
        assert_int_equal(t.status, REDRIVE_ENTRY_FINE);
        assert_span(t.entry.send.body, cases[i].body);
        assert_span(t.entry.send.error_envelope, cases[i].envelope);
        assert_int_equal(t.entry.send.attribute_count, 9);
        assert_int_equal(t.entry.left_out, 0);
        assert_span(t.entry.send.group_id, NULL);
        assert_span(t.entry.send.deduplication_id, NULL);
        unmake(&t);
    }
}

static void what_has_none_gets_its_message_id_as_its_key(void **state) {
    (void)state;
    struct made t;
    make(&t, KEYLESS, NULL, 2, NULL, false, LIMIT);
    assert_span(t.entry.send.body, KEYLESS);
    assert_span(t.entry.send.error_envelope, OWN_ENVELOPE(""));
    assert_int_equal(t.entry.send.attribute_count, 2);
    assert_int_equal(t.entry.size, sizeof KEYLESS - 1 + 2 * (sizeof "a0Stringv" - 1) + sizeof "ErrorEnvelopeString" -
                                       1 + sizeof OWN_ENVELOPE("") - 1);
    /* The worker takes it for that. */
    const struct letter_delivery again = {t.entry.send.body, SPAN("other"), t.entry.send.error_envelope, {NULL, 0}};
    struct letter *letter = letter_read(seed, &again);
    assert_non_null(letter);
    assert_span(letter->idempotency_key, "m-1");
    assert_true(letter->has_key);
    letter_free(letter);
    unmake(&t);
}

static void an_attribute_of_that_name_which_is_no_envelope_makes_room(void **state) {
    (void)state;
    struct made t;
    make(&t, KEYLESS, "no JSON", 0, NULL, false, LIMIT);
    assert_span(t.entry.send.error_envelope, OWN_ENVELOPE(""));
    unmake(&t);
    make(&t, KEYED, "no JSON", 0, NULL, false, LIMIT);
    assert_span(t.entry.send.error_envelope, "no JSON");
    unmake(&t);
}

static void of_ten_attributes_ours_or_the_last_make_room_for_the_key(void **state) {
    (void)state;
    struct made t;
    make(&t, KEYLESS, NULL, 10, "ValidationError", false, LIMIT);
    assert_int_equal(t.entry.send.attribute_count, 9);
    assert_int_equal(t.entry.left_out, 0);
    assert_span(t.entry.attributes[0].name, "a1");
    assert_non_null(strstr(t.entry.envelope.data, "\"error\":\"ValidationError\""));
    unmake(&t);
    make(&t, KEYLESS, NULL, 10, NULL, false, LIMIT);
    assert_int_equal(t.entry.send.attribute_count, 9);
    assert_int_equal(t.entry.left_out, 1);
    assert_span(t.entry.attributes[8].name, "a8");
    unmake(&t);
}

static void on_fifo_each_stay_in_the_dlq_is_sent_once(void **state) {
    (void)state;
    struct made t;
    make(&t, KEYLESS, NULL, 0, NULL, true, LIMIT);
    assert_span(t.entry.send.group_id, "g");
    assert_span(t.entry.send.deduplication_id, "m-1");
    assert_span(t.entry.send.error_envelope, OWN_ENVELOPE(",\"group_id\":\"g\""));
    unmake(&t);
}

static void what_the_queue_has_no_room_for_goes_in_a_smaller_form(void **state) {
    (void)state;
    struct made t;
    size_t whole, least = 0;
    make(&t, WRAPPED, NULL, 1, "DatabaseError", false, LIMIT);
    whole = t.entry.size;
    unmake(&t);
    for (size_t limit = whole + 1; limit > 0; limit--) {
        make(&t, WRAPPED, NULL, 1, "DatabaseError", false, limit);
        if (t.status != REDRIVE_ENTRY_FINE) {
            assert_int_equal(t.status, REDRIVE_ENTRY_TOO_LARGE);
            least = limit;
            unmake(&t);
            break;
        }
        assert_true(t.entry.size <= limit);
        const struct letter_delivery again = {t.entry.send.body, SPAN("other"), t.entry.send.error_envelope, {NULL, 0}};
        struct letter *letter = letter_read(seed, &again);
        assert_non_null(letter);
        assert_span(letter->idempotency_key, "k");
        assert_span(letter->source.body, "{\"id\":\"u\"}");
        assert_span(letter->source.message_id, "first");
        letter_free(letter);
        unmake(&t);
    }
    assert_true(least > 0 && least + 20 < whole);
}

static void a_message_of_the_full_size_without_a_key_cannot_go(void **state) {
    (void)state;
    struct made t;
    make(&t, KEYLESS, NULL, 1, "ValidationError", false, sizeof KEYLESS - 1 + 10);
    assert_int_equal(t.status, REDRIVE_ENTRY_TOO_LARGE);
    unmake(&t);
    make(&t, KEYED, NULL, 0, NULL, false, sizeof KEYED - 1);
    assert_int_equal(t.status, REDRIVE_ENTRY_FINE);
    unmake(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_a_key_goes_as_it_is),
        cmocka_unit_test(what_has_none_gets_its_message_id_as_its_key),
        cmocka_unit_test(an_attribute_of_that_name_which_is_no_envelope_makes_room),
        cmocka_unit_test(of_ten_attributes_ours_or_the_last_make_room_for_the_key),
        cmocka_unit_test(on_fifo_each_stay_in_the_dlq_is_sent_once),
        cmocka_unit_test(what_the_queue_has_no_room_for_goes_in_a_smaller_form),
        cmocka_unit_test(a_message_of_the_full_size_without_a_key_cannot_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
