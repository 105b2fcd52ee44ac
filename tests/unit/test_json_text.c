#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "compiler.h"
#include "json_plain.h"
#include "json_reader.h"
#include "json_text.h"

static const struct {
    struct span raw, text;
} pairs[] = {
    {SPAN(""), SPAN("")},
    {SPAN("plain €😀"), SPAN("plain €😀")},
    {SPAN("\\\"\\\\\\/\\b\\f\\n\\r\\t"), SPAN("\"\\/\b\f\n\r\t")},
    {SPAN("a\\nb\\\\nc"), SPAN("a\nb\\nc")},
    {SPAN("\\u0000\\u0041\\u007f"), SPAN("\0A\x7f")},
    {SPAN("\\u0080\\u07ff\\u0800\\uffff"), SPAN("\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF")},
    {SPAN("\\ud7ff\\uE000"), SPAN("\xED\x9F\xBF\xEE\x80\x80")},
    {SPAN("\\ud800\\udc00\\uDBFF\\uDFFF"), SPAN("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")},
    {SPAN("x\\ud83d\\ude00y"), SPAN("x😀y")},
};

static void an_escaped_text_is_decoded(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        /* with room for the text alone, and with room for its spelling */
        const size_t rooms[] = {pairs[i].text.len, pairs[i].raw.len, pairs[i].raw.len + 100};
        for (size_t k = 0; k < ARRAY_LENGTH(rooms); k++) {
            struct buf out;
            buf_init(&out, rooms[k] + 1);
            assert_true(buf_append_char(&out, '>'));
            assert_true(json_unescape(pairs[i].raw, &out));
            assert_true(span_equal(span_of(out.data + 1, out.len - 1), pairs[i].text));
            assert_int_equal(out.data[out.len], '\0');
            buf_free(&out);
        }
    }
}

static void an_escape_is_found_wherever_it_stands(void **state) {
    (void)state;
    for (size_t len = 0; len < 24; len++)
        for (size_t at = 0; at <= len; at++) {
            struct buf raw, text, out;
            buf_init(&raw, 100);
            buf_init(&text, 100);
            buf_init(&out, 100);
            for (size_t i = 0; i <= len; i++) {
                assert_true(buf_append_cstr(&raw, i == at ? "\\u00e9\\\"" : ""));
                assert_true(buf_append_cstr(&text, i == at ? "\xC3\xA9\"" : ""));
                assert_true(i == len ||
                            (buf_append_char(&raw, (char)('a' + i)) && buf_append_char(&text, (char)('a' + i))));
            }
            assert_true(json_unescape(buf_span(&raw), &out));
            assert_string_equal(out.data, text.data);
            buf_free(&raw);
            buf_free(&text);
            buf_free(&out);
        }
}

static void decoding_fails_only_for_want_of_room(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        for (size_t max = 0; max < pairs[i].text.len; max++) {
            struct buf out;
            buf_init(&out, max);
            assert_false(json_unescape(pairs[i].raw, &out));
            assert_int_equal(out.failure, BUF_FULL);
            buf_free(&out);
        }
}

