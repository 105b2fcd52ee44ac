#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json_reader.h"

#include <stdlib.h>

static const struct json_options options = {.max_depth = 32, .reject_duplicates = true, .hash_seed = {1, 2}};

/* Reads the text from storage of exactly its size, so that a byte read beyond it is seen. Names and strings are traced
 * as they stand. */
static enum json_error read_all(struct span text, const struct json_options *how, struct buf *trace,
                                size_t *ret_offset) {
    static const char *const marks[] = {
        [JSON_OBJECT_BEGIN] = "{", [JSON_OBJECT_END] = "}", [JSON_ARRAY_BEGIN] = "[", [JSON_ARRAY_END] = "]",
        [JSON_TRUE] = "t",         [JSON_FALSE] = "f",      [JSON_NULL] = "n",        [JSON_NAME] = "N:",
        [JSON_STRING] = "S:",      [JSON_NUMBER] = "D:"};
    char *copy = malloc(text.len ? text.len : 1);
    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, span_of(copy, text.len), how);
    for (enum json_event event; (event = json_next(&r, &token)) != JSON_END && event != JSON_FAILED;) {
        assert_int_equal(event, token.event);
        assert_true(token.offset < text.len);
        if (!trace)
            continue;
        assert_true(buf_append_cstr(trace, marks[event]));
        if (event == JSON_NAME || event == JSON_STRING || event == JSON_NUMBER)
            assert_true(buf_append_span(trace, token.raw));
        assert_true(buf_append_char(trace, ' '));
    }
    /* What ended it is said again and again. */
    struct json_token again;
    assert_int_equal(json_next(&r, &again), token.event);
    assert_memory_equal(&again.offset, &token.offset, sizeof token.offset);
    assert_int_equal(token.event == JSON_FAILED, r.error != JSON_NO_ERROR);
    assert_int_equal(token.offset, r.error ? r.error_offset : text.len);
    *ret_offset = token.offset;
    enum json_error error = r.error;
    json_reader_done(&r);
    free(copy);
    return error;
}

static void assert_refused(struct span text, enum json_error error, size_t offset) {
    size_t at = 0;
    enum json_error found = read_all(text, &options, NULL, &at);
    if (found != error || at != offset)
        print_error("%.*s: error %d at %zu\n", (int)text.len, text.data, (int)found, at);
    assert_int_equal(found, error);
    assert_int_equal(at, offset);
}

