#include "update_fixture.h"

#include "dead_letter.h"
#include "update_parts.h"

#define SNS(message)                                                                                                   \
    "{\n  \"Message\": \"" message                                                                                     \
    "\",\n  \"MessageId\": \"f55da167\",\n  \"Signature\": \"NueI==\",\n  \"SignatureVersion\": \"2\",\n"              \
    "  \"Subject\": \"s\",\n  \"TopicArn\": \"arn:aws:sns:us-east-1:123456789012:t\",\n  \"Type\": "                   \
    "\"Notification\"\n}"
#define EVENTBRIDGE(detail)                                                                                            \
    "{\"id\": \"25748409\", \"time\": \"2026-11-29T06:22:32Z\", \"version\": \"0\", \"detail-type\": \"update\", "     \
    "\"source\": \"app\", "                                                                                            \
    "\"region\": \"us-east-1\", \"resources\": [], \"detail\": " detail "}"

static void an_event_is_unwrapped_and_its_id_is_the_default_key(void **state) {
    (void)state;
    static const struct {
        const char *body, *key;
        bool own;
    } cases[] = {
        {SNS("{\\\"id\\\": \\\"a\\\", \\\"attributes\\\": {\\\"x\\\": \\\"\\\\u00e9\\\"}}"), "sns:f55da167", false},
        {EVENTBRIDGE("{\"id\": \"a\", \"attributes\": {\"x\": \"é\"}}"), "eventbridge:app/25748409", false},
        {SNS("{\\\"id\\\":\\\"a\\\",\\\"attributes\\\":{\\\"x\\\":\\\"é\\\"},\\\"idempotency_key\\\":\\\"k\\\"}"), "k",
         true},
        {EVENTBRIDGE("{\"id\":\"a\",\"attributes\":{\"x\":\"é\"},\"idempotency_key\":\"k\"}"), "k", true},
        /* EventBridge through SNS: the event's id outlives the notification's. */
        {SNS("{\\\"id\\\":\\\"e/"
             "1\\\",\\\"detail-type\\\":\\\"\\\",\\\"source\\\":\\\"\\\\u0061pp\\\",\\\"detail\\\":{\\\"id\\\":"
             "\\\"a\\\",\\\"attributes\\\":"
             "{\\\"x\\\":\\\"é\\\"}}}"),
         "eventbridge:app/e/1", false},
        {SNS("{\\\"Type\\\":\\\"Notification\\\",\\\"TopicArn\\\":\\\"\\\",\\\"MessageId\\\":\\\"inner\\\","
             "\\\"Message\\\":"
             "\\\"{\\\\\\\"id\\\\\\\":\\\\\\\"a\\\\\\\",\\\\\\\"attributes\\\\\\\":{\\\\\\\"x\\\\\\\":"
             "\\\\\\\"é\\\\\\\"}}\\\"}"),
         "sns:inner", false},
    };
    struct fixture f;
    fixture_init(&f);
    f.context.audit = AUDIT_ALWAYS;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = text_of("%s", cases[i].body);
        /* Where the delivered body may be written over, it stays all the same: the DLQ's message keeps it. */
        for (int writable = 0; writable < 2; writable++) {
            const struct delivery delivery = {
                .body = span_cstr(body), .body_space = writable ? body : NULL, .message_id = SPAN(MESSAGE_ID)};
            struct update *u = update_read(&f.context, &delivery);
            assert_non_null(u);
            assert_int_equal(u->failure.type, ERROR_NONE);
            assert_span(u->idempotency_key, cases[i].key);
            assert_int_equal(u->own_key, cases[i].own);
            assert_false(u->unwrapped);
            assert_span(u->record, "{\"id\":{\"S\":\"a\"}}");
            assert_true(update_build(&f.context, u, WALL));
            assert_non_null(strstr(u->request.data, "\":0\":{\"S\":\"é\"}"));
            assert_string_equal(body, cases[i].body);
            struct update *again = update_read_again(&f.context, u);
            assert_non_null(again);
            assert_span(again->idempotency_key, cases[i].key);
            struct dead_letter letter;
            const struct delivery_facts facts = {
                .message_id = SPAN("m"), .queue = SPAN("q"), .receive_count = 1, .sent_at = WALL};
            failure_for_id(&again->failure, ERROR_CONDITIONAL_CHECK, again->id);
            assert_true(dead_letter_make(again, &delivery, &facts, WALL, 1 << 20, DEAD_LETTER_BESIDE, &letter));
            assert_buf(&letter.body, cases[i].body);
            dead_letter_free(&letter);
            update_free(again);
        }
        free(body);
    }
    fixture_done(&f);
}

