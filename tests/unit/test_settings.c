#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "compiler.h"
#include "kept_log.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned lines_logged(void) {
    unsigned lines = 0;
    for (const char *c = logged; *c; c++) {
        lines += *c == '\n';
    }
    return lines;
}

/* ctx: names and values in turn, ended by NULL; of two of one name the first counts. */
static const char *look_up(void *ctx, const char *name) {
    for (const char *const *variable = ctx; *variable; variable += 2) {
        if (strcmp(variable[0], name) == 0) {
            return variable[1];
        }
    }
    return NULL;
}

static struct environment environment_of(const char *const *variables) {
    return (struct environment){look_up, (void *)variables};
}

static bool read_with(enum settings_need need, struct settings *ret_settings, const char *const *variables) {
    struct log log = test_log();
    struct environment environment = environment_of(variables);
    return settings_read(&environment, need, &log, ret_settings);
}
#define READ(need, settings, ...) read_with((need), (settings), (const char *const[]){__VA_ARGS__, NULL})

static void defaults_are_those_of_the_manual(void **state) {
    (void)state;
    struct settings s;
    assert_true(READ(NEED_TABLE_AND_QUEUE, &s, "TABLE_NAME", "users", "QUEUE_URL", "updates"));
    assert_string_equal(s.table_name, "users");
    assert_string_equal(s.queue, "updates");
    assert_null(s.dlq);
    assert_int_equal(s.log_level, LOG_LEVEL_INFO);
    assert_int_equal(s.log_format, LOG_FORMAT_TEXT);
    assert_int_equal(s.audit, AUDIT_OFF);
    assert_string_equal(s.audit_table, "audit_logs");
    assert_int_equal(s.audit_ttl_days, 0);
    assert_int_equal(s.max_in_flight, 256);
    assert_int_equal(s.max_rate, 0);
    assert_int_equal(s.visibility, 0);
    assert_int_equal(s.max_attempts, 5);
    assert_int_equal(s.shutdown_timeout, 25);
    assert_string_equal(s.metrics_address, "127.0.0.1:9464");
    assert_string_equal(logged, "");
}