static const struct span valid[] = {
    SPAN("{}"),
    SPAN("[]"),
    SPAN(" [ ] "),
    SPAN("\t\n\r {\t\n\r }\t\n\r "),
    SPAN("\"\""),
    SPAN("\" \""),
    SPAN("true"),
    SPAN("false"),
    SPAN("null"),
    SPAN(" null "),
    SPAN("[null]"),
    SPAN("[true,false]"),
    SPAN("[1,null,null,null,2]"),
    SPAN("[[]   ]"),
    SPAN("[\"\"]"),
    SPAN("0"),
    SPAN("-0"),
    SPAN("[-1]"),
    SPAN("[123]"),
    SPAN("[123e65]"),
    SPAN("[0e+1]"),
    SPAN("[0e1]"),
    SPAN("[ 4]"),
    SPAN("[1E22]"),
    SPAN("[1E-2]"),
    SPAN("[1E+2]"),
    SPAN("[123e45]"),
    SPAN("[123.456e78]"),
    SPAN("[1e-2]"),
    SPAN("[1e+2]"),
    SPAN("[123.456789]"),
    SPAN("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
    SPAN("[20e1]"),
    SPAN("[-0]"),
    SPAN("[100000000000000000000000000000000000000000000000000000000000000000000000000000000]"),
    SPAN("[1e999999999999]"),
    SPAN("[0.4e00669999999999]"),
    SPAN("{\"a\":\"b\"}"),
    SPAN("{\"\":0}"),
    SPAN("{\"foo\\u0000bar\": 42}"),
    SPAN("{\"a\":[]}"),
    SPAN("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
    SPAN("{\"a\":{\"a\":{\"a\":1},\"b\":{\"a\":2}},\"b\":[{\"a\":1},{\"a\":2}]}"),
    SPAN("{\"\\u0430\":\"\\u041f\"}"),
    SPAN("{\n\"a\": \"b\"\n}"),
    SPAN("[\"\\u0060\\u012a\\u12AB\"]"),
    SPAN("[\"\\uD801\\udc37\"]"),
    SPAN("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    SPAN("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    SPAN("[\"\\\\u0000\"]"),
    SPAN("[\"\\\"\"]"),
    SPAN("[\"a/*b*/c/*d//e\"]"),
    SPAN("[\"\\\\a\"]"),
    SPAN("[\"\\\\n\"]"),
    SPAN("[\"\\u0012\"]"),
    SPAN("[\"\\uFFFF\\uFDD0\\uDBFF\\uDFFF\"]"),
    SPAN("[\"asd\"]"),
    SPAN("[\"\xF4\x8F\xBF\xBF\"]"),
    SPAN("[\"\xEF\xBF\xBF\"]"),
    SPAN("[\"\xED\x9F\xBF\xEE\x80\x80\"]"),
    SPAN("[\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xF0\x90\x80\x80\"]"),
    SPAN("[\"\x7F\"]"),
    SPAN("[\"\xE2\x80\xA8\xE2\x80\xA9\"]"),
    SPAN("[\"\xEF\xBB\xBF\"]"),
    SPAN("[\"\\u0000\\u0022\\u005C\\u200B\\u2064\\uFDD0\"]"),
    SPAN("[\"€𝄞\"]"),
    SPAN("[\"new\\u000Aline\"]"),
};

static void valid_texts_are_read_to_their_end(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        size_t at = 0;
        if (read_all(valid[i], &options, NULL, &at) != JSON_NO_ERROR)
            print_error("%s: refused at %zu\n", valid[i].data, at);
        assert_int_equal(read_all(valid[i], &options, NULL, &at), JSON_NO_ERROR);
    }
}

static bool is_whole(struct span text) {
    char first = text.data[0];
    return first == '{' || first == '[' || first == '"' || first == 't' || first == 'f' || first == 'n';
}

static void a_text_cut_short_fails_at_its_length(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++)
        for (size_t len = 0; is_whole(valid[i]) && len < valid[i].len; len++)
            assert_refused(span_of(valid[i].data, len), JSON_SYNTAX, len);
    static const struct span cut[] = {SPAN(""),    SPAN(" "),   SPAN("-"),    SPAN("1."), SPAN("1e"),
                                      SPAN("1e+"), SPAN("1E-"), SPAN("0.0e"), SPAN("[1")};
    for (size_t i = 0; i < ARRAY_LENGTH(cut); i++)
        assert_refused(cut[i], JSON_SYNTAX, cut[i].len);
}

struct refusal {
    struct span text;
    size_t offset;
};

static void assert_all_refused(const struct refusal *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_refused(cases[i].text, JSON_SYNTAX, cases[i].offset);
}

static const struct refusal MISPLACED[] = {
    {SPAN("[1 true]"), 3},
    {SPAN("[\"\": 1]"), 3},
    {SPAN("[\"\"],"), 4},
    {SPAN("[,1]"), 1},
    {SPAN("[1,,2]"), 3},
    {SPAN("[\"x\",,]"), 5},
    {SPAN("[\"x\"]]"), 5},
    {SPAN("[\"\",]"), 4},
    {SPAN("[x"), 1},
    {SPAN("[3[4]]"), 2},
    {SPAN("[1:2]"), 2},
    {SPAN("[,]"), 1},
    {SPAN("[   , \"\"]"), 4},
    {SPAN("[1,]"), 3},
    {SPAN("[*]"), 1},
    {SPAN("[1}"), 2},
    {SPAN("{]"), 1},
    {SPAN("[}"), 1},
    {SPAN("]"), 0},
    {SPAN("}"), 0},
    {SPAN(","), 0},
    {SPAN(":"), 0},
    {SPAN("{[: \"x\"}"), 1},
    {SPAN("{\"x\", null}"), 4},
    {SPAN("{\"x\"::\"b\"}"), 5},
    {SPAN("{\"a\":\"a\" 123}"), 9},
    {SPAN("{key: 'value'}"), 1},
    {SPAN("{\"a\" b}"), 5},
    {SPAN("{:\"b\"}"), 1},
    {SPAN("{\"a\" \"b\"}"), 5},
    {SPAN("{1:1}"), 1},
    {SPAN("{9999E9999:1}"), 1},
    {SPAN("{null:null}"), 1},
    {SPAN("{\"id\":0,,,,,}"), 8},
    {SPAN("{'a':0}"), 1},
    {SPAN("{\"id\":0,}"), 8},
    {SPAN("{\"a\":\"b\"}/**/"), 9},
    {SPAN("{\"a\":\"b\"}//"), 9},
    {SPAN("{\"a\":\"b\",,\"c\":\"d\"}"), 9},
    {SPAN("{a: \"b\"}"), 1},
    {SPAN("{\"a\":\"b\"}#"), 9},
    {SPAN("{\"a\": true} \"x\""), 12},
    {SPAN("{\"a\":}"), 5},
    {SPAN("{\"a\"}"), 4},
    {SPAN("{\"a\":1 \"b\":2}"), 7},
    {SPAN("{\"a\":1]"), 6},
    {SPAN("{,}"), 1},
    {SPAN("[1]x"), 3},
    {SPAN("[][]"), 2},
    {SPAN("{}}"), 2},
    {SPAN("1]"), 1},
    {SPAN("2@"), 1},
    {SPAN("<null>"), 0},
    {SPAN("[<null>]"), 1},
    {SPAN("\"\\a\""), 2},
    {SPAN("asd"), 0},
    {SPAN("[\x0c]"), 1},
    {SPAN("\x0b"
          "1"),
     0},
    {SPAN("\xE2\x81\xA0[]"), 0},
    {SPAN("\xEF\xBB\xBF{}"), 0},
    {SPAN("\xEF\xBB\xBF"), 0},
    {SPAN("\xC2\xA0[]"), 0},
    {SPAN("[1]\xC2\xA0"), 3},
    {SPAN("\xFF\xFE[\0"), 0},
    {SPAN("\0"), 0},
    {SPAN("[1]\0"), 3},
    {SPAN("123\0"), 3},
    {SPAN("[\0]"), 1},
    {SPAN("/**/1"), 0},
    {SPAN("['a']"), 1},
    {SPAN("\xE5"), 0},
    {SPAN("[\xC3\xA5]"), 1},
    {SPAN("null null"), 5},
    {SPAN("\"x\"1"), 3},
    {SPAN("{\"a\":1}}"), 7},
};

static void a_structure_fails_at_the_first_byte_that_cannot_stand_there(void **state) {
    (void)state;
    assert_all_refused(MISPLACED, ARRAY_LENGTH(MISPLACED));
}

static void a_word_fails_at_the_first_wrong_letter(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("tru3"), 3}, {SPAN("[nul]"), 4},     {SPAN("[tru]"), 4}, {SPAN("[fals]"), 5},   {SPAN("True"), 0},
        {SPAN("NULL"), 0}, {SPAN("FALSE"), 0},     {SPAN("truee"), 4}, {SPAN("nulll"), 4},    {SPAN("falsey"), 5},
        {SPAN("nan"), 1},  {SPAN("NaN"), 0},       {SPAN("-NaN"), 1},  {SPAN("Infinity"), 0}, {SPAN("-Infinity"), 1},
        {SPAN("inf"), 0},  {SPAN("undefined"), 0}, {SPAN("nULL"), 1},  {SPAN("[true1]"), 5},  {SPAN("[nu"), 3},
    };
    assert_all_refused(cases, ARRAY_LENGTH(cases));
}

