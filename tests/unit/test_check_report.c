#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_lines.h"

static void a_line_is_status_thing_and_what_to_do(void **state) {
    (void)state;
    struct report_lines l;
    report_lines_begin(&l, false);
    check_fine(&l.report, "region", NULL, "%s", "eu-west-1");
    check_warn(&l.report, "table", "users", "Turn it on", "recovery is off");
    check_problem(&l.report, EXIT_SETTINGS, "queue", "dead", NULL, "it is none");
    assert_string_equal(l.text, "ok       region: eu-west-1\n"
                                "warning  table users: recovery is off. Turn it on\n"
                                "problem  queue dead: it is none\n");
    assert_int_equal(l.report.fine, 1);
    assert_int_equal(l.report.warnings, 1);
    assert_int_equal(l.report.problems, 1);
    report_lines_end(&l);
}

static void for_programs_a_line_is_an_object(void **state) {
    (void)state;
    struct report_lines l;
    report_lines_begin(&l, true);
    check_fine(&l.report, "region", NULL, "eu-west-1");
    check_warn(&l.report, "table", "a\"b", "Turn \\ on", "off");
    assert_string_equal(l.text, "{\"status\":\"ok\",\"check\":\"region\",\"what\":\"eu-west-1\"}\n"
                                "{\"status\":\"warning\",\"check\":\"table\",\"subject\":\"a\\\"b\",\"what\":\"off\","
                                "\"mend\":\"Turn \\\\ on\"}\n");
    report_lines_end(&l);
}

static void whatever_a_service_says_a_line_stays_one_line(void **state) {
    (void)state;
    struct report_lines l;
    report_lines_begin(&l, false);
    check_problem(&l.report, EXIT_SETTINGS, "table", "a\nok b", NULL, "%s", "one\ntwo \x1b[2J\xff \xe2\x80\xae");
    assert_string_equal(l.text, "problem  table a\\nok b: one\\ntwo \\u001b[2J\xef\xbf\xbd \\u202e\n");
    report_lines_end(&l);
}

static void the_worst_of_all_problems_decides(void **state) {
    (void)state;
    struct report_lines l;
    report_lines_begin(&l, false);
    check_warn(&l.report, "a", NULL, NULL, "b");
    assert_int_equal(l.report.code, EXIT_FINE);
    check_problem(&l.report, EXIT_UNREACHABLE, "a", NULL, NULL, "b");
    assert_int_equal(l.report.code, EXIT_UNREACHABLE);
    check_problem(&l.report, EXIT_SETTINGS, "a", NULL, NULL, "b");
    check_problem(&l.report, EXIT_NOT_PERMITTED, "a", NULL, NULL, "b");
    assert_int_equal(l.report.code, EXIT_SETTINGS);
    report_lines_end(&l);
}

static void an_event_of_the_log_is_a_line_with_its_fields(void **state) {
    (void)state;
    struct report_lines l;
    const struct log_field fields[] = {LOG_C("file", "/x"), LOG_I("line", 3), {NULL, {NULL, 0}, 0}};
    report_lines_begin(&l, false);
    check_event(&l.report, EXIT_SETTINGS, "setting", LOG_LEVEL_WARNING, "It is given twice", fields);
    check_event(&l.report, EXIT_SETTINGS, "setting", LOG_LEVEL_ERROR, "It is bad", NULL);
    assert_string_equal(l.text, "warning  setting: It is given twice (file: /x, line: 3)\n"
                                "problem  setting: It is bad\n");
    assert_int_equal(l.report.code, EXIT_SETTINGS);
    report_lines_end(&l);
}

static void output_that_fails_is_remembered(void **state) {
    (void)state;
    struct check_report r = {.out = fopen("/dev/full", "w")};
    assert_non_null(r.out);
    check_fine(&r, "a", NULL, "b");
    assert_true(r.broken);
    assert_int_not_equal(r.error, 0);
    (void)fclose(r.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_status_thing_and_what_to_do),
        cmocka_unit_test(for_programs_a_line_is_an_object),
        cmocka_unit_test(whatever_a_service_says_a_line_stays_one_line),
        cmocka_unit_test(the_worst_of_all_problems_decides),
        cmocka_unit_test(an_event_of_the_log_is_a_line_with_its_fields),
        cmocka_unit_test(output_that_fails_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