static void every_setting_is_taken(void **state) {
    (void)state;
    struct settings s;
    assert_true(READ(NEED_TABLE_AND_QUEUE, &s, "TABLE_NAME", "users", "QUEUE_URL",
                     "https://sqs.eu-west-1.amazonaws.com/1/updates", "DLQ_URL", "dead.fifo", "LOG_LEVEL", "debug",
                     "LOG_FORMAT", "json", "ENABLE_AUDIT_LOG", "always", "AUDIT_LOG_TABLE", "audit",
                     "AUDIT_LOG_TTL_DAYS", "400", "MAX_IN_FLIGHT", "1000", "MAX_RATE", "50", "VISIBILITY_TIMEOUT", "60",
                     "MAX_ATTEMPTS", "7", "SHUTDOWN_TIMEOUT", "0", "METRICS_ADDRESS", "off"));
    assert_string_equal(s.dlq, "dead.fifo");
    assert_int_equal(s.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(s.log_format, LOG_FORMAT_JSON);
    assert_int_equal(s.audit, AUDIT_ALWAYS);
    assert_string_equal(s.audit_table, "audit");
    assert_int_equal(s.audit_ttl_days, 400);
    assert_int_equal(s.max_in_flight, 1000);
    assert_int_equal(s.max_rate, 50);
    assert_int_equal(s.visibility, 60);
    assert_int_equal(s.max_attempts, 7);
    assert_int_equal(s.shutdown_timeout, 0);
    assert_string_equal(s.metrics_address, "off");
}

static const struct {
    const char *name, *value;
    bool fine;
} values[] = {
    {"TABLE_NAME", "abc", true},
    {"TABLE_NAME", "a.b-c_9", true},
    {"TABLE_NAME", "arn:aws:dynamodb:eu-west-1:123456789012:table/users", true},
    {"TABLE_NAME", "ab", false},
    {"TABLE_NAME", "a b", false},
    {"TABLE_NAME", "users;drop", false},
    {"TABLE_NAME", "arn:aws:dynamodb:eu-west-1:123456789012:table/", false},
    {"TABLE_NAME", "arn:aws:sqs:eu-west-1:123456789012:users", false},
    {"QUEUE_URL", "q", true},
    {"QUEUE_URL", "updates.fifo", true},
    {"QUEUE_URL", "http://127.0.0.1:9324/000000000000/updates", true},
    {"QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:updates", false},
    {"QUEUE_URL", "ftp://host/updates", false},
    {"QUEUE_URL", "https://", false},
    {"QUEUE_URL", "two words", false},
    {"QUEUE_URL", "a.b", false},
    {"QUEUE_URL", ".fifo", false},
    {"QUEUE_URL", "x23456789012345678901234567890123456789012345678901234567890123456789012345678901", false},
    {"DLQ_URL", "dead", true},
    {"DLQ_URL", "de/ad", false},
    {"LOG_LEVEL", "WARNING", true},
    {"LOG_LEVEL", "verbose", false},
    {"LOG_FORMAT", "xml", false},
    {"ENABLE_AUDIT_LOG", "true", true},
    {"ENABLE_AUDIT_LOG", "yes", false},
    {"ENABLE_AUDIT_LOG", "1", false},
    {"AUDIT_LOG_TABLE", "no/slash", false},
    {"AUDIT_LOG_TTL_DAYS", "1", true},
    {"AUDIT_LOG_TTL_DAYS", "36500", true},
    {"AUDIT_LOG_TTL_DAYS", "0", false},
    {"AUDIT_LOG_TTL_DAYS", "36501", false},
    {"MAX_IN_FLIGHT", "1", true},
    {"MAX_IN_FLIGHT", "10000", true},
    {"MAX_IN_FLIGHT", "0", false},
    {"MAX_IN_FLIGHT", "10001", false},
    {"MAX_RATE", "100000", true},
    {"MAX_RATE", "0", false},
    {"MAX_RATE", "100001", false},
    {"MAX_RATE", "fast", false},
    {"MAX_RATE", "+5", false},
    {"MAX_RATE", " 5", false},
    {"MAX_RATE", "5 ", false},
    {"MAX_RATE", "5.0", false},
    {"MAX_RATE", "0x5", false},
    {"MAX_RATE", "18446744073709551621", false},
    {"VISIBILITY_TIMEOUT", "10", true},
    {"VISIBILITY_TIMEOUT", "43200", true},
    {"VISIBILITY_TIMEOUT", "9", false},
    {"VISIBILITY_TIMEOUT", "43201", false},
    {"MAX_ATTEMPTS", "1000", true},
    {"MAX_ATTEMPTS", "0", false},
    {"MAX_ATTEMPTS", "1001", false},
    {"SHUTDOWN_TIMEOUT", "3600", true},
    {"SHUTDOWN_TIMEOUT", "-1", false},
    {"SHUTDOWN_TIMEOUT", "3601", false},
    {"METRICS_ADDRESS", "0.0.0.0:1", true},
    {"METRICS_ADDRESS", "[::1]:9464", true},
    {"METRICS_ADDRESS", "OFF", true},
    {"METRICS_ADDRESS", "9464", false},
    {"METRICS_ADDRESS", "localhost:9464", false},
    {"METRICS_ADDRESS", "127.0.0.1:0", false},
    {"METRICS_ADDRESS", "127.0.0.1:65536", false},
    {"METRICS_ADDRESS", "::1:9464", false},
    {"METRICS_ADDRESS", "[::1]", false},
    {"METRICS_ADDRESS", "[]:1", false},
    {"METRICS_ADDRESS", ":1", false},
    {"METRICS_EMF", "-", true},
    {"METRICS_EMF", "figures.json", true},
    {"METRICS_EMF", "/tmp/", false},
};

static void a_value_is_taken_or_refused_by_a_sentence_that_names_setting_and_value(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct settings s;
        bool fine = READ(NEED_TABLE_AND_QUEUE, &s, values[i].name, values[i].value, "TABLE_NAME", "users", "QUEUE_URL",
                         "updates");
        if (fine != values[i].fine) {
            fail_msg("%s=%s: %s", values[i].name, values[i].value, logged);
        }
        if (!fine) {
            char expected[256];
            (void)snprintf(expected, sizeof expected, " ERROR %s is \"%.50s", values[i].name, values[i].value);
            assert_non_null(strstr(logged, expected));
            assert_non_null(strstr(logged, "; it may be "));
            assert_int_equal(lines_logged(), 1);
        }
    }
}

