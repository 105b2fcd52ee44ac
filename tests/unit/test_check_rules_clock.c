#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check_rules.h"
#include "clock.h"
#include "report_lines.h"

static void a_clock_is_told_by_how_far_it_is_off(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        const char *part;
    } cases[] = {
        {0, "ok       clock: within 1 s of AWS's\n"},
        {-4, "ok       clock: within 4 s of AWS's\n"},
        {6, "warning  clock: 6 s behind AWS's: times in the log are wrong by so much. Set the clock"},
        {-239, "warning  clock: 239 s ahead of AWS's: times"},
        {-300,
         "warning  clock: 300 s ahead of AWS's, which refuses such signatures: requests are signed with its time"},
        {86400, "warning  clock: 86400 s behind AWS's, which refuses"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct report_lines l;
        report_lines_begin(&l, false);
        check_clock_rule(&l.report, cases[i].seconds * MICROSECONDS);
        report_lines_expect(&l, i, cases[i].part);
        assert_int_equal(l.report.code, EXIT_FINE);
        report_lines_end(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_clock_is_told_by_how_far_it_is_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
