#include <stddef.h>
#include <stdlib.h>

/* The module with an allocator that can run dry. */
static void *scarce_malloc(size_t size);
#define malloc scarce_malloc
#include "condition_placeholders.c"
#undef malloc

#include "condition_bench.h"

static bool memory = true;

static void *scarce_malloc(size_t size) {
    return memory ? malloc(size) : NULL;
}

static void equal_names_share_a_placeholder_however_they_are_spelt(void **state) {
    (void)state;
    assert_canonical("b = 1 AND a = 1 AND `b`.a = 1 AND #b.#c = 1", "{\"names\":{\"#b\":\"b\",\"#c\":\"a\"}}",
                     "AND(=(#0,:0),=(#1,:0),=(#0.#1,:0),=(#0.#1,:0))[\"b\",\"a\"][{\"N\":\"1\"}]");
}

static void equal_values_share_a_placeholder_however_they_are_spelt(void **state) {
    (void)state;
    assert_canonical("a IN (5, :five, 5.0, '5', :other, 50e-1, :text, true, false, null)",
                     "{\"values\":{\":text\":{\"S\":\"5\"},\":five\":{\"N\":\"5\"},\":other\":{\"N\":\"5\"}}}",
                     "IN(#0,:0,:0,:0,:1,:0,:0,:1,:2,:3,:4)[\"a\"][{\"N\":\"5\"},{\"S\":\"5\"},{\"BOOL\":true},{"
                     "\"BOOL\":false},{\"NULL\":true}]");
}

static void names_and_values_that_begin_alike_are_told_apart_and_numbered_as_they_come(void **state) {
    (void)state;
    assert_canonical(
        "ab = 'xy' AND a = 'x' AND abc = '' AND a.ab = 'x'", NULL,
        "AND(=(#0,:0),=(#1,:1),=(#2,:2),=(#1.#0,:1))[\"ab\",\"a\",\"abc\"][{\"S\":\"xy\"},{\"S\":\"x\"},{\"S\":\"\"}]");
}

static void a_condition_without_values_has_none(void **state) {
    (void)state;
    assert_canonical("attribute_exists(a) OR a[0] = b", NULL, "OR(attribute_exists(#0),=(#0[0],#1))[\"a\",\"b\"][]");
}

static unsigned appended;

static bool append_large(void *ctx, int value, enum number_form form, struct buf *out) {
    (void)ctx;
    (void)form;
    (void)value;
    static char text[(size_t)12 << 20];
    memset(text, 'x', sizeof text);
    memcpy(text, "{\"S\":\"", 6);
    memcpy(text + sizeof text - 2, "\"}", 2);
    text[6] = (char)('a' + value);
    appended++;
    return buf_append(out, text, sizeof text);
}

static enum condition_status parse_large(const char *text, struct failure *failure) {
    struct json_terms terms;
    json_terms_init(&terms);
    assert_true(
        json_terms_read(&terms, SPAN("{\"values\":{\":a\":{\"S\":\"\"},\":b\":{\"S\":\"\"},\":c\":{\"S\":\"\"}}}")));
    struct condition_environment environment = terms_environment(&terms);
    environment.append_value = append_large;
    struct condition *c = NULL;
    appended = 0;
    enum condition_status status = condition_parse(span_cstr(text), &environment, &c, failure);
    condition_free(c);
    json_terms_free(&terms);
    return status;
}

static void a_large_value_that_is_used_often_is_written_once(void **state) {
    (void)state;
    struct failure failure;
    failure_init(&failure);
    assert_int_equal(parse_large("x IN (:a, :b, :a, :b, :a, :b, :a, 0, :a, :b, :a)", &failure), CONDITION_FINE);
    assert_int_equal(appended, 2);
    failure_free(&failure);
}

static void values_beyond_dynamodbs_limit_are_refused(void **state) {
    (void)state;
    struct failure failure;
    failure_init(&failure);
    assert_int_equal(parse_large("x IN (:a, :b, :c)", &failure), CONDITION_REFUSED);
    assert_string_equal(failure.message.data,
                        "Invalid condition_expression: its values are larger than the 2 MB that DynamoDB allows");
    failure_free(&failure);
}

static void without_memory_nothing_is_said_of_the_condition(void **state) {
    (void)state;
    struct bench b;
    bench_parse(&b, SPAN("a = 1"), NULL);
    struct condition *c = NULL;
    memory = false;
    /* A condition of a few nodes is numbered without any. */
    assert_int_equal(condition_parse(SPAN("a = 1"), &b.environment, &c, &b.failure), CONDITION_FINE);
    condition_free(c);
    c = NULL;
    assert_int_equal(
        condition_parse(
            SPAN("a IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32)"),
            &b.environment, &c, &b.failure),
        CONDITION_NO_MEMORY);
    memory = true;
    assert_null(c);
    assert_int_equal(b.failure.type, ERROR_NONE);
    bench_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_share_a_placeholder_however_they_are_spelt),
        cmocka_unit_test(equal_values_share_a_placeholder_however_they_are_spelt),
        cmocka_unit_test(names_and_values_that_begin_alike_are_told_apart_and_numbered_as_they_come),
        cmocka_unit_test(a_condition_without_values_has_none),
        cmocka_unit_test(a_large_value_that_is_used_often_is_written_once),
        cmocka_unit_test(values_beyond_dynamodbs_limit_are_refused),
        cmocka_unit_test(without_memory_nothing_is_said_of_the_condition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