static void all_problems_are_told_at_once(void **state) {
    (void)state;
    struct settings s;
    assert_false(READ(NEED_TABLE_AND_QUEUE, &s, "MAX_RATE", "x", "LOG_LEVEL", "y", "MAX_ATTEMPTS", "z"));
    assert_int_equal(lines_logged(), 5);
    static const char *const names[] = {"MAX_RATE is", "LOG_LEVEL is", "MAX_ATTEMPTS is", "TABLE_NAME is not set",
                                        "QUEUE_URL is not set"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_non_null(strstr(logged, names[i]));
    }
}

static void what_a_value_may_be_is_spelt_out(void **state) {
    (void)state;
    struct settings s;
    assert_false(READ(NEED_TABLE, &s, "TABLE_NAME", "users", "MAX_RATE", "x", "LOG_LEVEL", "y"));
    assert_non_null(strstr(logged, "MAX_RATE is \"x\"; it may be a whole number from 1 to 100000"));
    assert_non_null(strstr(logged, "LOG_LEVEL is \"y\"; it may be DEBUG, INFO, WARNING or ERROR"));
}

static void an_empty_value_is_one_that_is_not_set(void **state) {
    (void)state;
    struct settings s;
    assert_true(READ(NEED_TABLE, &s, "TABLE_NAME", "users", "MAX_RATE", "", "LOG_LEVEL", "", "QUEUE_URL", ""));
    assert_int_equal(s.max_rate, 0);
    assert_int_equal(s.log_level, LOG_LEVEL_INFO);
    assert_null(s.queue);
    assert_false(READ(NEED_TABLE, &s, "TABLE_NAME", ""));
    assert_non_null(strstr(logged, "TABLE_NAME is not set"));
}

static void apply_needs_no_queue(void **state) {
    (void)state;
    struct settings s;
    assert_true(READ(NEED_TABLE, &s, "TABLE_NAME", "users"));
    assert_false(READ(NEED_TABLE_AND_QUEUE, &s, "TABLE_NAME", "users"));
    assert_non_null(strstr(logged, "QUEUE_URL is not set"));
}

static void a_queue_is_not_its_own_dlq(void **state) {
    (void)state;
    struct settings s;
    assert_false(READ(NEED_TABLE_AND_QUEUE, &s, "TABLE_NAME", "users", "QUEUE_URL", "q", "DLQ_URL", "q"));
    assert_non_null(strstr(logged, "DLQ_URL"));
}

static void a_url_that_may_hold_a_password_is_not_quoted(void **state) {
    (void)state;
    struct settings s;
    assert_false(READ(NEED_TABLE_AND_QUEUE, &s, "TABLE_NAME", "users", "QUEUE_URL", "https://me:hunter2@host/q"));
    assert_null(strstr(logged, "hunter2"));
    assert_non_null(strstr(logged, "QUEUE_URL"));
}

static void a_long_value_is_quoted_in_part(void **state) {
    (void)state;
    char value[2048];
    memset(value, 'x', sizeof value);
    value[59] = '\xC3';
    value[60] = '\xA4';
    value[sizeof value - 1] = '\0';
    struct settings s;
    assert_false(READ(NEED_TABLE, &s, "TABLE_NAME", value));
    assert_non_null(strstr(logged, "xxx...\"; it may be "));
    assert_null(strstr(logged, "\xC3"));
}

static void the_log_is_set_up_also_beside_bad_values(void **state) {
    (void)state;
    struct log log = test_log();
    struct environment environment =
        environment_of((const char *const[]){"LOG_FORMAT", "json", "LOG_LEVEL", "bad", "MAX_RATE", "bad", NULL});
    log.level = LOG_LEVEL_ERROR;
    settings_read_log(&environment, &log);
    assert_int_equal(log.format, LOG_FORMAT_JSON);
    assert_int_equal(log.level, LOG_LEVEL_INFO);
    assert_string_equal(logged, "");
}

static void ignore(void *ctx, bool faulty, unsigned line, const char *sentence) {
    (void)ctx, (void)faulty, (void)line, (void)sentence;
}

static bool names_fine(const char *text) {
    struct log log = test_log();
    struct settings_file file;
    assert_true(settings_file_parse(span_cstr(text), ignore, NULL, &file));
    bool fine = settings_check_names(&file, "x.conf", &log);
    settings_file_free(&file);
    return fine;
}