static void a_number_fails_at_the_first_byte_that_is_none_of_it(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("01"), 1},        {SPAN("00"), 1},        {SPAN("-01"), 2},
        {SPAN("[-012]"), 3},    {SPAN("[012]"), 2},     {SPAN("+1"), 0},
        {SPAN("++1"), 0},       {SPAN("-"), 1},         {SPAN("--1"), 1},
        {SPAN("- 1"), 1},       {SPAN("-x"), 1},        {SPAN("[-]"), 2},
        {SPAN("[-foo]"), 2},    {SPAN("."), 0},         {SPAN(".5"), 0},
        {SPAN("-.5"), 1},       {SPAN("1.}"), 2},       {SPAN("[1.]"), 3},
        {SPAN("[2.e3]"), 3},    {SPAN("[2.e+3]"), 3},   {SPAN("[0.e1]"), 3},
        {SPAN("1..2"), 2},      {SPAN("[0.1.2]"), 4},   {SPAN("[0.3e]"), 5},
        {SPAN("[0.3e+]"), 6},   {SPAN("[0e]"), 3},      {SPAN("[0e+]"), 4},
        {SPAN("[0E]"), 3},      {SPAN("[1eE2]"), 3},    {SPAN("[9.e+]"), 3},
        {SPAN("[1e+-2]"), 4},   {SPAN("[1+2]"), 2},     {SPAN("[1 000.0]"), 3},
        {SPAN("[0x1]"), 2},     {SPAN("[0x42]"), 2},    {SPAN("1,000"), 1},
        {SPAN("1_000"), 1},     {SPAN("[1.2a-3]"), 4},  {SPAN("[1.8011670033376514H-308]"), 19},
        {SPAN("[1ea]"), 3},     {SPAN("[-1x]"), 3},     {SPAN("[-123.123foo]"), 9},
        {SPAN("1f"), 1},        {SPAN("[1e1.5]"), 4},   {SPAN("[\xEF\xBC\x91]"), 1},
        {SPAN("[-2.]"), 4},     {SPAN("[1e1\xE5]"), 4}, {SPAN("[0\xE5]"), 2},
        {SPAN("[123\xE5]"), 4},
    };
    assert_all_refused(cases, ARRAY_LENGTH(cases));
}