static void what_is_not_whole_is_no_event_and_the_error_says_so(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"\",\"Message\":\"{}\"}",
        "{\"Type\":\"Notification\",\"TopicArn\":5,\"MessageId\":\"m\",\"Message\":\"{}\"}",
        "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":{}}",
        "{\"Type\":\"notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":\"{}\"}",
        "{\"Type\":\"SubscriptionConfirmation\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":\"{}\"}",
        "{\"id\":\"\",\"detail-type\":\"d\",\"source\":\"s\",\"detail\":{}}",
        "{\"id\":1,\"detail-type\":\"d\",\"source\":\"s\",\"detail\":{}}",
        "{\"id\":\"i\",\"detail-type\":\"d\",\"source\":\"s\",\"detail\":\"{}\"}",
        "{\"id\":\"i\",\"source\":\"s\",\"detail\":{}}",
        /* A third layer. */
        SNS("{\\\"id\\\":\\\"1\\\",\\\"detail-type\\\":\\\"\\\",\\\"source\\\":\\\"s\\\",\\\"detail\\\":{\\\"id\\\":"
            "\\\"2\\\",\\\"detail-type\\\":\\\"\\\","
            "\\\"source\\\":\\\"s\\\",\\\"detail\\\":{\\\"id\\\":\\\"a\\\",\\\"attributes\\\":{\\\"x\\\":1}}}}"),
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct update *u = read_text(&f, bodies[i]);
        assert_int_equal(u->failure.type, ERROR_INVALID_INPUT);
        assert_non_null(strstr(u->failure.details.data, "unknown_fields"));
        assert_non_null(strstr(u->failure.message.data, ". It "));
        update_free(u);
    }
    fixture_done(&f);
}

static void a_position_is_within_the_message_that_was_unwrapped(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_refused(&f, SNS("{\\\"id\\\": x}"), ERROR_INVALID_INPUT, "\"position\":7");
    assert_refused(&f, SNS("[]"), ERROR_INVALID_INPUT, "\"position\":0");
    assert_refused(&f, SNS(""), ERROR_INVALID_INPUT, "\"position\":0");
    assert_refused(&f, "{\"id\":\"i\",\"detail-type\":\"d\",\"source\":\"s\",\"detail\":{\"a\":1,\"a\":2}}",
                   ERROR_INVALID_INPUT, "\"position\":57");
    assert_refused(&f, EVENTBRIDGE("{}"), ERROR_INVALID_INPUT, "\"missing_fields\":[\"id\",\"attributes\"]");
    fixture_done(&f);
}

/* A key made of an event's id may be longer than a producer's, also where it comes back from the DLQ. */
static void a_long_event_id_is_a_key_all_the_same(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *id = repeated("i", 300);
    char *body = text_of(
        "{\"id\":\"%s\",\"detail-type\":\"d\",\"source\":\"s\",\"detail\":{\"id\":\"a\",\"attributes\":{\"x\":1}}}",
        id);
    struct update *u = read_fit(&f, body);
    assert_int_equal(u->idempotency_key.len, strlen("eventbridge:s/") + 300);
    char log_id[sizeof u->log_id];
    memcpy(log_id, u->log_id, sizeof log_id);
    struct dead_letter letter;
    const struct delivery delivery = {.body = span_cstr(body), .message_id = SPAN(MESSAGE_ID)};
    const struct delivery_facts facts = {
        .message_id = SPAN("m"), .queue = SPAN("q"), .receive_count = 1, .sent_at = WALL};
    failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
    assert_true(dead_letter_make(u, &delivery, &facts, WALL, 1 << 20, DEAD_LETTER_WRAPPED, &letter));
    struct update *redriven = read_span(&f, buf_span(&letter.body));
    assert_int_equal(redriven->failure.type, ERROR_NONE);
    assert_true(redriven->unwrapped);
    assert_string_equal(redriven->log_id, log_id);
    assert_span(redriven->source.body, body);
    update_free(redriven);
    dead_letter_free(&letter);
    update_free(u);
    free(body);
    free(id);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_unwrapped_and_its_id_is_the_default_key),
        cmocka_unit_test(what_is_not_whole_is_no_event_and_the_error_says_so),
        cmocka_unit_test(a_position_is_within_the_message_that_was_unwrapped),
        cmocka_unit_test(a_long_event_id_is_a_key_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
