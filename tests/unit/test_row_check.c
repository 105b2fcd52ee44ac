#include "row_check.h"

#include "update_fixture.h"

#include <inttypes.h>

struct bench {
    struct fixture f;
    struct random random;
    struct row_check check;
    struct row_message message;
};

static void bench_init(struct bench *b, struct row_check_options options) {
    fixture_init(&b->f);
    random_seed(&b->random, 7);
    options.context = &b->f.context;
    options.random = &b->random;
    options.max_size = options.max_size ? options.max_size : 1000;
    row_check_init(&b->check, &options);
}

static void bench_done(struct bench *b) {
    row_check_free(&b->check);
    fixture_done(&b->f);
}

static void check_row(struct bench *b, uint64_t number, const char *text) {
    const struct row row = {
        .place = {.number = number, .line = number}, .text = span_cstr(text), .message = span_cstr(text)};
    assert_true(row_check(&b->check, &row, &b->message));
}

static void assert_sent_as(struct bench *b, const char *text, const char *expected) {
    check_row(b, 12, text);
    if (b->message.failure) {
        fail_msg("%s", b->message.failure->message.data);
    }
    assert_span(b->message.body, expected);
}

static void assert_rejected(struct bench *b, const char *text, const char *why) {
    check_row(b, 12, text);
    assert_non_null(b->message.failure);
    if (!strstr(b->message.failure->message.data, why)) {
        fail_msg("\"%s\" is no part of: %s", why, b->message.failure->message.data);
    }
}

#define PLAIN "{\"id\":\"a\",\"attributes\":{\"n\":1}"

static void a_row_that_needs_an_audit_record_is_fit_where_the_command_asks_for_one(void **state) {
    (void)state;
    static const char counter[] = "{\"id\":\"a\",\"increment\":{\"n\":1}";
    const struct row_check_options asking[] = {{.job = "j"}, {.log = true}};
    struct bench b;
    char row[100];
    for (size_t i = 0; i < ARRAY_LENGTH(asking); i++) {
        bench_init(&b, asking[i]);
        (void)snprintf(row, sizeof row, "%s}", counter);
        check_row(&b, 12, row);
        assert_null(b.message.failure);
        (void)snprintf(row, sizeof row, "%s,\"enable_logging\":false}", counter);
        assert_rejected(&b, row, "needs an audit record");
        bench_done(&b);
    }
    bench_init(&b, (struct row_check_options){0});
    (void)snprintf(row, sizeof row, "%s}", counter);
    assert_rejected(&b, row, "needs an audit record");
    bench_done(&b);
}

static void a_row_without_a_key_gets_a_random_one(void **state) {
    (void)state;
    struct bench b;
    char first[200];
    bench_init(&b, (struct row_check_options){0});
    check_row(&b, 1, PLAIN "}");
    assert_null(b.message.failure);
    (void)snprintf(first, sizeof first, "%.*s", (int)b.message.body.len, b.message.body.data);
    assert_memory_equal(first, PLAIN ",\"idempotency_key\":\"", strlen(PLAIN ",\"idempotency_key\":\""));
    assert_int_equal(strlen(first), strlen(PLAIN ",\"idempotency_key\":\"\"}") + 32);
    check_row(&b, 1, PLAIN "}");
    assert_false(span_is(b.message.body, first));
    assert_sent_as(&b, PLAIN ",\"idempotency_key\":\"k\" } ", PLAIN ",\"idempotency_key\":\"k\" } ");
    bench_done(&b);
}

static void a_jobs_row_has_its_key_and_an_audit_record(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.job = "prices"});
    assert_sent_as(&b, PLAIN "}", PLAIN ",\"enable_logging\":true,\"idempotency_key\":\"prices:12\"}");
    assert_sent_as(&b, PLAIN ",\"enable_logging\":false}",
                   PLAIN ",\"enable_logging\":false,\"idempotency_key\":\"prices:12\"}");
    assert_rejected(&b, PLAIN ",\"idempotency_key\":\"k\"}", "a job gives each row its own key");
    assert_rejected(&b,
                    "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":\""
                    "{\\\"id\\\":\\\"a\\\",\\\"attributes\\\":{\\\"n\\\":1}}\"}",
                    "what wraps the message gives it a key");
    bench_done(&b);
}

