#include "update_fixture.h"

#define INNER "{\\\"id\\\":\\\"u\\\",\\\"attributes\\\":{\\\"x\\\":1}}"
#define SOURCE_FACTS                                                                                                   \
    "\"message_id\":\"first\",\"queue\":\"updates\",\"receive_count\":5,\"sent_at\":\"2024-01-01T00:00:00.000Z\","     \
    "\"idempotency_key\":\"k\\u0031\",\"group_id\":\"g\""
#define ENVELOPE(source)                                                                                               \
    "{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"m\",\"details\":{\"source\":{" source "}}}"

static void a_dlq_message_of_ours_is_unwrapped_under_its_original_key(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, ENVELOPE("\"body\":\"" INNER "\"," SOURCE_FACTS));
    assert_true(u->unwrapped);
    assert_false(u->own_key);
    assert_span(u->idempotency_key, "k1");
    assert_span(u->source.body, "{\"id\":\"u\",\"attributes\":{\"x\":1}}");
    assert_span(u->source.message_id, "first");
    assert_span(u->source.queue, "updates");
    assert_span(u->source.sent_at, "2024-01-01T00:00:00.000Z");
    assert_span(u->source.idempotency_key, "k1");
    assert_span(u->source.group_id, "g");
    assert_span(u->record, "{\"id\":{\"S\":\"u\"}}");
    struct update *plain = read_fit(&f, "{\"id\":\"u\",\"attributes\":{\"x\":1},\"idempotency_key\":\"k1\"}");
    assert_string_equal(u->log_id, plain->log_id);
    assert_string_equal(u->request_hash, plain->request_hash);
    update_free(plain);
    update_free(u);
    fixture_done(&f);
}

/* The bytes hold a body; what is read of it. */
static struct update *read_over(const struct fixture *f, char *bytes) {
    const struct delivery delivery = {.body = span_cstr(bytes), .body_space = bytes, .message_id = SPAN(MESSAGE_ID)};
    struct update *u = update_read(&f->context, &delivery);
    assert_non_null(u);
    return u;
}

static void fault_28_a_body_that_comes_back_wrapped_is_not_held_twice(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char once[] = ENVELOPE("\"body\":\"{\\\"id\\\":\\\"u\\u00e9\\\\n\\\",\\\"attributes\\\":{\\\"x\\\":"
                           "\\\"\\\\u0001\\ud83d\\ude00\\\"}}\"," SOURCE_FACTS);
    struct update *u = read_over(&f, once);
    assert_int_equal(u->failure.type, ERROR_NONE);
    assert_in_range((uintptr_t)u->source.body.data, (uintptr_t)once,
                    (uintptr_t)once + sizeof once - 1 - u->source.body.len);
    assert_span(u->source.body, "{\"id\":\"u\xC3\xA9\\n\",\"attributes\":{\"x\":\"\\u0001\xF0\x9F\x98\x80\"}}");
    assert_span(u->source.message_id, "first");
    assert_span(u->source.idempotency_key, "k1");
    assert_span(u->record, "{\"id\":{\"S\":\"u\xC3\xA9\\n\"}}");
    update_free(u);
    char twice[] = ENVELOPE(
        "\"body\":\"{\\\"success\\\":false,\\\"error\\\":\\\"E\\\",\\\"details\\\":{\\\"source\\\":{\\\"body\\\":"
        "\\\"{\\\\\\\"id\\\\\\\":\\\\\\\"u\\\\\\\",\\\\\\\"attributes\\\\\\\":{\\\\\\\"x\\\\\\\":1}}\\\","
        "\\\"idempotency_key\\\":\\\"in\\\"}}}\"," SOURCE_FACTS);
    u = read_over(&f, twice);
    assert_int_equal(u->failure.type, ERROR_NONE);
    assert_in_range((uintptr_t)u->source.body.data, (uintptr_t)twice,
                    (uintptr_t)twice + sizeof twice - 1 - u->source.body.len);
    assert_span(u->source.body, "{\"id\":\"u\",\"attributes\":{\"x\":1}}");
    assert_span(u->idempotency_key, "in");
    update_free(u);
    fixture_done(&f);
}

