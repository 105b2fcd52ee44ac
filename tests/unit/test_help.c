#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "help.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

static struct buf help_of(enum cli_command command) {
    struct buf text;
    buf_init(&text, (size_t)64 * 1024);
    assert_true(help_append(command, &text));
    return text;
}

static void the_help_names_every_command_option_and_setting(void **state) {
    (void)state;
    struct buf text = help_of(CLI_NONE);
    for (size_t i = 1; i < CLI_COMMANDS; i++) {
        assert_non_null(strstr(text.data, CLI_COMMAND_ROWS[i].name));
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "\n  %s\n", SETTINGS[i].name);
        assert_non_null(strstr(text.data, line));
    }
    static const char *const parts[] = {"Usage:", "--config FILE", "--help", "--version", "Exit status:", "Examples:", "Files:", SETTINGS_DEFAULT_FILE};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        assert_non_null(strstr(text.data, parts[i]));
    }
    buf_free(&text);
}

static void a_commands_help_has_its_own_options_alone(void **state) {
    (void)state;
    struct buf run = help_of(CLI_RUN), apply = help_of(CLI_APPLY);
    assert_non_null(strstr(run.data, "--until-empty[=SECONDS]"));
    assert_null(strstr(apply.data, "--until-empty["));
    assert_non_null(strstr(apply.data, "Usage: table-updater [--config FILE] apply [--line-numbers] [FILE]\n"));
    buf_free(&run);
    buf_free(&apply);
}

static void no_line_is_wider_than_a_terminal_nor_ends_in_white_space(void **state) {
    (void)state;
    for (enum cli_command command = CLI_NONE; command < CLI_COMMANDS; command++) {
        struct buf text = help_of(command);
        for (const char *line = text.data; *line;) {
            size_t length = strcspn(line, "\n");
            if (length > 80 || (length && line[length - 1] == ' ')) {
                fail_msg("%.*s", (int)length, line);
            }
            assert_int_equal(line[length], '\n');
            line += length + 1;
        }
        buf_free(&text);
    }
}

static void a_buffer_that_is_full_is_told(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, 1000);
    assert_false(help_append(CLI_NONE, &text));
    buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_help_names_every_command_option_and_setting),
        cmocka_unit_test(a_commands_help_has_its_own_options_alone),
        cmocka_unit_test(no_line_is_wider_than_a_terminal_nor_ends_in_white_space),
        cmocka_unit_test(a_buffer_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
