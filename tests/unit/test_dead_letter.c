#include "dead_letter.h"

#include "sqs_text.h"
#include "update_fixture.h"

#define SQS_LIMIT ((size_t)1 << 20)
#define SENT_AT 1704677600000000LL

#define LITERAL(text)                                                                                                  \
    { text, sizeof text - 1 }

static const struct delivery_facts facts = {
    .message_id = {MESSAGE_ID, sizeof MESSAGE_ID - 1}, .queue = {"updates", 7}, .receive_count = 5, .sent_at = SENT_AT};

struct failed {
    struct delivery delivery;
    struct update *update;
};

/* A message that failed: for its own fault, or else for its condition. */
static struct failed failed_of(const struct fixture *f, struct span body, struct span envelope) {
    struct failed m = {.delivery = {.body = body, .message_id = SPAN(MESSAGE_ID), .error_envelope = envelope}};
    m.update = update_read(&f->context, &m.delivery);
    assert_non_null(m.update);
    if (m.update->failure.type == ERROR_NONE)
        failure_for_id(&m.update->failure, ERROR_CONDITIONAL_CHECK, m.update->id);
    return m;
}

static struct dead_letter letter_of(const struct failed *m, size_t limit, enum dead_letter_form at_least) {
    struct dead_letter letter;
    assert_true(dead_letter_make(m->update, &m->delivery, &facts, WALL, limit, at_least, &letter));
    size_t size = letter.body.len;
    if (letter.error_type)
        size += strlen("ErrorType"
                       "String") +
                strlen(letter.error_type);
    if (letter.status_code[0])
        size += strlen("StatusCode"
                       "Number") +
                strlen(letter.status_code);
    if (letter.error_envelope.len > 0)
        size += strlen("ErrorEnvelope"
                       "String") +
                letter.error_envelope.len;
    assert_int_equal(letter.size, size);
    return letter;
}

#define STRING(name, value)                                                                                            \
    { {name, sizeof name - 1}, {"String", 6}, {value, sizeof value - 1}, false }

static struct dead_letter letter_with(const struct failed *m, const struct message_attribute *attributes, size_t count,
                                      size_t limit) {
    struct delivery_facts with = facts;
    with.attributes = attributes;
    with.attribute_count = count;
    struct dead_letter letter;
    assert_true(dead_letter_make(m->update, &m->delivery, &with, WALL, limit, DEAD_LETTER_WRAPPED, &letter));
    assert_true(letter.size <= limit || letter.form == DEAD_LETTER_BARE);
    return letter;
}