static void a_misspelt_name_in_the_file_is_an_error(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"TABLE_NAM=x", "TABLE_NAME"},
        {"MAX_INFLIGHT=5", "MAX_IN_FLIGHT"},
        {"table_name=x", "TABLE_NAME"},
        {"AWS_REGOIN=x", "AWS_REGION"},
        {"AWS_ACCES_KEY_ID=x", "AWS_ACCESS_KEY_ID"},
        {"AWS_ENDPOINT_URL_DYNAMO_DB=x", "AWS_ENDPOINT_URL_DYNAMODB"},
        {"DLQ_URLS=x", "DLQ_URL"},
        {"AWS_ENDPOINTS_URL=x", "AWS_ENDPOINT_URL"},
        {"ENABLE_AUDITLOG=true", "ENABLE_AUDIT_LOG"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char expected[128];
        (void)snprintf(expected, sizeof expected, "did you mean %s?", cases[i][1]);
        assert_false(names_fine(cases[i][0]));
        if (!strstr(logged, expected)) {
            fail_msg("%s: %s", cases[i][0], logged);
        }
        assert_non_null(strstr(logged, " ERROR x.conf:1: "));
    }
}

static void a_name_that_is_not_ours_is_warned_of(void **state) {
    (void)state;
    static const char *const cases[] = {"TZ=UTC",
                                        "HTTPS_PROXY=http://p:1",
                                        "no_proxy=localhost",
                                        "AWS_ENDPOINT_URL_SNS=x",
                                        "AWS_MAX_ATTEMPTS=3",
                                        "AWS_RETRY_MODE=x",
                                        "AWS_ENDPOINT_URL_KMS=x",
                                        "AWS_ENDPOINT_URL_S3=x",
                                        "LANG=C",
                                        "FUTURE_SETTING=1",
                                        "PATH=/bin",
                                        "AWS_EC2_METADATA_V1_DISABLED=true"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(names_fine(cases[i]));
        assert_non_null(strstr(logged, " WARNING x.conf:1: "));
        assert_int_equal(lines_logged(), 1);
    }
    assert_true(names_fine("TABLE_NAME=x\nAWS_REGION=y\n"));
    assert_string_equal(logged, "");
}

static void a_name_given_twice_is_warned_of_with_both_lines(void **state) {
    (void)state;
    assert_true(names_fine("TABLE_NAME=x\nMAX_RATE=5\nAWS_REGION=y\nMAX_RATE=6\nTABLE_NAME=x\nMAX_RATE=7\n"));
    assert_int_equal(lines_logged(), 3);
    assert_non_null(
        strstr(logged, " WARNING x.conf:4: MAX_RATE is given again; line 2 gives it as well, and the last one counts"));
    assert_non_null(strstr(logged, " WARNING x.conf:6: MAX_RATE is given again; line 4 "));
    assert_non_null(strstr(logged, " WARNING x.conf:5: TABLE_NAME is given again; line 1 "));
}

static void a_name_in_the_environment_that_is_close_to_ours_is_warned_of(void **state) {
    (void)state;
    char *const variables[] = {"TABLE_NAM=secret",
                               "QUEUE_URLS=secret",
                               "log_level=secret",
                               "PATH=/bin",
                               "TABLE_NAME=x",
                               "TZ=UTC",
                               "AWS_MAX_ATTEMPTS=3",
                               "AWS_ROLE_ARN=x",
                               "AWS_ENDPOINT_URL_S3=x",
                               "LESS=x",
                               "_=x",
                               "HOSTNAME=x",
                               "MAX_RATES",
                               NULL};
    struct log log = test_log();
    settings_check_environment(variables, &log);
    assert_int_equal(lines_logged(), 4);
    assert_non_null(
        strstr(logged, " WARNING There is no setting TABLE_NAM, which the environment has; did you mean TABLE_NAME?"));
    assert_non_null(strstr(logged, "QUEUE_URLS, which the environment has; did you mean QUEUE_URL?"));
    assert_non_null(strstr(logged, "log_level, which the environment has; did you mean LOG_LEVEL?"));
    assert_null(strstr(logged, "secret"));
}

