#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct child_process *child;
    unsigned ended, lines;
    enum child_end end;
    int code;
    char output[256], errors[256];
};

static void complained(void *user, struct span line) {
    struct fixture *f = user;
    size_t len = strlen(f->errors);
    f->lines++;
    (void)snprintf(f->errors + len, sizeof f->errors - len, "[%.*s]", (int)line.len, line.data);
}

static void done(void *user, const struct child_result *result) {
    struct fixture *f = user;
    f->ended++;
    f->end = result->end;
    f->code = result->code;
    (void)snprintf(f->output, sizeof f->output, "%.*s", (int)result->output.len, result->output.data);
    loop_stop(f->loop);
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)signal(SIGPIPE, SIG_IGN);
    f->loop = loop_new();
    assert_non_null(f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    child_process_free(f->child);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void run(struct fixture *f, const char *script, int64_t timeout) {
    char shell[] = "/bin/sh", dash_c[] = "-c";
    char *text = strdup(script);
    assert_non_null(text);
    char *const argv[] = {shell, dash_c, text, NULL};
    const struct child_options options = {
        .argv = argv, .timeout = timeout, .max_output = 200, .complained = complained, .done = done, .user = f};
    int error = 0;
    child_process_free(f->child);
    f->ended = f->lines = 0;
    f->output[0] = f->errors[0] = '\0';
    f->child = child_process_start(f->loop, &options, &error);
    assert_non_null(f->child);
    free(text);
    assert_true(loop_run(f->loop));
    assert_int_equal(f->ended, 1);
}

#define LONG (600 * MICROSECONDS)

static void what_it_writes_and_how_it_ends_is_told(void **state) {
    struct fixture *f = *state;
    run(f, "echo out; echo one >&2; printf two >&2; exit 3", LONG);
    assert_int_equal(f->end, CHILD_EXITED);
    assert_int_equal(f->code, 3);
    assert_string_equal(f->output, "out\n");
    assert_string_equal(f->errors, "[one][two]");
    run(f, "kill -9 $$", LONG);
    assert_int_equal(f->end, CHILD_SIGNALED);
    assert_int_equal(f->code, SIGKILL);
}

static void its_input_is_empty_and_its_signals_are_the_usual(void **state) {
    struct fixture *f = *state;
    run(f, "cat; grep SigIgn /proc/self/status", LONG);
    const char *mask = strstr(f->output, "SigIgn:");
    assert_non_null(mask);
    assert_int_equal(strtoull(mask + 7, NULL, 16) >> (SIGPIPE - 1) & 1, 0);
    /* No descriptors but its own three; ls opens one more to look. */
    run(f, "ls /proc/self/fd | wc -l", LONG);
    assert_string_equal(f->output, "4\n");
}

static void one_that_takes_too_long_is_killed_with_its_children(void **state) {
    struct fixture *f = *state;
    /* On a busy machine it may be killed before it has said anything. */
    for (int64_t timeout = 300 * MILLISECOND; f->output[0] == '\0'; timeout *= 2) {
        assert_true(timeout < LONG);
        run(f, "sleep 1000 & echo $!; sleep 1000", timeout);
        assert_int_equal(f->end, CHILD_TIMED_OUT);
    }
    pid_t grandchild = (pid_t)strtol(f->output, NULL, 10);
    assert_true(grandchild > 0);
    int fd = pidfd_open(grandchild, 0);
    if (fd >= 0) {
        struct pollfd dead = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&dead, 1, -1), 1);
        (void)close(fd);
    }
}

static void one_that_floods_is_killed(void **state) {
    struct fixture *f = *state;
    run(f, "while :; do echo 0123456789; done", LONG);
    assert_int_equal(f->end, CHILD_FLOODED);
    run(f, "i=0; while [ $i -lt 1000 ]; do echo x >&2; i=$((i+1)); done", LONG);
    assert_int_equal(f->end, CHILD_EXITED);
    assert_int_equal(f->lines, 50);
}

static void who_holds_its_output_open_is_not_waited_for(void **state) {
    struct fixture *f = *state;
    run(f, "sleep 1000 & echo $!", LONG);
    assert_int_equal(f->end, CHILD_EXITED);
    pid_t grandchild = (pid_t)strtol(f->output, NULL, 10);
    assert_int_equal(kill(grandchild, SIGKILL), 0);
}

static void a_program_that_is_not_there_is_told_at_once(void **state) {
    struct fixture *f = *state;
    char name[] = "/no/such/program";
    char *const argv[] = {name, NULL};
    const struct child_options options = {
        .argv = argv, .timeout = LONG, .max_output = 100, .complained = complained, .done = done, .user = f};
    int error = 0;
    assert_null(child_process_start(f->loop, &options, &error));
    assert_int_equal(error, ENOENT);
}

static void one_that_is_freed_is_killed_without_a_word(void **state) {
    struct fixture *f = *state;
    char sleep[] = "sleep", seconds[] = "1000";
    char *const argv[] = {sleep, seconds, NULL};
    const struct child_options options = {
        .argv = argv, .timeout = LONG, .max_output = 100, .complained = complained, .done = done, .user = f};
    int error = 0;
    struct child_process *child = child_process_start(f->loop, &options, &error);
    assert_non_null(child);
    child_process_free(child);
    assert_false(loop_run(f->loop));
    assert_int_equal(f->ended, 0);
    child_process_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_writes_and_how_it_ends_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_input_is_empty_and_its_signals_are_the_usual, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_takes_too_long_is_killed_with_its_children, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_floods_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_holds_its_output_open_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_told_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_freed_is_killed_without_a_word, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