static void the_originals_attributes_are_kept_in_the_order_of_their_names_up_to_ten_in_all(void **state) {
    (void)state;
    static const struct message_attribute attributes[] = {STRING("ErrorEnvelope", "x"),
                                                          STRING("ErrorType", "x"),
                                                          STRING("StatusCode", "9"),
                                                          STRING("a", "1"),
                                                          STRING("b", "1"),
                                                          STRING("c", "1"),
                                                          STRING("d", "1"),
                                                          STRING("e", "1"),
                                                          STRING("f", "1"),
                                                          STRING("g", "1"),
                                                          STRING("h", "1"),
                                                          STRING("i", "1"),
                                                          STRING("j", "1")};
    struct fixture f;
    fixture_init(&f);
    struct failed m = failed_of(&f, span_cstr(EXAMPLE), (struct span){NULL, 0});
    struct dead_letter letter = letter_with(&m, attributes, ARRAY_LENGTH(attributes), SQS_LIMIT);
    assert_int_equal(letter.form, DEAD_LETTER_WRAPPED);
    assert_string_equal(letter.error_type, "ConditionalCheckFailed"); /* ours, not what the message had */
    assert_int_equal(letter.attribute_count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_true(span_equal(letter.attributes[i].name, attributes[3 + i].name));
    dead_letter_free(&letter);
    update_free(m.update);
    fixture_done(&f);
}

static void a_plainer_form_keeps_more_of_them_and_where_none_does_the_envelope_comes_first(void **state) {
    (void)state;
    static char big[3000];
    memset(big, 'v', sizeof big);
    const struct message_attribute attributes[] = {{SPAN("a"), SPAN("String"), span_of(big, 1000), false},
                                                   {SPAN("b"), SPAN("String"), span_of(big, sizeof big), false},
                                                   {SPAN("c"), SPAN("String"), span_of(big, 10), false}};
    struct fixture f;
    fixture_init(&f);
    struct buf text;
    buf_init(&text, 20000);
    buf_append_cstr(&text, "{\"id\":\"u\",\"attributes\":{\"x\":\"");
    for (int i = 0; i < 2000; i++)
        buf_append_cstr(&text, "\\\"");
    buf_append_cstr(&text, "\"}}");
    struct failed m = failed_of(&f, buf_span(&text), (struct span){NULL, 0});
    size_t all = 1000 + sizeof big + 10 + 3 * 7,
           bare = text.len + strlen("ErrorTypeStringConditionalCheckFailedStatusCodeNumber412");
    const struct {
        size_t limit;
        enum dead_letter_form form;
        size_t kept;
    } cases[] = {{20000, DEAD_LETTER_WRAPPED, 3},
                 {bare + all + 700, DEAD_LETTER_BESIDE, 3},
                 {bare + 1007 + 17 + 700, DEAD_LETTER_BESIDE, 2},
                 {bare + 700, DEAD_LETTER_BESIDE, 1},
                 {bare + 100, DEAD_LETTER_BARE, 1},
                 {bare, DEAD_LETTER_BARE, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct dead_letter letter = letter_with(&m, attributes, ARRAY_LENGTH(attributes), cases[i].limit);
        if (letter.form != cases[i].form || letter.attribute_count != cases[i].kept)
            fail_msg("limit %zu: form %d with %zu of them", cases[i].limit, (int)letter.form, letter.attribute_count);
        dead_letter_free(&letter);
    }
    buf_free(&text);
    update_free(m.update);
    fixture_done(&f);
}

static void the_envelope_holds_the_original_and_where_it_came_from(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct failed m = failed_of(&f, SPAN("{\"id\":\"u\",\"attributes\":{\"x\":1},\"condition_expression\":\"x = 2\"}"),
                                (struct span){NULL, 0});
    struct dead_letter letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_WRAPPED);
    assert_int_equal(letter.form, DEAD_LETTER_WRAPPED);
    assert_string_equal(letter.error_type, "ConditionalCheckFailed");
    assert_string_equal(letter.status_code, "412");
    assert_buf(&letter.body, "{\"success\":false,\"error\":\"ConditionalCheckFailed\",\"message\":\"The record exists, "
                             "but its condition_expression is "
                             "false\",\"details\":{\"id\":\"u\",\"source\":{\"body\":\"{\\\"id\\\":\\\"u\\\","
                             "\\\"attributes\\\":{\\\"x\\\":1},"
                             "\\\"condition_expression\\\":\\\"x = 2\\\"}\",\"message_id\":\"" MESSAGE_ID
                             "\",\"queue\":\"updates\",\"receive_count\":5,"
                             "\"sent_at\":\"2024-01-08T01:33:20.000Z\",\"idempotency_key\":\"" MESSAGE_ID
                             "\"}},\"timestamp\":\"" WALL_TEXT "\"}");
    dead_letter_free(&letter);
    dead_letter_free(&letter);
    dead_letter_free(NULL);
    update_free(m.update);
    fixture_done(&f);
}

static void a_fifo_messages_group_is_kept(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct failed m = failed_of(&f, SPAN("{}"), (struct span){NULL, 0});
    struct delivery_facts fifo = facts;
    fifo.group_id = SPAN("group \"7\"");
    struct dead_letter letter;
    assert_true(dead_letter_make(m.update, &m.delivery, &fifo, WALL, SQS_LIMIT, DEAD_LETTER_WRAPPED, &letter));
    assert_non_null(strstr(letter.body.data, ",\"group_id\":\"group \\\"7\\\"\"}}"));
    assert_string_equal(letter.status_code, "400");
    dead_letter_free(&letter);
    update_free(m.update);
    fixture_done(&f);
}

/* Sends the message round: what comes back is the original. */
static void assert_round(const struct fixture *f, struct span body, size_t limit, enum dead_letter_form at_least,
                         enum dead_letter_form form) {
    struct failed first = failed_of(f, body, (struct span){NULL, 0});
    struct dead_letter letter = letter_of(&first, limit, at_least);
    assert_int_equal(letter.form, form);
    assert_true(form == DEAD_LETTER_BARE || sqs_text_is_valid(buf_span(&letter.body)));
    assert_true(sqs_text_is_valid(buf_span(&letter.error_envelope)));
    struct failed second =
        failed_of(f, buf_span(&letter.body),
                  letter.error_envelope.len ? buf_span(&letter.error_envelope) : (struct span){NULL, 0});
    assert_int_equal(second.update->failure.type, first.update->failure.type);
    assert_string_equal(second.update->request_hash, first.update->request_hash);
    if (form == DEAD_LETTER_BARE) {
        assert_true(span_equal(buf_span(&letter.body), body));
    } else {
        assert_true(second.update->unwrapped);
        assert_true(span_equal(second.update->source.body, body));
        assert_string_equal(second.update->log_id, first.update->log_id);
        assert_true(span_equal(second.update->idempotency_key, first.update->idempotency_key));
    }
    update_free(second.update);
    dead_letter_free(&letter);
    update_free(first.update);
}

static void fault_14_every_form_gives_the_original_back_byte_for_byte(void **state) {
    (void)state;
    static const struct span bodies[] = {
        LITERAL(EXAMPLE),
        LITERAL("{\"id\" :\t\"u\\u0000\xEF\xBF\xBD\",\n\"attributes\":{\"\xF0\x9F\x98\x80\\/\":1}}\r\n"),
        LITERAL("not JSON at all \\ \" \x7f"),
        LITERAL("{\"id\":\"u\",\"attributes\":{\"x\":1},\"idempotency_key\":\"k\\u0022\"}"),
        LITERAL("{\"succes\":false}"),
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        assert_round(&f, bodies[i], SQS_LIMIT, DEAD_LETTER_WRAPPED, DEAD_LETTER_WRAPPED);
        assert_round(&f, bodies[i], SQS_LIMIT, DEAD_LETTER_BESIDE, DEAD_LETTER_BESIDE);
        assert_round(&f, bodies[i], SQS_LIMIT, DEAD_LETTER_BARE, DEAD_LETTER_BARE);
    }
    fixture_done(&f);
}

static void fault_14_the_form_is_the_first_that_fits_the_limit_to_the_byte(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct failed m = failed_of(
        &f, SPAN("{\"id\":\"u\",\"attributes\":{\"x\":1,\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\":2}}"),
        (struct span){NULL, 0});
    struct dead_letter letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_WRAPPED);
    size_t wrapped = letter.size;
    dead_letter_free(&letter);
    letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_BESIDE);
    size_t beside = letter.size;
    assert_true(beside < wrapped);
    dead_letter_free(&letter);
    const size_t body = m.delivery.body.len;
    const size_t type = strlen("ErrorTypeStringConditionalCheckFailed"), status = strlen("StatusCodeNumber412");
    const struct {
        size_t limit;
        enum dead_letter_form form;
        bool type, status;
    } cases[] = {
        {wrapped, DEAD_LETTER_WRAPPED, true, true},
        {wrapped - 1, DEAD_LETTER_BESIDE, true, true},
        {beside, DEAD_LETTER_BESIDE, true, true},
        {beside - 1, DEAD_LETTER_BARE, true, true},
        {body + type + status, DEAD_LETTER_BARE, true, true},
        {body + type + status - 1, DEAD_LETTER_BARE, true, false},
        {body + type - 1, DEAD_LETTER_BARE, false, true},
        {body + status - 1, DEAD_LETTER_BARE, false, false},
        {body, DEAD_LETTER_BARE, false, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        letter = letter_of(&m, cases[i].limit, DEAD_LETTER_WRAPPED);
        assert_int_equal(letter.form, cases[i].form);
        assert_int_equal(letter.error_type != NULL, cases[i].type);
        assert_int_equal(letter.status_code[0] != '\0', cases[i].status);
        assert_true(letter.size <= cases[i].limit);
        dead_letter_free(&letter);
    }
    update_free(m.update);
    fixture_done(&f);
}