static void a_string_fails_at_the_control_character_or_escape_that_is_wrong(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("\"a\nb\""), 2},
        {SPAN("\"\t\""), 1},
        {SPAN("\"a\0a\""), 2},
        {SPAN("\"\x1f\""), 1},
        {SPAN("\"0123456789\x01\""), 11},
        {SPAN("{\"a\x01\":1}"), 3},
        {SPAN("\"\\x00\""), 2},
        {SPAN("\"\\\\\\\""), 5},
        {SPAN("\"\\\t\""), 2},
        {SPAN("\"\\'\""), 2},
        {SPAN("\"\\0\""), 2},
        {SPAN("\"\\U0041\""), 2},
        {SPAN("\"\\\0\""), 2},
        {SPAN("\"\\\xE5\""), 2},
        {SPAN("\"\\\xF0\x9F\x8C\x80\""), 2},
        {SPAN("\"\\u00g0\""), 5},
        {SPAN("\"\\u\""), 3},
        {SPAN("\"\\u0\""), 4},
        {SPAN("\"\\u00A\""), 6},
        {SPAN("\"\\u 041\""), 3},
        {SPAN("\"\\u+041\""), 3},
        {SPAN("\"\\uqqqq\""), 3},
        {SPAN("\"\\u000\""), 6},
        {SPAN("\"\\u0041"), 7},
        {SPAN("[\"\\n\\u1\xE5\"]"), 7},
        {SPAN("\"\\"), 2},
        {SPAN("\"\\u"), 3},
        {SPAN("\"\\u12"), 5},
        {SPAN("\""), 1},
        {SPAN("\"abc"), 4},
        {SPAN("'a'"), 0},
        {SPAN("`a`"), 0},
    };
    assert_all_refused(cases, ARRAY_LENGTH(cases));
}

