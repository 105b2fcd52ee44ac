#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUCH ((size_t)1024 * 1024)

static const char much[MUCH];

static void a_full_pipe_takes_what_fits_and_is_never_waited_for(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct output output = output_of(ends[1]);
    assert_int_equal(output.kind, OUTPUT_STREAM);
    size_t total = 0, count = 1;
    while (count > 0) {
        assert_int_equal(output_write(&output, span_of(much, MUCH), &count), OUTPUT_TOOK);
        total += count;
    }
    assert_true(total > 0 && total < MUCH);
    char piece[8192];
    assert_int_equal(read(ends[0], piece, sizeof piece), sizeof piece);
    assert_int_equal(output_write(&output, span_of(much, MUCH), &count), OUTPUT_TOOK);
    assert_true(count > 0 && count <= sizeof piece);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_pipe_without_a_reader_is_closed(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[0]);
    struct output output = output_of(ends[1]);
    size_t count = 7;
    assert_int_equal(output_write(&output, SPAN("x"), &count), OUTPUT_CLOSED);
    assert_int_equal(count, 7);
    (void)close(ends[1]);
}

static void a_socket_takes_what_fits_and_then_nothing(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct output output = output_of(ends[1]);
    assert_int_equal(output.kind, OUTPUT_SOCKET);
    size_t total = 0, count = 1;
    while (count > 0) {
        assert_int_equal(output_write(&output, span_of(much, MUCH), &count), OUTPUT_TOOK);
        total += count;
    }
    assert_true(total > 0);
    (void)close(ends[0]);
    assert_int_equal(output_write(&output, SPAN("x"), &count), OUTPUT_CLOSED);
    (void)close(ends[1]);
}

static void a_file_takes_a_bounded_piece_at_a_time(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    struct output output = output_of(fileno(file));
    assert_int_equal(output.kind, OUTPUT_FILE);
    size_t count = 0;
    assert_int_equal(output_write(&output, span_of(much, MUCH), &count), OUTPUT_TOOK);
    assert_true(count > 0 && count < MUCH);
    assert_int_equal(output_write(&output, SPAN(""), &count), OUTPUT_TOOK);
    assert_int_equal(count, 0);
    (void)fclose(file);
}

static void a_device_that_is_full_has_failed(void **state) {
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        skip();
    }
    struct output output = output_of(fd);
    size_t count = 0;
    assert_int_equal(output_write(&output, SPAN("x"), &count), OUTPUT_FAILED);
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_takes_what_fits_and_is_never_waited_for),
        cmocka_unit_test(a_pipe_without_a_reader_is_closed),
        cmocka_unit_test(a_socket_takes_what_fits_and_then_nothing),
        cmocka_unit_test(a_file_takes_a_bounded_piece_at_a_time),
        cmocka_unit_test(a_device_that_is_full_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