static void a_condition_is_joined_with_the_rows_own(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.condition = "v = \"x\" OR w = 1", .log = true});
    const char *key = ",\"idempotency_key\":\"k\"";
    char text[300], expected[400];
    (void)snprintf(text, sizeof text, PLAIN "%s}", key);
    (void)snprintf(expected, sizeof expected,
                   PLAIN "%s,\"condition_expression\":\"v = \\\"x\\\" OR w = 1\",\"enable_logging\":true}", key);
    assert_sent_as(&b, text, expected);
    (void)snprintf(text, sizeof text, "{\"condition_expression\":\"a = '\\u0041' OR b = 2\",%s%s}", PLAIN + 1, key);
    (void)snprintf(expected, sizeof expected,
                   "{\"condition_expression\":\"(a = '\\u0041' OR b = 2) AND (v = \\\"x\\\" OR w = 1)\",%s%s,"
                   "\"enable_logging\":true}",
                   PLAIN + 1, key);
    assert_sent_as(&b, text, expected);
    bench_done(&b);
}

static void a_condition_that_does_not_fit_a_row_rejects_it(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.condition = "v = :v", .dry = true});
    assert_rejected(&b, PLAIN "}", "condition_expression uses it, but it isn't defined");
    check_row(&b, 1, PLAIN ",\"expression_attribute_values\":{\":v\":1},\"condition_expression\":\"n = :v\"}");
    assert_null(b.message.failure);
    bench_done(&b);
}

static void a_condition_alone_is_looked_at_before_any_row(void **state) {
    (void)state;
    struct fixture f;
    struct failure failure;
    fixture_init(&f);
    f.table.partition.type = KEY_STRING;
    assert_true(row_check_condition(&f.context, "version < 5 AND status = 'it''s'", &failure));
    failure_free(&failure);
    assert_true(row_check_condition(&f.context, "#v < :five", &failure)); /* the rows may define them */
    failure_free(&failure);
    assert_false(row_check_condition(&f.context, "version <", &failure));
    assert_int_equal(failure.type, ERROR_VALIDATION);
    failure_free(&failure);
    fixture_done(&f);
}

static void a_group_is_the_record_or_an_attribute(void **state) {
    (void)state;
    static const struct {
        const char *by, *attributes, *id, *group;
    } cases[] = {
        {"id", "\"n\":1", "\"user-1\"", "user-1"},
        {"id", "\"n\":1", "\"user 1\"", " "},
        {"id", "\"n\":1", "\"user-\\u0031\"", "user-1"},
        {"id", "\"n\":1", "\"a\\\"b\"", "a\"b"},
        {"team", "\"team\":\"blue\"", "\"a\"", "blue"},
        {"team", "\"n\":1,\"te\\u0061m\":\"bl\\u0075e\"", "\"a\"", "blue"},
        {"team", "\"team\":17", "\"a\"", "17"},
        {"team", "\"team\":1.70e1", "\"a\"", "17"},
        {"team", "\"team\":true", "\"a\"", "true"},
        {"team", "\"team\":\"\"", "\"a\"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bench b;
        char text[300];
        bench_init(&b, (struct row_check_options){.group_by = cases[i].by, .job = "j"});
        (void)snprintf(text, sizeof text, "{\"id\":%s,\"attributes\":{%s}}", cases[i].id, cases[i].attributes);
        check_row(&b, 3, text);
        assert_null(b.message.failure);
        if (strchr(cases[i].group, ' ')) {
            assert_int_equal(b.message.group_id.len, 64); /* SQS takes no blanks */
        } else {
            assert_span(b.message.group_id, cases[i].group);
        }
        char first[ROW_DEDUPLICATION_SIZE];
        (void)snprintf(first, sizeof first, "%.*s", (int)b.message.deduplication_id.len,
                       b.message.deduplication_id.data);
        check_row(&b, 3, text);
        assert_span(b.message.deduplication_id, first); /* a job's row keeps it over runs */
        bench_done(&b);
    }
}

/* Some rows were sent with TABLE_NAME, some without: they must not overtake each other. */
static void a_record_has_one_group_whether_its_table_is_known_or_not(void **state) {
    (void)state;
    static const struct {
        struct table_shape table;
        const char *id, *other_id, *by, *group;
    } cases[] = {
        {{.partition = {"id", KEY_NUMBER}}, "1", "1.0", "id", "1"},
        {{.partition = {"user", KEY_NUMBER}}, "10", "1e1", "id", "10"},
        {{.partition = {"user", KEY_BINARY}}, "\"aGk=\"", "\"a\\u0047k=\"", "id", "aGk="},
        {{.partition = {"z", KEY_NUMBER}, .sort = {"a", KEY_STRING}},
         "{\"z\":1.0,\"a\":\"x\"}",
         "{\"a\":\"x\",\"z\":1}",
         "id",
         "{\"a\":\"x\",\"z\":1}"},
        {{.partition = {"z", KEY_NUMBER}, .sort = {"a", KEY_STRING}},
         "{\"z\":1.0,\"a\":\"x\"}",
         "{\"z\":1,\"a\":\"y\"}",
         "z",
         "1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct table_shape shapes[] = {cases[i].table, {.any_key = true}};
        const char *const ids[] = {cases[i].id, cases[i].other_id};
        for (size_t j = 0; j < ARRAY_LENGTH(shapes) * ARRAY_LENGTH(ids); j++) {
            struct bench b;
            char text[300];
            bench_init(&b, (struct row_check_options){.group_by = cases[i].by});
            b.check.context.table = &shapes[j / 2];
            (void)snprintf(text, sizeof text, "{\"id\":%s,\"attributes\":{\"n\":1}}", ids[j % 2]);
            check_row(&b, 3, text);
            assert_null(b.message.failure);
            assert_span(b.message.group_id, cases[i].group);
            bench_done(&b);
        }
    }
}

static void a_row_without_the_attribute_of_its_group_is_rejected(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.group_by = "team"});
    assert_rejected(&b, PLAIN "}", "--group-by names an attribute");
    assert_rejected(&b, "{\"id\":\"a\",\"attributes\":{\"team\":[1]}}", "--group-by names an attribute");
    bench_done(&b);
}