static void a_lone_surrogate_fails_at_its_backslash(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("\"\\ud800\""), 1},
        {SPAN("\"\\udc00\""), 1},
        {SPAN("\"\\uDFFF\""), 1},
        {SPAN("\"\\uDBFF\""), 1},
        {SPAN("\"\\ud800x\""), 1},
        {SPAN("\"\\ud800\\u0041\""), 1},
        {SPAN("\"\\ud800\\n\""), 1},
        {SPAN("\"\\ud800\\x\""), 1},
        {SPAN("\"\\ud800\\ud800\\udc00\""), 1},
        {SPAN("\"\\udc00\\ud800\""), 1},
        {SPAN("\"abc\\ud834\\u0000\""), 4},
        {SPAN("\"\\ud800\\ue000\""), 1},
        {SPAN("\"\\ud800\x01\""), 1},
        {SPAN("\"\\ud800\xff\""), 1},
        {SPAN("\"\\uD834\\uDd1e\\uD834\""), 13},
        {SPAN("\"\\ud834\\udd1e\\udd1e\""), 13},
        {SPAN("{\"\\ud800\":1}"), 2},
        {SPAN("\"\\uD888\\u1234\""), 1},
        /* What is cut short may yet become a pair; a digit that is none is the grammar's affair. */
        {SPAN("\"\\ud800"), 7},
        {SPAN("\"\\ud800\\"), 8},
        {SPAN("\"\\ud800\\u"), 9},
        {SPAN("\"\\ud800\\ud"), 10},
        {SPAN("\"\\ud800\\udc0"), 12},
        {SPAN("\"\\ud80"), 6},
        {SPAN("\"\\ud800\\udc0g\""), 12},
        {SPAN("\"\\ud800\\u\""), 9},
        {SPAN("\"\\ud8g0\""), 5},
    };
    assert_all_refused(cases, ARRAY_LENGTH(cases));
}

static void bytes_that_are_no_utf8_fail_where_they_go_wrong(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("\"\x80\""), 1},
        {SPAN("\"\xBF\""), 1},
        {SPAN("\"\xC0\xAF\""), 1},
        {SPAN("\"\xC1\xBF\""), 1},
        {SPAN("\"\xF5\x80\x80\x80\""), 1},
        {SPAN("\"\xFF\""), 1},
        {SPAN("\"\xFE\""), 1},
        {SPAN("\"\xE0\x80\xAF\""), 2},
        {SPAN("\"\xE0\x9F\xBF\""), 2},
        {SPAN("\"\xF0\x80\x80\xAF\""), 2},
        {SPAN("\"\xF0\x8F\xBF\xBF\""), 2},
        {SPAN("\"\xED\xA0\x80\""), 2},
        {SPAN("\"\xED\xBF\xBF\""), 2},
        {SPAN("\"\xF4\x90\x80\x80\""), 2},
        {SPAN("\"\xC3\""), 2},
        {SPAN("\"\xE2\x82\""), 3},
        {SPAN("\"\xE2\""), 2},
        {SPAN("\"\xF0\x9F\x98\""), 4},
        {SPAN("\"\xC3\xC3\xA5\""), 2},
        {SPAN("\"\xE2\x82x\""), 3},
        {SPAN("\"\xF0\x9F\x98x\""), 4},
        {SPAN("\"\xC3"), 2},
        {SPAN("\"\xE2\x82"), 3},
        {SPAN("\"\xF0\x9F\x98"), 4},
        {SPAN("\"\xE0\xA0"), 3},
        {SPAN("\"abcdefgh\xE9\""), 10},
        {SPAN("\"\xC3\xA5\xA5\""), 3},
        {SPAN("[\"\xE9\"]"), 3},
        {SPAN("{\"\xB9\":\"0\",}"), 2},
        {SPAN("\"\xFC\x80\x80\x80\x80\x80\""), 1},
    };
    assert_all_refused(cases, ARRAY_LENGTH(cases));
}

/* Puts a byte at each place of strings of each short length: the word-wise scan has edges of its own. */
static void a_byte_is_judged_alike_at_every_place(void **state) {
    (void)state;
    char text[64];
    for (size_t len = 1; len < 40; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 0x80; byte++) {
                memset(text, 'x', sizeof text);
                text[0] = text[len + 1] = '"';
                text[at + 1] = (char)byte;
                size_t offset = 0;
                enum json_error error = read_all(span_of(text, len + 2), &options, NULL, &offset);
                size_t expected = byte < 0x20 || byte == '\\' ? at + 1 + (byte == '\\')
                                  : byte == '"'               ? at + 2
                                                              : len + 2;
                bool good = byte >= 0x20 && byte != '"' && byte != '\\';
                if (byte == '\\' && at + 1 == len)
                    expected = len + 2; /* the closing quote is escaped */
                assert_int_equal(error, good ? JSON_NO_ERROR : JSON_SYNTAX);
                assert_int_equal(offset, expected);
            }
}

