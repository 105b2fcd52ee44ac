#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "shell_words.h"

#include <stdio.h>

static void words_are_split_as_a_shell_does_and_nothing_is_expanded(void **state) {
    (void)state;
    /* What Python's shlex.split() gives, each word in brackets. */
    static const char *const cases[][2] = {
        {"a b  c", "[a][b][c]"},
        {"  a\t\n b\r ", "[a][b]"},
        {"'a b' \"c d\"e", "[a b][c de]"},
        {"a '' \"\"", "[a][][]"},
        {"a\\ b c\\\\d", "[a b][c\\d]"},
        {"\"a\\\"b\\\\c\\d\"", "[a\"b\\c\\d]"},
        {"'a\\b' 'it'\\''s'", "[a\\b][it's]"},
        {"~/bin/x $HOME `x` $(x) *; x > y # z", "[~/bin/x][$HOME][`x`][$(x)][*;][x][>][y][#][z]"},
        {"a\"b c\"'d e'f", "[ab cd ef]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct shell_words w;
        const char *why;
        char text[256] = "";
        assert_true(shell_words_split(span_cstr(cases[i][0]), &w, &why));
        for (size_t j = 0; j < w.count; j++) {
            size_t len = strlen(text);
            (void)snprintf(text + len, sizeof text - len, "[%s]", w.words[j]);
        }
        assert_null(w.words[w.count]);
        assert_string_equal(text, cases[i][1]);
        shell_words_free(&w);
    }
}

static void a_command_that_is_none_is_said_to_be(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "names no program"}, {" \t ", "names no program"}, {"'' a", "names no program"},
        {"a 'b", "never ends"},   {"a \"b\\\"", "never ends"},  {"a \\", "ends in a backslash"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct shell_words w;
        const char *why;
        assert_false(shell_words_split(span_cstr(cases[i][0]), &w, &why));
        assert_non_null(strstr(why, cases[i][1]));
    }
    char many[2 * (SHELL_WORDS_MAX + 1) + 1] = "";
    for (size_t i = 0; i <= SHELL_WORDS_MAX; i++) {
        memcpy(many + 2 * i, "a ", 3);
    }
    struct shell_words w;
    const char *why;
    assert_false(shell_words_split(span_cstr(many), &w, &why));
    assert_non_null(strstr(why, "too many"));
    many[2 * SHELL_WORDS_MAX] = '\0';
    assert_true(shell_words_split(span_cstr(many), &w, &why));
    assert_int_equal(w.count, SHELL_WORDS_MAX);
    shell_words_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_a_shell_does_and_nothing_is_expanded),
        cmocka_unit_test(a_command_that_is_none_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
