#include "rejects.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEMPLATE "/tmp/rejects.XXXXXX"

static char path[] = TEMPLATE;
static char text[100000];
static char why[REJECTS_WHY_SIZE];

static void put(const char *content) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(close(fd), 0);
}

static const char *content(void) {
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(close(fd), 0);
    return text;
}

/* Whether the row stood there already. */
static bool add(struct rejects *r, uint64_t line, const char *file, struct span row) {
    struct failure failure;
    bool known = false;
    failure_init(&failure);
    failure_set(&failure, ERROR_INVALID_INPUT, "bad");
    const struct reject reject = {.file = file, .line = line, .failure = &failure, .row = row};
    assert_true(rejects_add(r, &reject, &known, why));
    failure_free(&failure);
    return known;
}

static void open_file(struct rejects *r, bool goes_on, uint64_t from) {
    if (!rejects_open(r, path, goes_on, from, why)) {
        fail_msg("%s", why);
    }
}

static void close_file(struct rejects *r) {
    assert_true(rejects_flush(r, true, why));
    rejects_close(r);
}

#define ERROR_OF                                                                                                       \
    "\"error\":{\"success\":false,\"error\":\"InvalidInputError\",\"message\":\"bad\",\"details\":{},"                 \
    "\"timestamp\":\"1970-01-01T00:00:00.000Z\"}"

static void a_row_is_an_object_on_a_line(void **state) {
    (void)state;
    struct rejects r;
    put("");
    open_file(&r, false, 1);
    assert_false(add(&r, 7, NULL, SPAN("{\"a\":\n1}")));
    assert_false(add(&r, 8, "b.csv", SPAN("x\xFF\xC3(\0y\xE2\x82")));
    close_file(&r);
    assert_string_equal(content(), "{\"line\":7," ERROR_OF ",\"row\":\"{\\\"a\\\":\\n1}\"}\n"
                                   "{\"line\":8,\"file\":\"b.csv\"," ERROR_OF
                                   ",\"row\":\"x\xEF\xBF\xBD\xEF\xBF\xBD(\\u0000y\xEF\xBF\xBD\"}\n");
}

static void what_stands_there_stays(void **state) {
    (void)state;
    struct rejects r;
    put("{\"line\":7,old}\n{\"line\":8,to");
    open_file(&r, false, 1);
    assert_false(add(&r, 7, NULL, SPAN("x")));
    close_file(&r);
    assert_memory_equal(content(), "{\"line\":7,old}\n{\"line\":8,to\n{\"line\":7,", 38);
}

static void a_job_that_goes_on_writes_no_row_twice(void **state) {
    (void)state;
    struct rejects r;
    put("{\"line\":3,a}\n{\"line\":20,b}\n{\"line\":9,c}\n{\"line\":30,torn");
    open_file(&r, true, 9);
    assert_true(add(&r, 9, NULL, SPAN("x")));
    assert_true(add(&r, 20, NULL, SPAN("x")));
    assert_false(add(&r, 30, NULL, SPAN("x")));
    close_file(&r);
    const char *left = content();
    assert_memory_equal(left, "{\"line\":3,a}\n{\"line\":20,b}\n{\"line\":9,c}\n{\"line\":30,\"error\"", 58);
    assert_null(strstr(left, "torn"));
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    struct rejects r;
    assert_true(rejects_open(&r, "/dev/full", false, 1, why));
    assert_false(add(&r, 1, NULL, SPAN("x")));
    assert_false(rejects_flush(&r, false, why));
    assert_string_equal(why, "The file of rejected rows, /dev/full, can't be written: No space left on device");
    rejects_close(&r);
    assert_false(rejects_open(&r, "/nowhere/x", false, 1, why));
    assert_non_null(strstr(why, "can't be opened: No such file"));
    rejects_close(&r);
}

static void one_file_has_many_names(void **state) {
    (void)state;
    char name[sizeof path + 10];
    put("");
    (void)snprintf(name, sizeof name, "/tmp/../%s", path + 1);
    assert_true(rejects_same_file(path, name));
    assert_false(rejects_same_file(path, "/dev/null"));
    assert_false(rejects_same_file(path, "/nowhere/x"));
}

static int make_file(void **state) {
    (void)state;
    memcpy(path, TEMPLATE, sizeof path); /* it may be made more than once */
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_an_object_on_a_line),
        cmocka_unit_test(what_stands_there_stays),
        cmocka_unit_test(a_job_that_goes_on_writes_no_row_twice),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(one_file_has_many_names),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
