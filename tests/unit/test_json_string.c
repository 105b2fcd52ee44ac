#include "json_string.h"

#include "update_fixture.h"

static struct json_string of(const char *raw) {
    return (struct json_string){span_cstr(raw), strchr(raw, '\\') != NULL};
}

static const struct {
    const char *raw, *decoded, *canonical;
    size_t size;
} strings[] = {
    {"", "", "\"\"", 0},
    {"plain", "plain", "\"plain\"", 5},
    {"\xC3\xA4", "\xC3\xA4", "\"\xC3\xA4\"", 2},
    {"\\u0061b", "ab", "\"ab\"", 2},
    {"\\/", "/", "\"/\"", 1},
    {"\\\"\\\\", "\"\\", "\"\\\"\\\\\"", 2},
    {"\\b\\f\\n\\r\\t", "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"", 5},
    {"\\u0008\\u000A\\u000d", "\b\n\r", "\"\\b\\n\\r\"", 3},
    {"\\u001F\\u000B", "\x1f\x0b", "\"\\u001f\\u000b\"", 2},
    {"\\u0022\\u005c", "\"\\", "\"\\\"\\\\\"", 2},
    {"\\u00e4", "\xC3\xA4", "\"\xC3\xA4\"", 2},
    {"\\u20AC!", "\xE2\x82\xAC!", "\"\xE2\x82\xAC!\"", 4},
    {"\\uD83D\\uDE00", "\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\"", 4},
    {"\\uFFFF", "\xEF\xBF\xBF", "\"\xEF\xBF\xBF\"", 3},
    {"a\\u007fb",
     "a\x7f"
     "b",
     "\"a\x7f"
     "b\"",
     3},
};

static void its_size_is_that_of_its_decoded_utf8(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(strings); i++)
        assert_int_equal(json_string_size(of(strings[i].raw)), strings[i].size);
    assert_int_equal(json_string_size(of("\\u0000")), 1);
}

static void it_is_written_in_one_canonical_form_whose_size_is_foretold(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(strings); i++) {
        struct buf out;
        buf_init(&out, 100);
        assert_true(json_string_append(of(strings[i].raw), &out));
        assert_buf(&out, strings[i].canonical);
        assert_int_equal(json_string_canonical_size(of(strings[i].raw)), out.len);
        buf_free(&out);
    }
    struct buf out;
    buf_init(&out, 100);
    assert_true(json_string_append(of("\\u0000"), &out));
    assert_buf(&out, "\"\\u0000\"");
    buf_free(&out);
}

static void decoding_to_a_buffer_and_to_an_arena_agree(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(strings); i++) {
        struct buf out;
        struct arena a = {0};
        buf_init(&out, 100);
        assert_true(json_string_decode(of(strings[i].raw), &out));
        assert_buf(&out, strings[i].decoded);
        assert_span(json_string_text(of(strings[i].raw), &a), strings[i].decoded);
        buf_free(&out);
        arena_free(&a);
    }
}

static void order_is_by_decoded_bytes_however_they_are_spelled(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } pairs[] = {
        {"", "", 0},
        {"a", "b", -1},
        {"a", "ab", -1},
        {"\\u0061", "a", 0},
        {"a\\u0062c", "\\u0061bc", 0},
        {"B", "a", -1},
        {"\\u007a", "{", -1},
        {"\\u00e4", "z", 1},
        {"\\ud83d\\ude00", "\\uffff", 1},
        {"\\u0061b", "a", 1},
        {"", "\\u0000", -1},
        {"a\\u0000", "a", 1},
        {"x\\/y", "x/y", 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        int order = json_string_compare(of(pairs[i].a), of(pairs[i].b));
        assert_int_equal((order > 0) - (order < 0), pairs[i].order);
        order = json_string_compare(of(pairs[i].b), of(pairs[i].a));
        assert_int_equal((order > 0) - (order < 0), -pairs[i].order);
    }
    assert_true(json_string_is(of("\\u0069d"), "id"));
    assert_false(json_string_is(of("id "), "id"));
}

static void blank_is_white_space_alone_escaped_or_not(void **state) {
    (void)state;
    static const char *const blank[] = {"", "  ", "\\t\\n\\r ", "\\u0020\\u0009\\u000A\\u000d"};
    static const char *const solid[] = {"a", " a ", "\\u0000", "\\u00a0", "\\u000b", "\\u200b", "\\\\"};
    for (size_t i = 0; i < ARRAY_LENGTH(blank); i++)
        assert_true(json_string_is_blank(of(blank[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(solid); i++)
        assert_false(json_string_is_blank(of(solid[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_size_is_that_of_its_decoded_utf8),
        cmocka_unit_test(it_is_written_in_one_canonical_form_whose_size_is_foretold),
        cmocka_unit_test(decoding_to_a_buffer_and_to_an_arena_agree),
        cmocka_unit_test(order_is_by_decoded_bytes_however_they_are_spelled),
        cmocka_unit_test(blank_is_white_space_alone_escaped_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
