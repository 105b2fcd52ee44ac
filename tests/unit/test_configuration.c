#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "configuration.h"
#include "kept_log.h"
#include "settings.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Loads a file with this text. */
static bool load(const char *text, struct configuration *ret_configuration) {
    char path[] = "/tmp/test-configuration-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    struct log log = test_log();
    bool fine = configuration_load(path, true, NULL, &log, ret_configuration);
    (void)unlink(path);
    return fine;
}

static void what_it_says_of_the_log_holds_for_what_is_said_of_it(void **state) {
    (void)state;
    struct configuration c;
    assert_true(load("no assignment\nTZ=UTC\nLOG_FORMAT=json\nTABLE_NAM=x\n", &c));
    assert_true(c.faulty);
    configuration_free(&c);
    unsigned lines = 0;
    for (const char *at = logged; *at; at = strchr(at, '\n') + 1, lines++)
        assert_int_equal(*at, '{');
    assert_int_equal(lines, 3);
    assert_true(load("no assignment\nTZ=UTC\nLOG_LEVEL=ERROR\nTABLE_NAM=x\n", &c));
    configuration_free(&c);
    assert_null(strstr(logged, "TZ"));
    assert_non_null(strstr(logged, "did you mean TABLE_NAME?"));
}

static void the_environment_stands_before_the_file(void **state) {
    (void)state;
    struct configuration c;
    assert_true(load("MAX_RATE=5\nLOG_LEVEL=DEBUG\nQUEUE_URL=q\n", &c));
    assert_false(c.faulty);
    assert_int_equal(setenv("MAX_RATE", "7", 1), 0);
    assert_int_equal(setenv("QUEUE_URL", "", 1), 0);
    assert_int_equal(unsetenv("LOG_LEVEL"), 0);
    struct environment e = configuration_environment(&c);
    assert_string_equal(environment_get(&e, "MAX_RATE"), "7");
    assert_string_equal(environment_get(&e, "LOG_LEVEL"), "DEBUG");
    assert_null(environment_get(&e, "QUEUE_URL"));
    assert_null(environment_get(&e, "DLQ_URL"));
    configuration_free(&c);
    assert_int_equal(unsetenv("MAX_RATE"), 0);
    assert_int_equal(unsetenv("QUEUE_URL"), 0);
}

static void all_faults_of_a_file_are_told_with_their_lines(void **state) {
    (void)state;
    struct configuration c;
    assert_true(load("export A=1\nMAX_RAET=5\nTABLE_NAME=users\n", &c));
    assert_true(c.faulty);
    assert_non_null(strstr(logged, ":1: "));
    assert_non_null(strstr(logged, ":2: there is no setting MAX_RAET; did you mean MAX_RATE?"));
    assert_string_equal(settings_file_get(&c.file, "TABLE_NAME"), "users");
    configuration_free(&c);
}

static void a_file_that_cannot_be_read_is_told_with_its_name_and_reason(void **state) {
    (void)state;
    struct log log = test_log();
    struct configuration c;
    assert_false(configuration_load("/nonexistent/x.conf", true, NULL, &log, &c));
    assert_non_null(strstr(logged, "/nonexistent/x.conf"));
    assert_non_null(strstr(logged, "No such file"));
    assert_false(configuration_load("/tmp", true, NULL, &log, &c));
    assert_non_null(strstr(logged, "Is a directory"));
    assert_false(configuration_load("/dev/zero", true, NULL, &log, &c));
    assert_non_null(strstr(logged, "File too large"));
}

/* Writes the second half once the first was read. */
static void write_in_halves(int fd) {
    static const char *const halves[] = {"QUEUE_URL=https://sqs.eu-west-1.", "amazonaws.com/1/q\nTABLE_NAME=t\n"};
    for (size_t i = 0; i < 2; i++) {
        int unread = 1;
        if (write(fd, halves[i], strlen(halves[i])) != (ssize_t)strlen(halves[i]))
            _exit(1);
        while (unread > 0 && ioctl(fd, FIONREAD, &unread) == 0)
            (void)sched_yield();
    }
    _exit(0);
}

static void a_pipe_is_read_to_its_end_however_slowly_it_is_filled(void **state) {
    (void)state;
    int ends[2], status = 1;
    char path[32];
    struct log log = test_log();
    struct configuration c;
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    /* Under way nobody waits for a writer. */
    assert_false(configuration_load(path, false, NULL, &log, &c));
    assert_non_null(strstr(logged, "temporarily unavailable"));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_in_halves(ends[1]);
    (void)close(ends[1]);
    bool fine = configuration_load(path, true, NULL, &log, &c);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(fine && status == 0);
    assert_string_equal(configuration_origin(&c, "QUEUE_URL").value, "https://sqs.eu-west-1.amazonaws.com/1/q");
    assert_string_equal(configuration_origin(&c, "TABLE_NAME").value, "t");
    configuration_free(&c);
}

