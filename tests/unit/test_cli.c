#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli.h"

#include <string.h>

#define PARSE(...) parse((char *[]){(char *)"table-updater", __VA_ARGS__, NULL})

static struct cli parsed;
static char why[CLI_WHY_SIZE];

static bool parse(char **argv) {
    int argc = 0;
    while (argv[argc]) {
        argc++;
    }
    parsed = (struct cli){0};
    why[0] = '\0';
    bool fine = cli_parse(argc, argv, &parsed, why);
    assert_int_equal(fine, why[0] == '\0');
    return fine;
}

static bool told(const char *text) {
    return strstr(why, text) != NULL;
}

static void run_takes_its_flag_with_and_without_seconds(void **state) {
    (void)state;
    assert_true(PARSE("run"));
    assert_int_equal(parsed.command, CLI_RUN);
    assert_false(parsed.until_empty);
    assert_true(PARSE("run", "--until-empty"));
    assert_true(parsed.until_empty);
    assert_int_equal(parsed.until_empty_seconds, 0);
    assert_true(PARSE("--until-empty=120", "run"));
    assert_true(parsed.until_empty);
    assert_int_equal(parsed.until_empty_seconds, 120);
}

static void bad_seconds_are_told_with_their_range(void **state) {
    (void)state;
    char *const cases[] = {"--until-empty=", "--until-empty=-1", "--until-empty=1.5", "--until-empty=x", "--until-empty=86401",
                           "--until-empty= 1", "--until-empty=99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(PARSE("run", cases[i]));
        assert_true(told("0 to 86400"));
    }
}

static void apply_takes_one_file_or_none(void **state) {
    (void)state;
    assert_true(PARSE("apply"));
    assert_int_equal(parsed.command, CLI_APPLY);
    assert_null(parsed.file);
    assert_true(PARSE("apply", "-"));
    assert_null(parsed.file);
    assert_true(PARSE("apply", "x.jsonl"));
    assert_string_equal(parsed.file, "x.jsonl");
    assert_true(PARSE("apply", "--", "--help"));
    assert_string_equal(parsed.file, "--help");
    assert_false(PARSE("apply", "x", "y"));
    assert_true(told("y"));
}

static void the_settings_file_is_named_before_or_behind_the_command(void **state) {
    (void)state;
    assert_true(PARSE("--config", "a.conf", "run"));
    assert_string_equal(parsed.config, "a.conf");
    assert_true(PARSE("apply", "--config=b.conf"));
    assert_string_equal(parsed.config, "b.conf");
    assert_false(PARSE("run", "--config"));
    assert_true(told("--config"));
    assert_false(PARSE("run", "--config="));
    assert_true(told("--config"));
}

static void help_and_version_need_no_command(void **state) {
    (void)state;
    assert_true(PARSE("--help"));
    assert_true(parsed.help);
    assert_int_equal(parsed.command, CLI_NONE);
    assert_true(PARSE("run", "--help"));
    assert_true(parsed.help);
    assert_int_equal(parsed.command, CLI_RUN);
    assert_true(PARSE("--version"));
    assert_true(parsed.version);
    assert_false(PARSE("--help=now"));
    assert_true(told("--help takes no value"));
}

static void what_is_missing_or_too_much_is_told(void **state) {
    (void)state;
    char *const nothing[] = {(char *)"table-updater", NULL};
    assert_false(cli_parse(1, nothing, &parsed, why));
    assert_true(told("run or apply"));
    assert_false(cli_parse(0, nothing + 1, &parsed, why));
    assert_false(PARSE("run", "120"));
    assert_true(told("120"));
    assert_false(PARSE("apply", "--until-empty"));
    assert_true(told("apply takes no --until-empty"));
    assert_false(PARSE(""));
}

static void a_misspelt_word_is_answered_with_the_right_one(void **state) {
    (void)state;
    assert_false(PARSE("rnu"));
    assert_true(told("did you mean run?"));
    assert_false(PARSE("aply"));
    assert_true(told("did you mean apply?"));
    assert_false(PARSE("run", "--until-emtpy=5"));
    assert_true(told("--until-emtpy; did you mean --until-empty?"));
    assert_false(PARSE("--conifg", "x", "run"));
    assert_true(told("did you mean --config?"));
    assert_false(PARSE("run", "-x"));
    assert_true(told("no option -x"));
    assert_false(told("did you mean"));
}

static void commands_of_other_versions_are_told_to_be_missing(void **state) {
    (void)state;
    char *const cases[] = {"check", "enqueue", "redrive", "dlq"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(PARSE(cases[i]));
        assert_true(told(cases[i]));
        assert_true(told("not in this version"));
    }
}

static void an_argument_of_any_length_is_quoted_in_part(void **state) {
    (void)state;
    char huge[4096];
    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    assert_false(PARSE(huge));
    assert_true(strlen(why) < CLI_WHY_SIZE - 1);
    huge[0] = huge[1] = '-';
    assert_false(PARSE("run", huge));
    assert_true(strlen(why) < CLI_WHY_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_takes_its_flag_with_and_without_seconds),
        cmocka_unit_test(bad_seconds_are_told_with_their_range),
        cmocka_unit_test(apply_takes_one_file_or_none),
        cmocka_unit_test(the_settings_file_is_named_before_or_behind_the_command),
        cmocka_unit_test(help_and_version_need_no_command),
        cmocka_unit_test(what_is_missing_or_too_much_is_told),
        cmocka_unit_test(a_misspelt_word_is_answered_with_the_right_one),
        cmocka_unit_test(commands_of_other_versions_are_told_to_be_missing),
        cmocka_unit_test(an_argument_of_any_length_is_quoted_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
