#include "message_splitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct case_of_split {
    const char *input;
    const char *output; /* messages as "line:text", a '|' behind each */
};

static const struct case_of_split CASES[] = {
    {"", ""},
    {"\n \n\t\r\n", ""},
    {"{\"a\":1}", "1:{\"a\":1}|"},
    {"{\"a\":1}\n", "1:{\"a\":1}|"},
    {"{\"a\":1}\n{\"b\":2}\n", "1:{\"a\":1}|2:{\"b\":2}|"},
    {"\n\n{\"a\":1}\r\n\n{\"b\":2}", "3:{\"a\":1}\r|5:{\"b\":2}|"},
    {"{\n\"a\":\n1}\n", "1:{\n\"a\":\n1}\n|"},
    {"\n\n{\n\"a\":1\n}", "3:{\n\"a\":1\n}|"},
    /* One over several lines that is followed by more is no one object: lines. */
    {"{\n\"a\":1}\n{\"b\":2}\n", "1:{|2:\"a\":1}|3:{\"b\":2}|"},
    /* The first line is broken in itself, and the second stands alone. */
    {"{\"a\":\n{\"b\":2}\n", "1:{\"a\":|2:{\"b\":2}|"},
    {"{\"a\":1}}\n{\"b\":2}\n", "1:{\"a\":1}}|2:{\"b\":2}|"},
    {"nonsense\n{\"b\":2}\n", "1:nonsense|2:{\"b\":2}|"},
    {"[1]\n5\n", "1:[1]|2:5|"},
    {"{\"a\":1", "1:{\"a\":1|"},
    {"{\"a\":\n", "1:{\"a\":|"},
    {"{\"a\":\n\n \r\n", "1:{\"a\":|"},
    /* A broken one over several lines is one message, since none of them begins another. */
    {"{\n\"a\": 1,\n}\n", "1:{\n\"a\": 1,\n}|"},
    {"{\r\n  \"a\" 1\r\n}\r\n", "1:{\r\n  \"a\" 1\r\n}|"},
    {"{\n\"a\": {\n\"b\": 1\n", "1:{\n\"a\": {\n\"b\": 1|"},
    {"{\n\"a\": 1,\n}\n{\"b\":2}\n", "1:{|2:\"a\": 1,|3:}|4:{\"b\":2}|"},
};

static char *split_up(struct span input, size_t piece) {
    struct message_splitter s;
    char *out = calloc(1, 4 * input.len + 100);
    size_t at = 0, line = 0, len = 0;
    assert_non_null(out);
    message_splitter_init(&s);
    for (;;) {
        struct span message;
        enum split split = message_splitter_next(&s, &message, &line);
        if (split == SPLIT_END)
            break;
        if (split == SPLIT_MESSAGE) {
            len += (size_t)snprintf(out + len, 50, "%zu:", line);
            memcpy(out + len, message.data, message.len);
            len += message.len;
            out[len++] = '|';
            continue;
        }
        assert_int_equal(split, SPLIT_MORE);
        size_t count = input.len - at < piece ? input.len - at : piece;
        assert_true(message_splitter_feed(&s, span_of(input.data + at, count)));
        at += count;
        if (at == input.len)
            message_splitter_end(&s);
    }
    message_splitter_free(&s);
    return out;
}

static void lines_and_one_object_are_told_apart_however_the_input_is_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(CASES); i++)
        for (size_t piece = 1; piece < 30; piece++) {
            char *out = split_up(span_cstr(CASES[i].input), piece);
            if (strcmp(out, CASES[i].output) != 0)
                fail_msg("%s\nin pieces of %zu gives\n%s\nand not\n%s", CASES[i].input, piece, out, CASES[i].output);
            free(out);
        }
}

static void a_line_that_is_too_long_is_told_once_and_skipped(void **state) {
    (void)state;
    enum { PIECE = 65536 };
    struct message_splitter s;
    struct span message;
    size_t line = 0;
    char *piece = malloc(PIECE);
    assert_non_null(piece);
    memset(piece, 'x', PIECE);
    message_splitter_init(&s);
    assert_true(message_splitter_feed(&s, SPAN("1\n")));
    unsigned told = 0;
    enum split split = message_splitter_next(&s, &message, &line);
    assert_int_equal(split, SPLIT_MESSAGE);
    for (unsigned i = 0; i < 300; i++) {
        assert_true(message_splitter_feed(&s, span_of(piece, PIECE)));
        while ((split = message_splitter_next(&s, &message, &line)) == SPLIT_TOO_LONG) {
            told++;
            assert_int_equal(line, 2);
        }
        assert_int_equal(split, SPLIT_MORE);
        assert_true(message_splitter_pending(&s) <= STREAM_MESSAGE_MAX + PIECE);
    }
    assert_int_equal(told, 1);
    assert_true(message_splitter_feed(&s, SPAN("\n2\n")));
    assert_int_equal(message_splitter_next(&s, &message, &line), SPLIT_MESSAGE);
    assert_true(span_is(message, "2"));
    assert_int_equal(line, 3);
    message_splitter_free(&s);
    free(piece);
}

static void input_of_any_length_takes_bounded_room(void **state) {
    (void)state;
    struct message_splitter s;
    struct span message;
    size_t line = 0;
    message_splitter_init(&s);
    for (unsigned i = 0; i < 200000; i++) {
        assert_true(message_splitter_feed(
            &s, SPAN("{\"id\":\"k\",\"attributes\":{\"a\":\"0123456789012345678901234567890123456789\"}}\n{\"id\"")));
        assert_int_equal(message_splitter_next(&s, &message, &line), SPLIT_MESSAGE);
        assert_true(message_splitter_feed(&s, SPAN(":1}\n")));
        assert_int_equal(message_splitter_next(&s, &message, &line), SPLIT_MESSAGE);
        assert_true(s.input.capacity < 4096);
    }
    message_splitter_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_one_object_are_told_apart_however_the_input_is_cut),
        cmocka_unit_test(a_line_that_is_too_long_is_told_once_and_skipped),
        cmocka_unit_test(input_of_any_length_takes_bounded_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
