#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "help.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

static struct buf help_of(const struct cli_command *command) {
    struct buf text;
    buf_init(&text, (size_t)64 * 1024);
    assert_true(help_append(command, &text));
    return text;
}

static void the_help_names_every_command_option_and_setting(void **state) {
    (void)state;
    struct buf text = help_of(NULL);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        assert_non_null(strstr(text.data, CLI_COMMANDS[i].name));
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        char line[128], option[SETTINGS_OPTION_SIZE];
        bool given = settings_option(&SETTINGS[i], option);
        (void)snprintf(line, sizeof line, "\n  %s%s%s\n", SETTINGS[i].name, given ? ", " : "", given ? option : "");
        assert_non_null(strstr(text.data, line));
    }
    static const char *const parts[] = {
        "Usage:",       "--config FILE", "-h, --help", "-V, --version",      "help [COMMAND]",
        "Exit status:", "Examples:",     "Files:",     SETTINGS_DEFAULT_FILE};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        assert_non_null(strstr(text.data, parts[i]));
    }
    buf_free(&text);
}

static void a_commands_help_has_its_own_options_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        struct buf text = help_of(&CLI_COMMANDS[i]);
        char usage[128];
        (void)snprintf(usage, sizeof usage, "Usage: table-updater %s [OPTION]...", CLI_COMMANDS[i].name);
        assert_int_equal(strncmp(text.data, usage, strlen(usage)), 0);
        assert_int_equal(strstr(text.data, "  --until-empty[=SECONDS]") != NULL,
                         strcmp(CLI_COMMANDS[i].name, "run") == 0);
        assert_int_equal(strstr(text.data, "  --line-numbers ") != NULL, strcmp(CLI_COMMANDS[i].name, "apply") == 0);
        buf_free(&text);
    }
}

static void no_line_is_wider_than_a_terminal_nor_ends_in_white_space(void **state) {
    (void)state;
    for (size_t i = 0; i <= CLI_COMMAND_COUNT; i++) {
        struct buf text = help_of(i < CLI_COMMAND_COUNT ? &CLI_COMMANDS[i] : NULL);
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
    assert_false(help_append(NULL, &text));
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