static void events_come_in_order_with_the_exact_text(void **state) {
    (void)state;
    struct buf trace;
    size_t at = 0;
    buf_init(&trace, 1000);
    const struct span text = SPAN(" { \"a\" : [ 1.50e+03 , -0 , \"x\\n\" , true , false , null , { } , [ ] ] , "
                                  "\"b\\u0041\" : { \"c\" : \"\" } } ");
    assert_int_equal(read_all(text, &options, &trace, &at), JSON_NO_ERROR);
    assert_string_equal(trace.data, "{ N:a [ D:1.50e+03 D:-0 S:x\\n t f n { } [ ] ] N:b\\u0041 { N:c S: } } ");
    buf_free(&trace);
}

static void a_token_says_where_it_begins_and_whether_it_is_escaped(void **state) {
    (void)state;
    static const struct {
        enum json_event event;
        size_t offset;
        bool escaped;
    } expected[] = {{JSON_OBJECT_BEGIN, 1, false}, {JSON_NAME, 3, false},   {JSON_ARRAY_BEGIN, 8, false},
                    {JSON_NUMBER, 10, false},      {JSON_STRING, 14, true}, {JSON_TRUE, 21, false},
                    {JSON_ARRAY_END, 26, false},   {JSON_NAME, 29, true},   {JSON_NULL, 38, false},
                    {JSON_OBJECT_END, 43, false},  {JSON_END, 45, false}};
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, SPAN(" { \"a\": [ 1 , \"x\\n\" ,true ], \"\\u0061\":null } "),
                     &(struct json_options){.max_depth = 2});
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_int_equal(json_next(&r, &token), expected[i].event);
        assert_int_equal(token.offset, expected[i].offset);
        assert_int_equal(token.escaped, expected[i].escaped);
    }
    json_reader_done(&r);
}

static void nesting_fails_at_the_bracket_beyond_the_bound(void **state) {
    (void)state;
    char text[2 * JSON_MAX_DEPTH + 2];
    static const unsigned bounds[] = {1, 2, 7, 8, 9, 511, 512, 600};
    for (size_t i = 0; i < ARRAY_LENGTH(bounds); i++) {
        struct json_options how = {.max_depth = bounds[i]};
        size_t bound = bounds[i] < JSON_MAX_DEPTH ? bounds[i] : JSON_MAX_DEPTH;
        size_t at = 0;
        memset(text, '[', bound);
        memset(text + bound, ']', bound);
        assert_int_equal(read_all(span_of(text, 2 * bound), &how, NULL, &at), JSON_NO_ERROR);
        memset(text, '[', bound + 1);
        assert_int_equal(read_all(span_of(text, bound + 1), &how, NULL, &at), JSON_TOO_DEEP);
        assert_int_equal(at, bound);
        text[bound] = '{';
        assert_int_equal(read_all(span_of(text, bound + 1), &how, NULL, &at), JSON_TOO_DEEP);
        assert_int_equal(at, bound);
    }
}

static void a_bracket_that_is_wrong_anyway_is_not_too_deep(void **state) {
    (void)state;
    struct json_options how = {.max_depth = 1};
    size_t at = 0;
    assert_int_equal(read_all(SPAN("[1["), &how, NULL, &at), JSON_SYNTAX);
    assert_int_equal(read_all(SPAN("{["), &how, NULL, &at), JSON_SYNTAX);
    assert_int_equal(read_all(SPAN("{}["), &how, NULL, &at), JSON_SYNTAX);
    assert_int_equal(at, 2);
}