static void what_is_read_again_is_the_same_update(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char wrapped[] = ENVELOPE("\"body\":\"" INNER "\"," SOURCE_FACTS),
         own[] = "{\"id\":\"u\",\"attributes\":{\"x\":1},\"idempotency_key\":\"k\\u0031\"}",
         plain[] = "{\"id\":\"u\",\"attributes\":{\"x\":1}}";
    char *const bodies[] = {wrapped, own, plain};
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(bodies); i++) {
        struct delivery delivery = {.body = span_cstr(bodies[i / 2]),
                                    .body_space = i % 2 ? bodies[i / 2] : NULL,
                                    .message_id = SPAN(MESSAGE_ID)};
        struct update *u = update_read(&f.context, &delivery);
        assert_non_null(u);
        assert_true(update_build(&f.context, u, 0));
        struct buf request = u->request;
        u->request = (struct buf){0};
        for (int times = 0; times < 2; times++) {
            u = update_read_again(&f.context, u);
            assert_non_null(u);
            assert_int_equal(u->failure.type, ERROR_NONE);
            assert_int_equal(u->unwrapped, i / 2 == 0);
            assert_int_equal(u->own_key, i / 2 == 1);
            assert_span(u->idempotency_key, i / 2 == 2 ? MESSAGE_ID : "k1");
            if (u->unwrapped) {
                assert_span(u->source.body, "{\"id\":\"u\",\"attributes\":{\"x\":1}}");
                assert_span(u->source.message_id, "first");
                assert_span(u->source.group_id, "g");
            }
            assert_true(update_build(&f.context, u, 0));
            assert_int_equal(u->request.len, request.len);
            assert_memory_equal(u->request.data, request.data, request.len);
        }
        buf_free(&request);
        update_free(u);
    }
    fixture_done(&f);
}

static void the_bodys_own_key_wins(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_fit(&f, ENVELOPE("\"body\":\"{\\\"id\\\":\\\"u\\\",\\\"attributes\\\":{\\\"x\\\":1},"
                                             "\\\"idempotency_key\\\":\\\"own\\\"}\",\"idempotency_key\":\"k\""));
    assert_true(u->own_key && u->unwrapped);
    assert_span(u->idempotency_key, "own");
    assert_span(u->source.idempotency_key, "k");
    assert_null(u->source.message_id.data);
    assert_null(u->source.group_id.data);
    update_free(u);
    fixture_done(&f);
}

static void what_is_no_envelope_of_ours_is_a_message_like_any_other(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{\"success\":true,\"error\":\"x\",\"details\":{\"source\":{\"body\":\"{}\",\"idempotency_key\":\"k\"}}}",
        "{\"error\":\"x\",\"details\":{\"source\":{\"body\":\"{}\",\"idempotency_key\":\"k\"}}}",
        "{\"success\":false,\"error\":1,\"details\":{\"source\":{\"body\":\"{}\",\"idempotency_key\":\"k\"}}}",
        "{\"success\":false,\"error\":\"x\",\"details\":{\"source\":{\"body\":{},\"idempotency_key\":\"k\"}}}",
        "{\"success\":false,\"error\":\"x\",\"details\":{\"source\":{\"body\":\"{}\"}}}",
        "{\"success\":false,\"error\":\"x\",\"details\":{\"source\":{\"body\":\"{}\",\"idempotency_key\":\"\"}}}",
        "{\"success\":false,\"error\":\"x\",\"details\":{\"source\":\"{}\"}}",
        "{\"success\":false,\"error\":\"x\",\"details\":[]}",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct update *u = read_text(&f, bodies[i]);
        assert_int_equal(u->failure.type, ERROR_INVALID_INPUT);
        assert_false(u->unwrapped);
        assert_span(u->idempotency_key, MESSAGE_ID);
        assert_non_null(strstr(u->failure.details.data, "unknown_fields"));
        update_free(u);
    }
    fixture_done(&f);
}