static void names_that_are_not_ours_go_to_the_environment_unless_they_are_there(void **state) {
    (void)state;
    struct configuration c;
    assert_int_equal(unsetenv("UNIT_TEST_PROXY"), 0);
    assert_int_equal(unsetenv("MAX_RATE"), 0);
    assert_int_equal(setenv("UNIT_TEST_ZONE", "old", 1), 0);
    assert_true(load("UNIT_TEST_PROXY=first\nUNIT_TEST_PROXY=p\nUNIT_TEST_ZONE=new\nMAX_RATE=5\n", &c));
    assert_true(configuration_export(&c));
    assert_string_equal(getenv("UNIT_TEST_PROXY"), "p");
    assert_string_equal(getenv("UNIT_TEST_ZONE"), "old");
    assert_null(getenv("MAX_RATE"));
    configuration_free(&c);
}

static void options_stand_before_the_environment_and_the_file(void **state) {
    (void)state;
    const char *options[SETTINGS_MAX] = {NULL};
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        options[i] = strcmp(SETTINGS[i].name, "MAX_RATE") == 0  ? "9"
                     : strcmp(SETTINGS[i].name, "DLQ_URL") == 0 ? ""
                                                                : NULL;
    }
    struct configuration c;
    assert_true(load("MAX_RATE=5\nDLQ_URL=q\nQUEUE_URL=q\n", &c));
    c.options = options;
    assert_int_equal(setenv("MAX_RATE", "7", 1), 0);
    struct environment e = configuration_environment(&c);
    assert_string_equal(environment_get(&e, "MAX_RATE"), "9");
    assert_null(environment_get(&e, "DLQ_URL"));
    assert_string_equal(environment_get(&e, "QUEUE_URL"), "q");
    configuration_free(&c);
    assert_int_equal(unsetenv("MAX_RATE"), 0);
}

/* The service manager puts the file into the environment at the start, and never again. */
static void what_the_environment_has_from_the_file_of_the_start_follows_the_file(void **state) {
    (void)state;
    struct configuration started, fresh;
    assert_true(load("MAX_RATE=5\nMAX_ATTEMPTS=3\nDLQ_URL=q\n", &started));
    assert_true(load("MAX_RATE=6\nMAX_ATTEMPTS=4\n", &fresh));
    fresh.started = &started.file;
    assert_int_equal(setenv("MAX_RATE", "5", 1), 0);
    assert_int_equal(setenv("MAX_ATTEMPTS", "9", 1), 0);
    assert_int_equal(setenv("DLQ_URL", "q", 1), 0);
    struct environment e = configuration_environment(&fresh);
    assert_string_equal(environment_get(&e, "MAX_RATE"), "6");
    assert_string_equal(environment_get(&e, "MAX_ATTEMPTS"), "9");
    assert_null(environment_get(&e, "DLQ_URL"));
    configuration_free(&started);
    configuration_free(&fresh);
    assert_int_equal(unsetenv("MAX_RATE") + unsetenv("MAX_ATTEMPTS") + unsetenv("DLQ_URL"), 0);
}

static void each_value_knows_who_gives_it(void **state) {
    (void)state;
    const char *options[SETTINGS_MAX] = {NULL};
    struct configuration c;
    assert_true(load("# x\nMAX_RATE=5\nTABLE_NAME=a\n\nTABLE_NAME=b\nDLQ_URL=d\n", &c));
    c.options = options;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        options[i] = strcmp(SETTINGS[i].name, "MAX_ATTEMPTS") == 0 ? "3" : NULL;
    }
    assert_int_equal(setenv("MAX_RATE", "7", 1), 0);
    assert_int_equal(setenv("MAX_ATTEMPTS", "7", 1), 0);
    struct setting_origin o = configuration_origin(&c, "MAX_ATTEMPTS");
    assert_true(o.by == SETTING_BY_OPTION && strcmp(o.value, "3") == 0);
    o = configuration_origin(&c, "MAX_RATE");
    assert_true(o.by == SETTING_BY_ENVIRONMENT && strcmp(o.value, "7") == 0);
    o = configuration_origin(&c, "TABLE_NAME");
    assert_true(o.by == SETTING_BY_FILE && strcmp(o.value, "b") == 0);
    assert_int_equal(o.line, 5);
    o = configuration_origin(&c, "QUEUE_URL");
    assert_true(o.by == SETTING_NOWHERE && !o.value);
    configuration_free(&c);
    assert_int_equal(unsetenv("MAX_RATE"), 0);
    assert_int_equal(unsetenv("MAX_ATTEMPTS"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_knows_who_gives_it),
        cmocka_unit_test(what_it_says_of_the_log_holds_for_what_is_said_of_it),
        cmocka_unit_test(the_environment_stands_before_the_file),
        cmocka_unit_test(all_faults_of_a_file_are_told_with_their_lines),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told_with_its_name_and_reason),
        cmocka_unit_test(a_pipe_is_read_to_its_end_however_slowly_it_is_filled),
        cmocka_unit_test(names_that_are_not_ours_go_to_the_environment_unless_they_are_there),
        cmocka_unit_test(options_stand_before_the_environment_and_the_file),
        cmocka_unit_test(what_the_environment_has_from_the_file_of_the_start_follows_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
