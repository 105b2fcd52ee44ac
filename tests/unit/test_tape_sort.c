#include "value_tape.h"

#include "attribute_value.h"
#include "update_fixture.h"

static const uint64_t seed[2] = {3, 4};

static void assert_sorted(const char *text, const char *expected) {
    struct value_tape t;
    struct tape_error error;
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_int_equal(tape_read(span_cstr(text), seed, &t, &error), TAPE_READ);
    assert_true(tape_sort(&t, TAPE_ROOT));
    assert_true(attribute_value_append(&t, TAPE_ROOT, NUMBERS_NORMAL, &out));
    assert_buf(&out, expected);
    tape_free(&t);
    buf_free(&out);
}

static void members_are_sorted_at_every_depth_and_elements_stay(void **state) {
    (void)state;
    assert_sorted("{\"b\":[3,{\"z\":1,\"y\":{}},1],\"a\":null}",
                  "{\"M\":{\"a\":{\"NULL\":true},\"b\":{\"L\":[{\"N\":\"3\"},{\"M\":{\"y\":{\"M\":{}},\"z\":{\"N\":"
                  "\"1\"}}},{\"N\":\"1\"}]}}}");
    assert_sorted("{\"a\":1,\"b\":2}", "{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"N\":\"2\"}}}");
    assert_sorted("{}", "{\"M\":{}}");
    assert_sorted("5", "{\"N\":\"5\"}");
}

static void names_are_sorted_by_what_they_mean(void **state) {
    (void)state;
    assert_sorted("{\"\\u0062\":1,\"B\":2,\"a\\u0000\":3,\"a\":4}",
                  "{\"M\":{\"B\":{\"N\":\"2\"},\"a\":{\"N\":\"4\"},\"a\\u0000\":{\"N\":\"3\"},\"b\":{\"N\":\"1\"}}}");
}

static void many_members_are_sorted_too(void **state) {
    (void)state;
    struct buf text;
    struct buf expected;
    buf_init(&text, SIZE_MAX);
    buf_init(&expected, SIZE_MAX);
    buf_append_cstr(&expected, "{\"M\":");
    for (unsigned i = 0; i < 3000; i++) {
        buf_printf(&text, "%c\"%04u\":[%u]", i ? ',' : '{', i * 1009 % 3000, i * 1009 % 3000);
        buf_printf(&expected, "%c\"%04u\":{\"L\":[{\"N\":\"%u\"}]}", i ? ',' : '{', i, i);
    }
    buf_append_char(&text, '}');
    buf_append_cstr(&expected, "}}");
    assert_sorted(text.data, expected.data);
    buf_free(&text);
    buf_free(&expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_sorted_at_every_depth_and_elements_stay),
        cmocka_unit_test(names_are_sorted_by_what_they_mean),
        cmocka_unit_test(many_members_are_sorted_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
