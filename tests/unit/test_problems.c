#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "problems.h"

#include <string.h>

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})

static void errors_are_kept_and_without_any_the_last_warning(void **state) {
    (void)state;
    struct problems problems = {.errors = ""};
    assert_non_null(strstr(problems_sentence(&problems), "can't start"));
    (void)problems_overhear(&problems, LOG_LEVEL_INFO, "Started", NULL);
    (void)problems_overhear(&problems, LOG_LEVEL_WARNING, "Old", NULL);
    (void)problems_overhear(&problems, LOG_LEVEL_WARNING, "Waiting",
                            FIELDS(LOG_C("why", "refused"), LOG_I("status", 0)));
    assert_string_equal(problems_sentence(&problems), "Waiting (why: refused, status: 0)");
    (void)problems_overhear(&problems, LOG_LEVEL_ERROR, "TABLE_NAME is not set", NULL);
    (void)problems_overhear(&problems, LOG_LEVEL_ERROR, "No such table", FIELDS(LOG_C("given", "x")));
    assert_string_equal(problems_sentence(&problems), "TABLE_NAME is not set\nNo such table (given: x)");
}

static void what_is_too_much_is_cut(void **state) {
    (void)state;
    struct problems problems = {.errors = ""};
    for (unsigned i = 0; i < 500; i++) {
        (void)problems_overhear(&problems, LOG_LEVEL_ERROR, "The same again", FIELDS(LOG_I("number", i)));
    }
    assert_true(strlen(problems.errors) < sizeof problems.errors);
    assert_non_null(strstr(problems.errors, "(number: 20)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_kept_and_without_any_the_last_warning),
        cmocka_unit_test(what_is_too_much_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
