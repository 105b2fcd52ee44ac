#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "process_figures.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void the_kernels_figures_are_those_of_this_process(void **state) {
    (void)state;
    struct metrics before, after;
    struct rusage used;
    struct rlimit limit;
    metrics_init(&before);
    metrics_init(&after);
    process_figures(&before);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    process_figures(&after);
    close(fd);
    assert_int_equal(after.open_files, before.open_files + 1);
    assert_true(before.open_files >= 3);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(after.max_files == (int64_t)limit.rlim_cur);
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    int64_t cpu =
        (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * MICROSECONDS + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    assert_in_range(after.cpu_time + 100 * MILLISECOND, cpu > 50 * MILLISECOND ? cpu - 50 * MILLISECOND : 0,
                    cpu + 300 * MILLISECOND);
    assert_in_range(after.resident_bytes, 100000, after.virtual_bytes);
    int64_t age = (int64_t)time(NULL) * MICROSECONDS - after.started_at;
    assert_in_range(age + 5 * MICROSECONDS, 0, 120 * MICROSECONDS);
    assert_true(before.started_at == after.started_at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernels_figures_are_those_of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
