#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[128];

static int set_up(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/line-file.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/rows", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void assert_content(const char *expected) {
    char text[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(close(fd), 0);
    assert_string_equal(text, expected);
}

static void lines_are_there_once_it_is_synced_or_closed(void **state) {
    (void)state;
    struct line_file f;
    assert_true(line_file_open(&f, path));
    line_file_append(&f, SPAN("one"));
    assert_content("");
    assert_true(line_file_sync(&f));
    assert_content("one\n");
    line_file_append(&f, SPAN(""));
    assert_true(line_file_close(&f));
    assert_content("one\n\n");
    assert_true(line_file_close(&f));
}

static void what_was_there_is_gone(void **state) {
    (void)state;
    struct line_file f;
    assert_true(line_file_open(&f, path));
    line_file_append(&f, SPAN("one"));
    line_file_append(&f, SPAN("two"));
    assert_true(line_file_close(&f));
    assert_true(line_file_open(&f, path));
    line_file_append(&f, SPAN("three"));
    assert_true(line_file_close(&f));
    assert_content("three\n");
}

static void a_full_disk_is_told_and_nothing_is_written_behind_the_gap(void **state) {
    (void)state;
    struct line_file f;
    assert_true(line_file_open(&f, "/dev/full"));
    line_file_append(&f, SPAN("one"));
    assert_false(line_file_sync(&f));
    assert_int_equal(f.error, ENOSPC);
    line_file_append(&f, SPAN("two"));
    assert_int_equal(f.buffer.len, 0);
    assert_false(line_file_close(&f));
}

static void a_folder_that_is_not_there_is_told(void **state) {
    (void)state;
    struct line_file f;
    assert_false(line_file_open(&f, "/tmp/there-is-no-such-folder/rows"));
    assert_int_equal(errno, ENOENT);
    assert_true(line_file_close(&f));
}

static void without_a_file_lines_go_nowhere(void **state) {
    (void)state;
    struct line_file f;
    line_file_none(&f);
    line_file_append(&f, SPAN("one"));
    assert_true(line_file_sync(&f));
    assert_true(line_file_close(&f));
}

static void many_lines_take_little_memory(void **state) {
    (void)state;
    struct line_file f;
    static char line[1000];
    memset(line, 'x', sizeof line);
    assert_true(line_file_open(&f, path));
    for (int i = 0; i < 1000; i++) {
        line_file_append(&f, span_of(line, sizeof line));
        assert_true(f.buffer.capacity <= (size_t)256 * 1024);
    }
    assert_true(line_file_close(&f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_there_once_it_is_synced_or_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_there_is_gone, set_up, tear_down),
        cmocka_unit_test(a_full_disk_is_told_and_nothing_is_written_behind_the_gap),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(without_a_file_lines_go_nowhere),
        cmocka_unit_test_setup_teardown(many_lines_take_little_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
