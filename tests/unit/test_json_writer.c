#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "json_writer.h"

static void commas_stand_between_values_and_nowhere_else(void **state) {
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_name(&w, SPAN("empty object"));
    json_object_begin(&w);
    json_object_end(&w);
    json_name(&w, SPAN("array"));
    json_array_begin(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_string(&w, SPAN("s"));
    json_integer(&w, INT64_MIN);
    json_integer(&w, INT64_MAX);
    json_boolean(&w, true);
    json_boolean(&w, false);
    json_null(&w);
    json_raw(&w, SPAN("{\"raw\":1.50}"));
    json_object_begin(&w);
    json_name(&w, SPAN("a"));
    json_integer(&w, 0);
    json_object_end(&w);
    json_array_end(&w);
    json_name(&w, SPAN("last"));
    json_null(&w);
    json_object_end(&w);
    assert_true(buf_ok(&out));
    assert_string_equal(
        out.data, "{\"empty object\":{},\"array\":[[],\"s\",-9223372036854775808,9223372036854775807,true,false,null,"
                  "{\"raw\":1.50},{\"a\":0}],\"last\":null}");
    buf_free(&out);
}

static void a_scalar_alone_has_no_comma(void **state) {
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 10);
    json_writer_init(&w, &out);
    json_string(&w, SPAN(""));
    assert_string_equal(out.data, "\"\"");
    buf_free(&out);
}

static void only_what_must_be_is_escaped(void **state) {
    (void)state;
    static const struct {
        struct span text;
        const char *json;
    } cases[] = {
        {SPAN(""), "\"\""},
        {SPAN("a/b'c<>&\x7f"), "\"a/b'c<>&\x7f\""},
        {SPAN("\"\\"), "\"\\\"\\\\\""},
        {SPAN("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {SPAN("\0\x01\x07\x0b\x0e\x1f "), "\"\\u0000\\u0001\\u0007\\u000b\\u000e\\u001f \""},
        {SPAN("é€😀"), "\"é€😀\""},
        {SPAN("before\nafter"), "\"before\\nafter\""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 1000);
        assert_true(json_append_string(&out, cases[i].text));
        assert_string_equal(out.data, cases[i].json);
        /* Where there is room already, it is written another way. */
        buf_reset(&out);
        assert_non_null(buf_reserve(&out, 900));
        assert_true(json_append_string(&out, cases[i].text));
        assert_string_equal(out.data, cases[i].json);
        buf_free(&out);
    }
}

static void room_that_is_there_makes_no_difference(void **state) {
    (void)state;
    char text[40];
    for (unsigned i = 0; i < sizeof text * 8; i++) {
        struct buf grown, roomy;
        buf_init(&grown, 1000);
        buf_init(&roomy, 1000);
        memset(text, 'a', sizeof text);
        text[i / 8] = "\"\\\n\x01\0\x80z\x1f"[i % 8];
        text[i * 7 % sizeof text] = '"';
        for (size_t len = 0; len <= sizeof text; len++) {
            buf_free(&grown);
            buf_reset(&roomy);
            assert_non_null(buf_reserve(&roomy, 6 * sizeof text + 2));
            assert_true(json_append_string(&grown, span_of(text, len)));
            assert_true(json_append_string(&roomy, span_of(text, len)));
            assert_string_equal(grown.data, roomy.data);
        }
        buf_free(&grown);
        buf_free(&roomy);
    }
}

/* Words or single bytes: what each byte is written as by itself, it is in every text. */
static void a_byte_is_escaped_alike_at_every_place(void **state) {
    (void)state;
    for (size_t len = 1; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[20];
                memset(text, 'x', sizeof text);
                text[at] = (char)byte;
                struct buf alone, expected, out;
                buf_init(&alone, 8);
                buf_init(&expected, 100);
                buf_init(&out, 100);
                assert_true(json_append_string(&alone, span_of(&text[at], 1)));
                assert_true(buf_append_char(&expected, '"') && buf_append(&expected, text, at));
                assert_true(buf_append(&expected, alone.data + 1, alone.len - 2));
                assert_true(buf_append(&expected, text + at + 1, len - at - 1));
                assert_true(buf_append_char(&expected, '"'));
                assert_true(json_append_string(&out, span_of(text, len)));
                assert_true(span_equal(buf_span(&out), buf_span(&expected)));
                buf_free(&alone);
                buf_free(&expected);
                buf_free(&out);
            }
}

static void every_ceiling_below_the_length_fails_and_none_above(void **state) {
    (void)state;
    const struct span text = SPAN("plain \x01 \" end");
    for (size_t max = 0; max < 40; max++) {
        struct buf out;
        buf_init(&out, max);
        assert_int_equal(json_append_string(&out, text), max >= sizeof "\"plain \\u0001 \\\" end\"" - 1);
        assert_int_equal(buf_ok(&out), max >= sizeof "\"plain \\u0001 \\\" end\"" - 1);
        buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_and_nowhere_else),
        cmocka_unit_test(a_scalar_alone_has_no_comma),
        cmocka_unit_test(only_what_must_be_is_escaped),
        cmocka_unit_test(room_that_is_there_makes_no_difference),
        cmocka_unit_test(a_byte_is_escaped_alike_at_every_place),
        cmocka_unit_test(every_ceiling_below_the_length_fails_and_none_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
