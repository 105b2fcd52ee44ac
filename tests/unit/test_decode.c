#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "decode.h"

/* The value of the member "v" in text. */
struct seen {
    struct json_token value;
    unsigned members;
};

static enum decode_status see(void *user, struct json_reader *r, const struct json_token *name,
                              const struct json_token *value) {
    struct seen *s = user;
    s->members++;
    if (json_token_is(name, "v")) {
        s->value = *value;
    }
    return decode_skip(r, value);
}

static struct json_token value_of(const char *text) {
    struct seen s = {.members = 0};
    assert_int_equal(decode_read(span_cstr(text), see, &s), DECODE_FINE);
    return s.value;
}

static void only_one_whole_object_is_an_answer(void **state) {
    (void)state;
    static const char *const garbage[] = {"",
                                          " ",
                                          "{",
                                          "[]",
                                          "null",
                                          "\"x\"",
                                          "1",
                                          "{}{}",
                                          "{} x",
                                          "{\"a\":}",
                                          "{\"a\":{}",
                                          "{\"a\":[1,]}",
                                          "<html>",
                                          "\xEF\xBB\xBF{}",
                                          "{'a':1}",
                                          "{\"a\":\"\xFF\"}",
                                          "{\"a\":\"\\ud800\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(garbage); i++) {
        struct seen s = {.members = 0};
        assert_int_equal(decode_read(span_cstr(garbage[i]), see, &s), DECODE_GARBAGE);
    }
    struct seen s = {.members = 0};
    assert_int_equal(decode_read(SPAN(" {\"a\":[1,{\"v\":2}],\"v\":null, \"b\" : {}} "), see, &s), DECODE_FINE);
    assert_int_equal(s.members, 3);
    assert_int_equal(s.value.event, JSON_NULL);
}

static void depth_is_bounded(void **state) {
    (void)state;
    char text[2048] = "{\"a\":";
    memset(text + 5, '[', sizeof text - 5);
    struct seen s = {.members = 0};
    assert_int_equal(decode_read(span_of(text, sizeof text), see, &s), DECODE_GARBAGE);
}

static enum decode_status count_element(void *user, struct json_reader *r, const struct json_token *value) {
    ++*(unsigned *)user;
    return decode_skip(r, value);
}

static enum decode_status read_list(void *user, struct json_reader *r, const struct json_token *name,
                                    const struct json_token *value) {
    (void)name;
    return decode_array(r, value, count_element, user);
}

static void null_passes_for_an_empty_list_and_nothing_else_does(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum decode_status status;
        unsigned count;
    } cases[] = {{"{\"a\":[]}", DECODE_FINE, 0},
                 {"{\"a\":null}", DECODE_FINE, 0},
                 {"{\"a\":[1,[2],{\"b\":3},null]}", DECODE_FINE, 4},
                 {"{\"a\":{}}", DECODE_GARBAGE, 0},
                 {"{\"a\":\"\"}", DECODE_GARBAGE, 0},
                 {"{\"a\":[1,2", DECODE_GARBAGE, 2},
                 {"{\"a\":false}", DECODE_GARBAGE, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        unsigned count = 0;
        assert_int_equal(decode_read(span_cstr(cases[i].text), read_list, &count), cases[i].status);
        assert_int_equal(count, cases[i].count);
    }
}

static void a_text_fits_whole_or_is_garbage(void **state) {
    (void)state;
    static const struct {
        const char *json, *text; /* NULL: garbage */
    } cases[] = {{"{\"v\":\"abc\"}", "abc"},
                 {"{\"v\":\"abcd\"}", NULL},
                 {"{\"v\":\"\"}", ""},
                 {"{\"v\":\"\\u00e9a\"}", "\xC3\xA9"
                                          "a"},
                 {"{\"v\":\"\\u00e9aa\"}", NULL},
                 {"{\"v\":1}", NULL},
                 {"{\"v\":null}", NULL},
                 {"{\"v\":\"a\\u0000\"}", NULL},
                 {"{\"v\":{}}", NULL}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json_token v = value_of(cases[i].json);
        char text[4] = "xyz";
        assert_int_equal(decode_text(&v, text, sizeof text), cases[i].text ? DECODE_FINE : DECODE_GARBAGE);
        assert_string_equal(text, cases[i].text ? cases[i].text : "xyz");
    }
}

static void a_cut_text_ends_at_a_characters_end(void **state) {
    (void)state;
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{\"v\":\"abcde\"}", "abcde"},
        {"{\"v\":\"abcdef\"}", "abcde"},
        {"{\"v\":\"abcd\xC3\xA9\"}", "abcd"},
        {"{\"v\":\"abc\xC3\xA9\"}", "abc\xC3\xA9"},
        {"{\"v\":\"ab\xF0\x9F\x98\x80\"}", "ab"},
        {"{\"v\":\"a\\ud83d\\ude00\"}", "a\xF0\x9F\x98\x80"},
        {"{\"v\":\"ab\\ud83d\\ude00\"}", "ab"},
        {"{\"v\":\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}",
         "\xF0\x9F\x98\x80"},
        {"{\"v\":\"\\u0061\\u0062\\u0063\\u0064\\u0065\\u0066\\u0067\\u0068\\u0069\\u006a\\u006b\\u006c\\u006d\"}",
         "abcde"},
        {"{\"v\":"
         "\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\"}",
         "\n\n\n\n\n"},
        {"{\"v\":7}", ""},
        {"{\"v\":[]}", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json_token v = value_of(cases[i].json);
        char text[6];
        decode_text_cut(&v, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_number_is_digits_within_its_bound(void **state) {
    (void)state;
    static const struct {
        const char *json;
        uint64_t max;
        bool fine;
        uint64_t number;
    } cases[] = {
        {"{\"v\":\"0\"}", 9, true, 0},
        {"{\"v\":\"007\"}", 9, true, 7},
        {"{\"v\":\"9\"}", 9, true, 9},
        {"{\"v\":\"10\"}", 9, false, 0},
        {"{\"v\":\"18446744073709551615\"}", UINT64_MAX, true, UINT64_MAX},
        {"{\"v\":\"18446744073709551616\"}", UINT64_MAX, false, 0},
        {"{\"v\":\"99999999999999999999999999\"}", UINT64_MAX, false, 0},
        {"{\"v\":\"\"}", 9, false, 0},
        {"{\"v\":\"-1\"}", 9, false, 0},
        {"{\"v\":\"+1\"}", 9, false, 0},
        {"{\"v\":\" 1\"}", 9, false, 0},
        {"{\"v\":\"1.0\"}", 9, false, 0},
        {"{\"v\":\"1e0\"}", 9, false, 0},
        {"{\"v\":1}", 9, false, 0},
        {"{\"v\":null}", 9, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json_token v = value_of(cases[i].json);
        uint64_t number = 0;
        assert_int_equal(decode_number_text(&v, cases[i].max, &number), cases[i].fine);
        assert_true(number == cases[i].number);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_whole_object_is_an_answer),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(null_passes_for_an_empty_list_and_nothing_else_does),
        cmocka_unit_test(a_text_fits_whole_or_is_garbage),
        cmocka_unit_test(a_cut_text_ends_at_a_characters_end),
        cmocka_unit_test(a_number_is_digits_within_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
