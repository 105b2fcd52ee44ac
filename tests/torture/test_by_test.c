/* Runs a unit test's tests one by one, and ends behind the one in which a call failed: the others have nothing to say. */
#include "failing_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                                   CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                                   CMFixtureFunction teardown);

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                                   CMFixtureFunction teardown) {
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        failed += __real__cmocka_run_group_tests(name, &tests[i], 1, setup, teardown);
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