static void characters_that_sqs_refuses_are_escaped(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.job = "j"});
    assert_sent_as(&b, "{\"id\":\"a\",\"attributes\":{\"n\":\"x\xEF\xBF\xBFy\xEF\xBF\xBD\xEF\xBF\xBE\"}}",
                   "{\"id\":\"a\",\"attributes\":{\"n\":\"x\\uffffy\xEF\xBF\xBD\\ufffe\"},\"enable_logging\":true,"
                   "\"idempotency_key\":\"j:12\"}");
    bench_done(&b);
}

static void a_message_that_the_queue_does_not_take_is_rejected(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.max_size = 80, .job = "j"});
    assert_rejected(&b, "{\"id\":\"a\",\"attributes\":{\"n\":\"0123456789\"}}", "the queue takes 80 at most");
    bench_done(&b);
}

static void a_value_on_several_lines_is_told_how_to_stand_on_one(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b, (struct row_check_options){.dry = true});
    assert_rejected(&b, "{", "Rows stand on one line each: jq -c . FILE writes them so");
    assert_rejected(&b, "[", "jq -c '.[]' FILE writes an array's so");
    assert_rejected(&b, "{\"id\":1", "see position 7");
    assert_null(strstr(b.message.failure->message.data, "jq"));
    bench_done(&b);
}

static void the_readers_failure_is_passed_on(void **state) {
    (void)state;
    struct bench b;
    struct failure failure;
    failure_init(&failure);
    failure_set(&failure, ERROR_INVALID_INPUT, "ragged");
    bench_init(&b, (struct row_check_options){0});
    const struct row row = {.failure = &failure};
    assert_true(row_check(&b.check, &row, &b.message));
    assert_ptr_equal(b.message.failure, &failure);
    bench_done(&b);
    failure_free(&failure);
}

static void a_message_can_be_given_a_key(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(row_append_with_key(SPAN(PLAIN "}\n"), SPAN("j:1"), &out));
    assert_span(buf_span(&out), PLAIN ",\"idempotency_key\":\"j:1\"}");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_needs_an_audit_record_is_fit_where_the_command_asks_for_one),
        cmocka_unit_test(a_row_without_a_key_gets_a_random_one),
        cmocka_unit_test(a_jobs_row_has_its_key_and_an_audit_record),
        cmocka_unit_test(a_condition_is_joined_with_the_rows_own),
        cmocka_unit_test(a_condition_that_does_not_fit_a_row_rejects_it),
        cmocka_unit_test(a_condition_alone_is_looked_at_before_any_row),
        cmocka_unit_test(a_group_is_the_record_or_an_attribute),
        cmocka_unit_test(a_record_has_one_group_whether_its_table_is_known_or_not),
        cmocka_unit_test(a_row_without_the_attribute_of_its_group_is_rejected),
        cmocka_unit_test(characters_that_sqs_refuses_are_escaped),
        cmocka_unit_test(a_message_that_the_queue_does_not_take_is_rejected),
        cmocka_unit_test(a_value_on_several_lines_is_told_how_to_stand_on_one),
        cmocka_unit_test(the_readers_failure_is_passed_on),
        cmocka_unit_test(a_message_can_be_given_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