static void what_a_reader_refuses_stands_for_itself(void **state) {
    (void)state;
    static const struct span raws[] = {
        SPAN("\\"),      SPAN("\\x"),     SPAN("\\u"),        SPAN("\\u12"),
        SPAN("\\u12g4"), SPAN("\\ud800"), SPAN("\\ud800\\u"), SPAN("\\udc00x"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(raws); i++) {
        struct buf out;
        buf_init(&out, 100);
        assert_true(json_unescape(raws[i], &out));
        assert_true(span_equal(buf_span(&out), raws[i]));
        buf_free(&out);
    }
}

static void texts_are_compared_by_their_meaning(void **state) {
    (void)state;
    static const struct {
        struct span a, b;
        bool equal;
    } cases[] = {
        {SPAN(""), SPAN(""), true},
        {SPAN("\\u0061"), SPAN("a"), true},
        {SPAN("\\u0061bc"), SPAN("ab\\u0063"), true},
        {SPAN("\\ud83d\\ude00"), SPAN("😀"), true},
        {SPAN("abc"), SPAN("ab"), false},
        {SPAN(""), SPAN("a"), false},
        {SPAN("\\u0061b"), SPAN("a"), false},
        {SPAN("\\u0061"), SPAN("b"), false},
        {SPAN("a\\u0000"), SPAN("a"), false},
        {SPAN("\\\\n"), SPAN("\\n"), false},
        {SPAN("\\u00e9"), SPAN("\xC3"), false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(json_raw_equal(cases[i].a, cases[i].b), cases[i].equal);
        assert_int_equal(json_raw_equal(cases[i].b, cases[i].a), cases[i].equal);
    }
}

static void a_token_is_what_it_means(void **state) {
    (void)state;
    static const struct {
        enum json_event event;
        struct span raw;
        bool escaped;
        const char *text;
        bool is;
    } cases[] = {
        {JSON_NAME, SPAN("id"), false, "id", true},
        {JSON_STRING, SPAN("id"), false, "id", true},
        {JSON_NAME, SPAN("\\u0069d"), true, "id", true},
        {JSON_NAME, SPAN("i\\u0064"), true, "id", true},
        {JSON_NAME, SPAN("\\u0069d"), true, "i", false},
        {JSON_NAME, SPAN("\\u0069d"), true, "idx", false},
        {JSON_NAME, SPAN("id\\u0000"), true, "id", false},
        {JSON_NAME, SPAN("id"), false, "i", false},
        {JSON_NAME, SPAN(""), false, "", true},
        {JSON_NUMBER, SPAN("12"), false, "12", false},
        {JSON_TRUE, {NULL, 0}, false, "", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json_token token = {.event = cases[i].event, .raw = cases[i].raw, .escaped = cases[i].escaped};
        assert_int_equal(json_token_is(&token, cases[i].text), cases[i].is);
    }
}

static size_t skip_one_by_one(struct span text, size_t at, bool ascii_alone) {
    while (at < text.len) {
        unsigned char c = (unsigned char)text.data[at];
        if (c < 0x20 || c == '"' || c == '\\' || (ascii_alone && c >= 0x80)) {
            break;
        }
        at++;
    }
    return at;
}

/* The text has a block of its own, so that no byte outside it is read in silence. */
static void assert_run_found(size_t len, size_t special_at, char special) {
    char *data = malloc(len > 0 ? len : 1);
    assert_non_null(data);
    memset(data, 'x', len);
    if (special_at < len) {
        data[special_at] = special;
    }
    for (size_t at = 0; at <= len; at++) {
        for (int ascii_alone = 0; ascii_alone < 2; ascii_alone++) {
            assert_int_equal(json_skip_plain(span_of(data, len), at, ascii_alone),
                             skip_one_by_one(span_of(data, len), at, ascii_alone));
        }
    }
    free(data);
}

static void a_plain_run_ends_at_the_first_special_byte_wherever_that_is(void **state) {
    (void)state;
    static const char specials[] = "\"\\\x1F\n\x01\x80\xFF \x7F!#[]";
    for (size_t len = 0; len <= 50; len++) {
        for (size_t special_at = 0; special_at <= len; special_at++) {
            for (size_t i = 0; i < sizeof specials; i++) { /* the NUL as well */
                assert_run_found(len, special_at, specials[i]);
            }
        }
    }
}

static void marks_are_the_same_bits_on_every_processor(void **state) {
    (void)state;
    for (unsigned bits = 0; bits <= 0xFFFF; bits++) {
        block marks = {0};
        for (unsigned i = 0; i < BLOCK_SIZE; i++) {
            marks[i] = bits >> i & 1 ? 0xFF : 0;
        }
        assert_int_equal(block_bits(marks), bits);
        assert_int_equal(block_bits_portable(marks), bits);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_escaped_text_is_decoded),
        cmocka_unit_test(an_escape_is_found_wherever_it_stands),
        cmocka_unit_test(decoding_fails_only_for_want_of_room),
        cmocka_unit_test(what_a_reader_refuses_stands_for_itself),
        cmocka_unit_test(texts_are_compared_by_their_meaning),
        cmocka_unit_test(a_token_is_what_it_means),
        cmocka_unit_test(a_plain_run_ends_at_the_first_special_byte_wherever_that_is),
        cmocka_unit_test(marks_are_the_same_bits_on_every_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
