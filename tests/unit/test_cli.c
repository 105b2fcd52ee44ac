#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli.h"

#include <stdio.h>
#include <string.h>

#define PARSE(...) parse((char *[]){(char *)"table-updater", __VA_ARGS__, NULL})

static struct cli parsed;
static char why[CLI_WHY_SIZE];
static char operands[256]; /* joined by blanks: the array that they stand in is the caller's */

static bool parse(char **argv) {
    int argc = 0;
    while (argv[argc]) {
        argc++;
    }
    parsed = (struct cli){0};
    why[0] = operands[0] = '\0';
    bool fine = cli_parse(argc, argv, &parsed, why);
    assert_int_equal(fine, why[0] == '\0');
    for (int i = 0; i < parsed.operand_count; i++) {
        size_t used = strlen(operands);
        (void)snprintf(operands + used, sizeof operands - used, "%s%s", i ? " " : "", parsed.operands[i]);
    }
    return fine;
}

static bool is_command(const char *name) {
    return name ? parsed.command && strcmp(parsed.command->name, name) == 0 : !parsed.command;
}

static bool told(const char *text) {
    return strstr(why, text) != NULL;
}

static const char *setting(const char *name) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (strcmp(SETTINGS[i].name, name) == 0) {
            return parsed.settings[i];
        }
    }
    fail_msg("there is no setting %s", name);
    return NULL;
}

static void run_takes_its_flag_with_and_without_seconds(void **state) {
    (void)state;
    assert_true(PARSE("run"));
    assert_true(is_command("run"));
    assert_false(parsed.of.run.until_empty.given);
    assert_true(PARSE("run", "--until-empty"));
    assert_true(parsed.of.run.until_empty.given);
    assert_int_equal(parsed.of.run.until_empty.number, 0);
    assert_true(PARSE("--until-empty=120", "run"));
    assert_true(parsed.of.run.until_empty.given);
    assert_int_equal(parsed.of.run.until_empty.number, 120);
}

static void bad_seconds_are_told_with_their_range(void **state) {
    (void)state;
    char *const cases[] = {"--until-empty=",
                           "--until-empty=-1",
                           "--until-empty=1.5",
                           "--until-empty=x",
                           "--until-empty=86401",
                           "--until-empty= 1",
                           "--until-empty=99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(PARSE("run", cases[i]));
        assert_true(told("0 to 86400"));
    }
}

static void apply_takes_one_file_or_none(void **state) {
    (void)state;
    assert_true(PARSE("apply"));
    assert_true(is_command("apply"));
    assert_string_equal(operands, "");
    assert_true(PARSE("apply", "-"));
    assert_string_equal(operands, "-");
    assert_true(PARSE("apply", "x.jsonl"));
    assert_string_equal(operands, "x.jsonl");
    assert_true(PARSE("apply", "--", "--help"));
    assert_string_equal(operands, "--help");
    assert_true(PARSE("apply", "apply"));
    assert_string_equal(operands, "apply");
    assert_true(PARSE("apply", "help"));
    assert_string_equal(operands, "help");
    assert_false(parsed.help.given);
    assert_false(PARSE("apply", "x", "y"));
    assert_true(told("y"));
}

static void options_stand_before_or_behind_what_they_belong_to(void **state) {
    (void)state;
    assert_true(PARSE("--config", "a.conf", "run"));
    assert_string_equal(parsed.config.text, "a.conf");
    assert_true(PARSE("apply", "x", "--config=b.conf", "--line-numbers"));
    assert_string_equal(parsed.config.text, "b.conf");
    assert_true(parsed.of.apply.line_numbers.given);
    assert_string_equal(operands, "x");
    assert_true(PARSE("--line-numbers", "--table-name", "run", "apply", "--region=eu-west-1", "x"));
    assert_true(is_command("apply"));
    assert_string_equal(setting("TABLE_NAME"), "run");
    assert_string_equal(setting("AWS_REGION"), "eu-west-1");
    assert_string_equal(operands, "x");
    assert_false(PARSE("run", "--config"));
    assert_true(told("--config takes a value: FILE"));
    assert_false(PARSE("run", "--config="));
    assert_true(told("--config takes a value: FILE"));
}

static void each_setting_but_secrets_can_be_given_as_an_option(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"--table-name", "TABLE_NAME"},
                                           {"--queue-url", "QUEUE_URL"},
                                           {"--region", "AWS_REGION"},
                                           {"--profile", "AWS_PROFILE"},
                                           {"--log-level", "LOG_LEVEL"},
                                           {"--max-rate", "MAX_RATE"},
                                           {"--dlq-url", "DLQ_URL"},
                                           {"--ca-bundle", "AWS_CA_BUNDLE"},
                                           {"--endpoint-url-sqs", "AWS_ENDPOINT_URL_SQS"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(PARSE((char *)cases[i][0], "-value", "run"));
        assert_string_equal(setting(cases[i][1]), "-value");
        assert_false(PARSE("run", (char *)cases[i][0]));
        assert_true(told(cases[i][0]));
        assert_true(told(cases[i][1]));
    }
    assert_true(PARSE("run", "--dlq-url="));
    assert_string_equal(setting("DLQ_URL"), "");
    assert_null(setting("QUEUE_URL"));
    static const char *const secrets[] = {"--access-key-id", "--secret-access-key", "--aws-secret-access-key",
                                          "--session-token"};
    for (size_t i = 0; i < ARRAY_LENGTH(secrets); i++) {
        assert_false(PARSE("run", (char *)secrets[i], "x"));
        assert_true(told("there is no option"));
    }
}