static void a_second_failure_keeps_the_originals_facts_and_nests_nothing(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (enum dead_letter_form form = DEAD_LETTER_WRAPPED; form <= DEAD_LETTER_BESIDE; form++) {
        struct failed first = failed_of(&f, span_cstr(EXAMPLE), (struct span){NULL, 0});
        struct dead_letter letter = letter_of(&first, SQS_LIMIT, form);
        struct failed second = {.delivery = {.body = buf_span(&letter.body),
                                             .message_id = SPAN("second"),
                                             .error_envelope = form == DEAD_LETTER_BESIDE
                                                                   ? buf_span(&letter.error_envelope)
                                                                   : (struct span){NULL, 0}}};
        second.update = update_read(&f.context, &second.delivery);
        assert_non_null(second.update);
        failure_database(&second.update->failure, SPAN("InternalServerError"));
        const struct delivery_facts later = {
            .message_id = SPAN("second"), .queue = SPAN("elsewhere"), .receive_count = 2, .sent_at = WALL};
        struct dead_letter again;
        assert_true(dead_letter_make(second.update, &second.delivery, &later, WALL, SQS_LIMIT, form, &again));
        const char *envelope = form == DEAD_LETTER_BESIDE ? again.error_envelope.data : again.body.data;
        assert_non_null(strstr(envelope,
                               "\"message_id\":\"" MESSAGE_ID "\",\"queue\":\"updates\",\"receive_count\":2,"
                               "\"sent_at\":\"2024-01-08T01:33:20.000Z\",\"idempotency_key\":\"" MESSAGE_ID "\""));
        assert_non_null(strstr(envelope, "\"code\":\"InternalServerError\""));
        assert_null(strstr(envelope, "success\\\""));
        if (form == DEAD_LETTER_BESIDE)
            assert_buf(&again.body, EXAMPLE);
        dead_letter_free(&again);
        update_free(second.update);
        dead_letter_free(&letter);
        update_free(first.update);
    }
    fixture_done(&f);
}