static void objects_and_arrays_close_as_they_opened_at_any_depth(void **state) {
    (void)state;
    for (unsigned shape = 0; shape < 1 << 10; shape++) {
        struct buf text;
        buf_init(&text, 1000);
        for (unsigned level = 0; level < 10; level++)
            assert_true(buf_append_cstr(&text, shape >> level & 1 ? "{\"a\":" : "["));
        assert_true(buf_append_cstr(&text, "0"));
        for (unsigned level = 10; level-- > 0;) {
            size_t at = 0;
            struct buf wrong;
            buf_init(&wrong, 1000);
            assert_true(buf_append_span(&wrong, buf_span(&text)));
            assert_true(buf_append_char(&wrong, shape >> level & 1 ? ']' : '}'));
            assert_int_equal(read_all(buf_span(&wrong), &options, NULL, &at), JSON_SYNTAX);
            assert_int_equal(at, wrong.len - 1);
            buf_free(&wrong);
            assert_true(buf_append_char(&text, shape >> level & 1 ? '}' : ']'));
        }
        size_t at = 0;
        assert_int_equal(read_all(buf_span(&text), &options, NULL, &at), JSON_NO_ERROR);
        buf_free(&text);
    }
}

static void a_second_member_of_one_name_is_refused_at_its_quote(void **state) {
    (void)state;
    static const struct refusal cases[] = {
        {SPAN("{\"a\":1,\"a\":2}"), 7},
        {SPAN("{\"a\":1,\"b\":{},\"a\":2}"), 14},
        {SPAN("{\"\":1,\"\":2}"), 6},
        {SPAN("{\"a\":1,\"\\u0061\":2}"), 7},
        {SPAN("{\"\\u0061\":1,\"a\":2}"), 12},
        {SPAN("{\"\\u00e9\":1,\"é\":2}"), 12},
        {SPAN("{\"\\ud83d\\ude00\":1,\"😀\":2}"), 18},
        {SPAN("{\"\\/\":1,\"/\":2}"), 8},
        {SPAN("{\"\\u005c\":1,\"\\\\\":2}"), 12},
        {SPAN("{\"\\n\\n\":1,\"\\u000a\\u000A\":2}"), 10},
        {SPAN("[{\"a\":1},{\"a\":1,\"a\":2}]"), 16},
        {SPAN("{\"a\":{\"a\":{\"a\":1,\"a\":2}}}"), 17},
        {SPAN("{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2},\"c\":1}"), 31},
        /* It comes before any fault behind it, and its colon. */
        {SPAN("{\"a\":1,\"a\""), 7},
        {SPAN("{\"a\":1,\"a\"x"), 7},
        {SPAN("{\"a\":1,\"a\":01}"), 7},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_refused(cases[i].text, JSON_DUPLICATE, cases[i].offset);
    }
    assert_refused(SPAN("{\"a\":01,\"a\":2}"), JSON_SYNTAX, 6);
    assert_refused(SPAN("{\"a\":1,\"a"), JSON_SYNTAX, 9);
    assert_refused(SPAN("{\"a\":1,\"a\x01\":2}"), JSON_SYNTAX, 9);
}

static void names_that_only_look_alike_are_different(void **state) {
    (void)state;
    static const struct span good[] = {
        SPAN("{\"a\":1,\"A\":2}"),
        SPAN("{\"a\":1,\"a \":2}"),
        SPAN("{\"a\":1,\"a\\u0000\":2,\"a\\u0000b\":3}"),
        SPAN("{\"\\\\u0061\":1,\"a\":2}"),
        SPAN("{\"é\":1,\"e\\u0301\":2}"),
        SPAN("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}"),
        SPAN("{\"\\n\":1,\"\\\\n\":2,\"n\":3}"),
        SPAN("{\"ab\":1,\"\\u0061\":2,\"\\u0061bc\":3}"),
    };
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_int_equal(read_all(good[i], &options, NULL, &at), JSON_NO_ERROR);
}

static void duplicates_pass_where_nobody_asked(void **state) {
    (void)state;
    size_t at = 0;
    assert_int_equal(read_all(SPAN("{\"a\":1,\"a\":2}"), &(struct json_options){.max_depth = 1}, NULL, &at),
                     JSON_NO_ERROR);
}