/* The command is known by the first word that is no option's value; so an option takes one or doesn't, whichever
 * command it is for. */
static void options_of_one_name_are_alike_in_all_commands(void **state) {
    (void)state;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        for (size_t j = 0; j < CLI_COMMANDS[i].option_count; j++) {
            const struct cli_option *o = &CLI_COMMANDS[i].options[j];
            assert_true(o->takes == TAKES_NOTHING ? !o->value : o->value != NULL);
            for (size_t k = 0; k < i; k++) {
                for (size_t l = 0; l < CLI_COMMANDS[k].option_count; l++) {
                    const struct cli_option *other = &CLI_COMMANDS[k].options[l];
                    assert_true(strcmp(o->name, other->name) != 0 || o->takes == other->takes);
                }
            }
        }
    }
    assert_true(SETTINGS_COUNT <= SETTINGS_MAX);
}

static void help_and_version_need_no_command(void **state) {
    (void)state;
    static char *const cases[][4] = {
        {"--help", NULL, "", ""},     {"-h", NULL, "", ""},         {"help", NULL, "", ""},  {"help", "run", "run", ""},
        {"run", "--help", "run", ""}, {"-h", "apply", "apply", ""}, {"help", "help", "", ""}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(PARSE(cases[i][0], cases[i][1]));
        assert_true(parsed.help.given);
        assert_true(is_command(cases[i][2][0] ? cases[i][2] : NULL));
    }
    assert_true(PARSE("--version"));
    assert_true(parsed.version.given);
    assert_true(PARSE("-V"));
    assert_true(parsed.version.given);
    assert_false(PARSE("--help=now"));
    assert_true(told("--help takes no value"));
    assert_false(PARSE("help", "rnu"));
    assert_true(told("did you mean run?"));
}

static void what_is_missing_or_too_much_is_told(void **state) {
    (void)state;
    char *nothing[] = {(char *)"table-updater", NULL};
    assert_false(cli_parse(1, nothing, &parsed, why));
    assert_true(told("run, check, apply"));
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
    assert_false(PARSE("run", "--tabel-name", "x"));
    assert_true(told("did you mean --table-name?"));
    assert_false(PARSE("apply", "--line-number"));
    assert_true(told("did you mean --line-numbers?"));
    assert_false(PARSE("--until-emtpy", "run"));
    assert_true(told("did you mean --until-empty?"));
    assert_false(PARSE("run", "-x"));
    assert_true(told("no option -x"));
    assert_false(told("did you mean"));
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

static void called_bootstrap_it_is_the_function_unless_a_command_is_given(void **state) {
    (void)state;
    assert_true(parse((char *[]){(char *)"/var/task/bootstrap", NULL}));
    assert_true(is_command("lambda"));
    assert_true(parse((char *[]){(char *)"bootstrap", (char *)"--log-level", (char *)"DEBUG", NULL}));
    assert_true(is_command("lambda"));
    assert_string_equal(setting("LOG_LEVEL"), "DEBUG");
    assert_true(parse((char *[]){(char *)"bootstrap", (char *)"apply", NULL}));
    assert_true(is_command("apply"));
    assert_true(parse((char *[]){(char *)"./bootstrap", (char *)"help", NULL}));
    assert_true(is_command(NULL));
    assert_true(PARSE("lambda"));
    assert_true(is_command("lambda"));
    assert_false(parse((char *[]){(char *)"bootstrap.sh", NULL}));
    assert_false(parse((char *[]){(char *)"bootstrap/table-updater", NULL}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_takes_its_flag_with_and_without_seconds),
        cmocka_unit_test(bad_seconds_are_told_with_their_range),
        cmocka_unit_test(apply_takes_one_file_or_none),
        cmocka_unit_test(options_stand_before_or_behind_what_they_belong_to),
        cmocka_unit_test(each_setting_but_secrets_can_be_given_as_an_option),
        cmocka_unit_test(options_of_one_name_are_alike_in_all_commands),
        cmocka_unit_test(help_and_version_need_no_command),
        cmocka_unit_test(what_is_missing_or_too_much_is_told),
        cmocka_unit_test(a_misspelt_word_is_answered_with_the_right_one),
        cmocka_unit_test(an_argument_of_any_length_is_quoted_in_part),
        cmocka_unit_test(called_bootstrap_it_is_the_function_unless_a_command_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