static void an_unreadable_body_is_unwrapped_all_the_same(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_text(&f, ENVELOPE("\"body\":\"{\\\"id\",\"idempotency_key\":\"k\""));
    assert_int_equal(u->failure.type, ERROR_INVALID_INPUT);
    assert_buf(&u->failure.details, "\"position\":4");
    assert_true(u->unwrapped);
    assert_span(u->source.body, "{\"id");
    assert_span(u->idempotency_key, "k");
    update_free(u);
    u = read_text(&f, ENVELOPE("\"body\":\"\",\"idempotency_key\":\"k\""));
    assert_buf(&u->failure.details, "\"position\":0");
    assert_int_equal(u->source.body.len, 0);
    update_free(u);
    fixture_done(&f);
}

static struct update *read_beside(const struct fixture *f, const char *body, const char *envelope) {
    const struct delivery delivery = {
        .body = span_cstr(body), .message_id = SPAN(MESSAGE_ID), .error_envelope = span_cstr(envelope)};
    struct update *u = update_read(&f->context, &delivery);
    assert_non_null(u);
    return u;
}

static void an_envelope_beside_the_body_gives_the_original_key(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const char *body = "{\"id\":\"u\",\"attributes\":{\"x\":1}}";
    struct update *u = read_beside(&f, body, ENVELOPE(SOURCE_FACTS));
    assert_int_equal(u->failure.type, ERROR_NONE);
    assert_true(u->unwrapped);
    assert_span(u->idempotency_key, "k1");
    assert_span(u->source.body, body);
    assert_span(u->source.message_id, "first");
    update_free(u);
    fixture_done(&f);
}

static void an_attribute_that_is_no_envelope_of_ours_is_passed_over(void **state) {
    (void)state;
    static const char *const attributes[] = {"", "nonsense", "[]", "{\"success\":false}", ENVELOPE("\"body\":\"x\"")};
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        struct update *u = read_beside(&f, "{\"id\":\"u\",\"attributes\":{\"x\":1}}", attributes[i]);
        assert_int_equal(u->failure.type, ERROR_NONE);
        assert_false(u->unwrapped);
        assert_span(u->idempotency_key, MESSAGE_ID);
        update_free(u);
    }
    fixture_done(&f);
}

/* An envelope with text as its body, on the heap. */
static char *wrapped(const char *text) {
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_append_cstr(
        &b, "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"idempotency_key\":\"outer\",\"body\":\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_char(&b, '\\');
        buf_append_char(&b, *text);
    }
    buf_append_cstr(&b, "\"}}}");
    assert_true(buf_ok(&b));
    return b.data;
}

static void envelopes_in_envelopes_are_unwrapped_to_the_innermost_within_a_bound(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *text = text_of("%s", ENVELOPE("\"body\":\"" INNER "\"," SOURCE_FACTS));
    for (int depth = 1; depth <= 9; depth++) {
        struct update *u = read_text(&f, text);
        if (depth <= 8) {
            assert_int_equal(u->failure.type, ERROR_NONE);
            assert_span(u->idempotency_key, "k1");
            assert_span(u->source.body, "{\"id\":\"u\",\"attributes\":{\"x\":1}}");
        } else {
            assert_int_equal(u->failure.type, ERROR_INVALID_INPUT);
        }
        update_free(u);
        char *outer = wrapped(text);
        free(text);
        text = outer;
    }
    free(text);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dlq_message_of_ours_is_unwrapped_under_its_original_key),
        cmocka_unit_test(fault_28_a_body_that_comes_back_wrapped_is_not_held_twice),
        cmocka_unit_test(what_is_read_again_is_the_same_update),
        cmocka_unit_test(the_bodys_own_key_wins),
        cmocka_unit_test(what_is_no_envelope_of_ours_is_a_message_like_any_other),
        cmocka_unit_test(an_unreadable_body_is_unwrapped_all_the_same),
        cmocka_unit_test(an_envelope_beside_the_body_gives_the_original_key),
        cmocka_unit_test(an_attribute_that_is_no_envelope_of_ours_is_passed_over),
        cmocka_unit_test(envelopes_in_envelopes_are_unwrapped_to_the_innermost_within_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