static void skipping_goes_to_the_end_of_the_value(void **state) {
    (void)state;
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, SPAN("[ [ [ ] , { \"a\" : [ 1 ] } ] , 5 , { \"x\" : { \"y\" : [ ] } , \"z\" : 1 } , 7 ]"),
                     &options);
    assert_int_equal(json_next(&r, &token), JSON_ARRAY_BEGIN);
    assert_int_equal(json_next(&r, &token), JSON_ARRAY_BEGIN);
    assert_true(json_skip(&r, &token));
    assert_int_equal(json_next(&r, &token), JSON_NUMBER);
    assert_true(json_skip(&r, &token));
    assert_int_equal(json_next(&r, &token), JSON_OBJECT_BEGIN);
    assert_int_equal(json_next(&r, &token), JSON_NAME);
    assert_true(json_skip(&r, &token));
    assert_int_equal(json_next(&r, &token), JSON_NAME);
    assert_true(json_token_is(&token, "z"));
    assert_true(json_skip(&r, &token));
    assert_int_equal(json_next(&r, &token), JSON_OBJECT_END);
    assert_true(json_skip(&r, &token));
    assert_int_equal(json_next(&r, &token), JSON_NUMBER);
    assert_true(token.raw.len == 1 && token.raw.data[0] == '7');
    assert_int_equal(json_next(&r, &token), JSON_ARRAY_END);
    assert_int_equal(json_next(&r, &token), JSON_END);
    json_reader_done(&r);
}

static void skipping_over_a_fault_fails(void **state) {
    (void)state;
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, SPAN("{\"a\":[1,{\"b\":1,\"b\":2}]}"), &options);
    assert_int_equal(json_next(&r, &token), JSON_OBJECT_BEGIN);
    assert_false(json_skip(&r, &token));
    assert_int_equal(r.error, JSON_DUPLICATE);
    assert_int_equal(r.error_offset, 15);
    json_reader_done(&r);
    json_reader_init(&r, SPAN("{\"a\":x}"), &options);
    assert_int_equal(json_next(&r, &token), JSON_OBJECT_BEGIN);
    assert_int_equal(json_next(&r, &token), JSON_NAME);
    assert_false(json_skip(&r, &token));
    json_reader_done(&r);
}

static void a_reader_left_in_the_middle_is_freed(void **state) {
    (void)state;
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, SPAN("{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":{\"a\":{"),
                     &options);
    for (unsigned i = 0; i < 21; i++)
        assert_int_not_equal(json_next(&r, &token), JSON_FAILED);
    json_reader_done(&r);
    json_reader_done(&r);
    struct json_reader zeroed = {0};
    json_reader_done(&zeroed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_read_to_their_end),
        cmocka_unit_test(a_text_cut_short_fails_at_its_length),
        cmocka_unit_test(a_structure_fails_at_the_first_byte_that_cannot_stand_there),
        cmocka_unit_test(a_word_fails_at_the_first_wrong_letter),
        cmocka_unit_test(a_number_fails_at_the_first_byte_that_is_none_of_it),
        cmocka_unit_test(a_string_fails_at_the_control_character_or_escape_that_is_wrong),
        cmocka_unit_test(a_lone_surrogate_fails_at_its_backslash),
        cmocka_unit_test(bytes_that_are_no_utf8_fail_where_they_go_wrong),
        cmocka_unit_test(a_byte_is_judged_alike_at_every_place),
        cmocka_unit_test(events_come_in_order_with_the_exact_text),
        cmocka_unit_test(a_token_says_where_it_begins_and_whether_it_is_escaped),
        cmocka_unit_test(nesting_fails_at_the_bracket_beyond_the_bound),
        cmocka_unit_test(a_bracket_that_is_wrong_anyway_is_not_too_deep),
        cmocka_unit_test(objects_and_arrays_close_as_they_opened_at_any_depth),
        cmocka_unit_test(a_second_member_of_one_name_is_refused_at_its_quote),
        cmocka_unit_test(names_that_only_look_alike_are_different),
        cmocka_unit_test(duplicates_pass_where_nobody_asked),
        cmocka_unit_test(skipping_goes_to_the_end_of_the_value),
        cmocka_unit_test(skipping_over_a_fault_fails),
        cmocka_unit_test(a_reader_left_in_the_middle_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
