#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "completion.h"
#include "completion_option.h"

#include <string.h>

static const char *const shells[] = {"bash", "zsh", "fish"};

static struct buf script_of(const char *shell) {
    struct buf text;
    buf_init(&text, (size_t)256 * 1024);
    assert_true(completion_append(shell, &text));
    return text;
}

struct expected {
    const char *script;
    bool bare; /* names stand without their hyphens */
};

static void is_in_script(const struct completion_option *option, void *ctx) {
    const struct expected *expected = ctx;
    assert_non_null(strstr(expected->script, option->name + (expected->bare ? 2 : 0)));
}

static void each_script_names_every_command_option_and_setting(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
        struct buf script = script_of(shells[i]);
        struct expected expected = {script.data, strcmp(shells[i], "fish") == 0};
        completion_each_common_option(is_in_script, &expected);
        for (size_t j = 0; j < CLI_COMMAND_COUNT; j++) {
            assert_non_null(strstr(script.data, CLI_COMMANDS[j].name));
            completion_each_own_option(&CLI_COMMANDS[j], is_in_script, &expected);
        }
        buf_free(&script);
    }
}

static void another_shell_has_no_script(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 1000);
    assert_false(completion_append("csh", &text));
    assert_int_equal(text.len, 0);
    buf_free(&text);
}

static void a_buffer_that_is_full_is_told(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
        struct buf text;
        buf_init(&text, 1000);
        assert_false(completion_append(shells[i], &text));
        buf_free(&text);
    }
}

static void a_description_is_the_first_sentence_that_says_enough(void **state) {
    (void)state;
    assert_true(span_is(completion_sentence("Show the version."), "Show the version"));
    assert_true(span_is(completion_sentence("Messages that are held at once. More is no use."),
                        "Messages that are held at once"));
    assert_true(span_is(completion_sentence("1 to 10. Messages held at once. More is no use."),
                        "1 to 10. Messages held at once"));
    assert_true(span_is(completion_sentence("1 to 10. Messages"), "1 to 10. Messages"));
    assert_true(span_is(completion_sentence(""), ""));
}

static void a_values_words_come_from_its_setting_or_stand_between_bars(void **state) {
    (void)state;
    static const struct setting_choice choices[] = {{"text", 0}, {"json", 1}, {NULL, 0}};
    const struct completion_option cases[] = {
        {.value = "LOG_FORMAT", .choices = choices}, {.value = "text|json"}, {.value = "TYPE", .words = "text json"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf words;
        buf_init(&words, 100);
        assert_true(completion_has_words(&cases[i]));
        completion_append_words(&cases[i], &words);
        assert_true(span_is(buf_span(&words), "text json"));
        buf_free(&words);
    }
    assert_false(completion_has_words(&(struct completion_option){.value = "FILE"}));
    assert_false(completion_has_words(&(struct completion_option){.value = "DURATION|TIME"}));
    assert_false(completion_has_words(&(struct completion_option){.value = "ATTRIBUTE|id"}));
    assert_false(completion_has_words(&(struct completion_option){.value = NULL}));
}

static void what_is_special_to_a_shell_is_escaped(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 100);
    completion_append_escaped(SPAN("a:b]\\"), "[]:\\", "\\", &text);
    assert_true(span_is(buf_span(&text), "a\\:b\\]\\\\"));
    buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_script_names_every_command_option_and_setting),
        cmocka_unit_test(another_shell_has_no_script),
        cmocka_unit_test(a_buffer_that_is_full_is_told),
        cmocka_unit_test(a_description_is_the_first_sentence_that_says_enough),
        cmocka_unit_test(a_values_words_come_from_its_setting_or_stand_between_bars),
        cmocka_unit_test(what_is_special_to_a_shell_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
