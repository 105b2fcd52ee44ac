/* Runs a unit test's tests one by one, and ends behind the one in which a call failed: the others have nothing to say.
 */
#include "failing_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);

#define TESTS_MAX 256

/* A test, and the processor's time that it takes. */
struct timed {
    size_t index;
    clock_t took;
};

static int quicker(const void *a, const void *b) {
    const struct timed *one = a, *other = b;
    return (one->took > other->took) - (one->took < other->took);
}

/* The quickest first where the runs fork: each stack is tried where that costs least. Else as they stand, for calls are
 * known by number. */
static void put_in_order(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                         CMFixtureFunction teardown, struct timed order[TESTS_MAX]) {
    for (size_t i = 0; i < count; i++)
        order[i] = (struct timed){.index = i};
    if (!getenv("TORTURE_FORK"))
        return;
    (void)failing_calls_end();
    for (size_t i = 0; i < count; i++) {
        clock_t start = clock();
        (void)__real__cmocka_run_group_tests(name, &tests[i], 1, setup, teardown);
        order[i].took = clock() - start;
    }
    qsort(order, count, sizeof order[0], quicker);
    failing_calls_begin(0);
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown) {
    const char *wanted = getenv("TORTURE_TEST");
    struct timed order[TESTS_MAX];
    int failed = 0;
    if (count > TESTS_MAX)
        abort();
    put_in_order(name, tests, count, setup, teardown, order);
    for (size_t i = 0; i < count; i++) {
        const struct CMUnitTest *test = &tests[order[i].index];
        if (wanted && strcmp(wanted, test->name) != 0)
            continue;
        failing_calls_test(test->name);
        failed += __real__cmocka_run_group_tests(name, test, 1, setup, teardown);
        if (failing_calls_failed())
            exit(failed);
    }
    return failed;
}

/* What a test and its world call instead of abort(), where they themselves get no memory or no digest. */
_Noreturn void test_gives_up(void);
_Noreturn void test_gives_up(void) {
    (void)printf("[  FAILED  ] its world can't be made\n");
    (void)fflush(stdout);
    _exit(1);
}