static void what_can_change_is_taken_over_and_the_rest_is_named(void **state) {
    (void)state;
    struct environment before = environment_of((const char *const[]){"TABLE_NAME", "abc", "MAX_RATE", "5", "AWS_REGION",
                                                                     "x", "AWS_SECRET_ACCESS_KEY", "secret1", NULL});
    struct log log = test_log();
    struct settings settings, fresh;
    assert_true(settings_read(&before, NEED_TABLE, &log, &settings));
    struct environment after =
        environment_of((const char *const[]){"TABLE_NAME", "xyz", "MAX_IN_FLIGHT", "7", "LOG_LEVEL", "DEBUG",
                                             "AWS_SECRET_ACCESS_KEY", "secret2", "SHUTDOWN_TIMEOUT", "25", NULL});
    assert_true(settings_read(&after, NEED_TABLE, &log, &fresh));
    settings_take_over(&settings, &fresh, &before, &after, &log);
    assert_string_equal(settings.table_name, "abc");
    assert_int_equal(settings.max_rate, 0);
    assert_int_equal(settings.max_in_flight, 7);
    assert_int_equal(log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(lines_logged(), 4);
    assert_non_null(strstr(logged, "these have changed LOG_LEVEL=DEBUG MAX_IN_FLIGHT=7 MAX_RATE=none"));
    assert_non_null(strstr(logged, "needs a restart; until then it stays as it was setting=TABLE_NAME"));
    assert_non_null(strstr(logged, "setting=AWS_REGION"));
    assert_non_null(strstr(logged, "setting=AWS_SECRET_ACCESS_KEY"));
    assert_null(strstr(logged, "secret1"));
    assert_null(strstr(logged, "secret2"));
    log = test_log();
    settings_take_over(&settings, &fresh, &after, &after, &log);
    assert_int_equal(lines_logged(), 1);
    assert_non_null(strstr(logged, "none has changed"));
    log = test_log();
    settings_take_over(&settings, &fresh, &before, &after, &log);
    assert_int_equal(lines_logged(), 4);
    assert_non_null(strstr(logged, "none that can change without a restart has changed"));
}

static char *read_whole(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = (size_t)1024 * 1024;
    char *text = malloc(size);
    assert_non_null(text);
    size_t n = fread(text, 1, size - 1, file);
    text[n] = '\0';
    (void)fclose(file);
    return text;
}

static void the_sample_file_has_each_setting_with_its_default(void **state) {
    (void)state;
    char *sample = read_whole(SOURCE_DIR "/conf/table-updater.conf");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        static const char *const required[] = {"TABLE_NAME", "QUEUE_URL", "AWS_REGION"};
        bool is_required = false;
        for (size_t j = 0; j < ARRAY_LENGTH(required); j++) {
            is_required = is_required || strcmp(s->name, required[j]) == 0;
        }
        char line[256];
        (void)snprintf(line, sizeof line, "\n%s%s=%s%s", is_required ? "" : "#", s->name,
                       s->standard ? s->standard : "", s->parse ? "\n" : "");
        if (!strstr(sample, line)) {
            fail_msg("conf/table-updater.conf lacks the line:%s", line);
        }
    }
    struct log log = test_log();
    struct settings_file file;
    assert_true(settings_file_parse(span_cstr(sample), ignore, NULL, &file));
    assert_true(settings_check_names(&file, "sample", &log));
    assert_string_equal(logged, "");
    settings_file_free(&file);
    free(sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(every_setting_is_taken),
        cmocka_unit_test(a_value_is_taken_or_refused_by_a_sentence_that_names_setting_and_value),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(what_a_value_may_be_is_spelt_out),
        cmocka_unit_test(an_empty_value_is_one_that_is_not_set),
        cmocka_unit_test(apply_needs_no_queue),
        cmocka_unit_test(a_queue_is_not_its_own_dlq),
        cmocka_unit_test(a_url_that_may_hold_a_password_is_not_quoted),
        cmocka_unit_test(a_long_value_is_quoted_in_part),
        cmocka_unit_test(the_log_is_set_up_also_beside_bad_values),
        cmocka_unit_test(a_misspelt_name_in_the_file_is_an_error),
        cmocka_unit_test(a_name_that_is_not_ours_is_warned_of),
        cmocka_unit_test(a_name_given_twice_is_warned_of_with_both_lines),
        cmocka_unit_test(a_name_in_the_environment_that_is_close_to_ours_is_warned_of),
        cmocka_unit_test(the_sample_file_has_each_setting_with_its_default),
        cmocka_unit_test(what_can_change_is_taken_over_and_the_rest_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