static void what_sqs_refuses_is_escaped_also_in_the_details(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    static const char body[] =
        "{\"id\":\"u\\uffff\",\"attributes\":{\"\\ufffe\":1e999},\"idempotency_key\":\"k\\u0001\\ufffe\"}";
    assert_round(&f, span_cstr(body), SQS_LIMIT, DEAD_LETTER_WRAPPED, DEAD_LETTER_WRAPPED);
    assert_round(&f, span_cstr(body), SQS_LIMIT, DEAD_LETTER_BESIDE, DEAD_LETTER_BESIDE);
    struct failed m = failed_of(&f, span_cstr(body), (struct span){NULL, 0});
    struct dead_letter letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_WRAPPED);
    assert_non_null(strstr(letter.body.data, "\"field\":\"attributes.\\ufffe\""));
    dead_letter_free(&letter);
    update_free(m.update);
    fixture_done(&f);
}

static void fault_14_an_original_that_sqs_would_refuse_is_never_without_its_envelope(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    static const char least[] = "{\"success\":false,\"error\":\"\",\"details\":{\"source\":{\"body\":"
                                "\"\\u0001\\ufffe\\\"\",\"idempotency_key\":\"k\\\\\"}}}";
    char delivered[sizeof least];
    memcpy(delivered, least, sizeof least);
    struct failed m = {
        .delivery = {.body = span_cstr(delivered), .body_space = delivered, .message_id = SPAN(MESSAGE_ID)}};
    m.update = update_read(&f.context, &m.delivery);
    assert_non_null(m.update);
    assert_span(m.update->source.body, "\x01\xEF\xBF\xBE\"");
    struct dead_letter letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_WRAPPED);
    assert_non_null(strstr(letter.body.data, "\"body\":\"\\u0001\\ufffe\\\"\""));
    dead_letter_free(&letter);
    letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_BESIDE);
    assert_int_equal(letter.form, DEAD_LETTER_BARE);
    assert_buf(&letter.body,
               least); /* as small as what was delivered can be, so that it fits wherever that came from */
    dead_letter_free(&letter);
    update_free(m.update);
    fixture_done(&f);
}

static void invalid_utf8_crashes_nothing(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct failed m = failed_of(&f, SPAN("\xff\xfe{"), (struct span){NULL, 0});
    struct dead_letter letter = letter_of(&m, SQS_LIMIT, DEAD_LETTER_WRAPPED);
    assert_true(sqs_text_is_valid(buf_span(&letter.body)));
    dead_letter_free(&letter);
    update_free(m.update);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_holds_the_original_and_where_it_came_from),
        cmocka_unit_test(the_originals_attributes_are_kept_in_the_order_of_their_names_up_to_ten_in_all),
        cmocka_unit_test(a_plainer_form_keeps_more_of_them_and_where_none_does_the_envelope_comes_first),
        cmocka_unit_test(a_fifo_messages_group_is_kept),
        cmocka_unit_test(fault_14_every_form_gives_the_original_back_byte_for_byte),
        cmocka_unit_test(fault_14_the_form_is_the_first_that_fits_the_limit_to_the_byte),
        cmocka_unit_test(a_second_failure_keeps_the_originals_facts_and_nests_nothing),
        cmocka_unit_test(what_sqs_refuses_is_escaped_also_in_the_details),
        cmocka_unit_test(fault_14_an_original_that_sqs_would_refuse_is_never_without_its_envelope),
        cmocka_unit_test(invalid_utf8_crashes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
