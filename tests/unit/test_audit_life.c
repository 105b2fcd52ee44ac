#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_life.h"

#include "clock.h"

#include <string.h>

#define DAY (86400 * MICROSECONDS)
#define BEGAN (20000 * DAY)

static void learn(struct audit_life *life, int64_t written, int64_t expires) {
    const struct audit_look look = {.state = AUDIT_FOUND, .written = written, .expires = expires};
    audit_life_learn(life, &look);
}

static void where_nothing_is_removed_what_is_missing_was_never_there(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_OFF, 30, 0);
    assert_true(audit_life_is_certain(&life, BEGAN + 1000 * DAY));
}

static void as_long_as_the_first_record_can_live_what_is_missing_was_never_there(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_ON, 30, BEGAN);
    assert_true(audit_life_is_certain(&life, BEGAN));
    assert_true(audit_life_is_certain(&life, BEGAN + 29 * DAY));
    assert_false(audit_life_is_certain(&life, BEGAN + 30 * DAY)); /* clocks differ */
    assert_false(audit_life_is_certain(&life, BEGAN + 31 * DAY));
    assert_non_null(strstr(audit_life_doubt(&life), "Since the job began"));
}

static void without_the_jobs_beginning_it_can_not_be_known(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_ON, 30, 0);
    assert_false(audit_life_is_certain(&life, BEGAN));
    assert_non_null(strstr(audit_life_doubt(&life), "checkpoint"));
}

static void how_long_records_live_is_learnt_of_those_that_are_there(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_ON, 0, BEGAN);
    assert_false(audit_life_is_certain(&life, BEGAN));
    assert_non_null(strstr(audit_life_doubt(&life), "AUDIT_LOG_TTL_DAYS"));
    learn(&life, 0, BEGAN); /* no time that it was written at */
    assert_false(audit_life_is_certain(&life, BEGAN));
    learn(&life, BEGAN, 0); /* it never ends */
    assert_true(audit_life_is_certain(&life, BEGAN + 1000 * DAY));
    learn(&life, BEGAN, BEGAN + 7 * DAY);
    assert_true(audit_life_is_certain(&life, BEGAN + 6 * DAY));
    assert_false(audit_life_is_certain(&life, BEGAN + 8 * DAY));
}

static void of_two_lives_the_shorter_one_counts(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_ON, 30, BEGAN);
    learn(&life, BEGAN, BEGAN + 90 * DAY);
    learn(&life, BEGAN, 0);
    assert_false(audit_life_is_certain(&life, BEGAN + 31 * DAY));
    learn(&life, BEGAN, BEGAN + 7 * DAY);
    assert_false(audit_life_is_certain(&life, BEGAN + 8 * DAY));
}

static void where_it_may_not_be_asked_the_setting_and_the_records_tell(void **state) {
    (void)state;
    struct audit_life life;
    audit_life_init(&life, REMOVAL_NOT_TOLD, 0, 0);
    assert_true(audit_life_is_certain(&life, BEGAN));
    learn(&life, BEGAN, BEGAN + 7 * DAY);
    assert_false(audit_life_is_certain(&life, BEGAN + 8 * DAY));
    audit_life_init(&life, REMOVAL_NOT_TOLD, 7, BEGAN);
    assert_false(audit_life_is_certain(&life, BEGAN + 8 * DAY));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_is_removed_what_is_missing_was_never_there),
        cmocka_unit_test(as_long_as_the_first_record_can_live_what_is_missing_was_never_there),
        cmocka_unit_test(without_the_jobs_beginning_it_can_not_be_known),
        cmocka_unit_test(how_long_records_live_is_learnt_of_those_that_are_there),
        cmocka_unit_test(of_two_lives_the_shorter_one_counts),
        cmocka_unit_test(where_it_may_not_be_asked_the_setting_and_the_records_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
