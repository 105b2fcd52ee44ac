#include "trouble.h"

#include "clock.h"
#include "compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void it_begins_once_and_knows_the_last_cause(void **state) {
    (void)state;
    struct trouble t = {0};
    assert_true(trouble_note(&t, 10, CAUSE_DENIED, "AccessDeniedException"));
    assert_false(trouble_note(&t, 20, CAUSE_THROTTLED, "ThrottlingException"));
    assert_int_equal(t.since, 10);
    assert_int_equal(t.cause, CAUSE_THROTTLED);
    assert_string_equal(t.code, "ThrottlingException");
    assert_true(trouble_lasts_since(&t, 10));
    assert_false(trouble_lasts_since(&t, 9));
}

static void its_end_is_told_once_and_leaves_its_beginning(void **state) {
    (void)state;
    struct trouble t = {0};
    assert_false(trouble_end(&t));
    (void)trouble_note(&t, 10, CAUSE_CLOCK, "");
    assert_true(trouble_end(&t));
    assert_false(trouble_end(&t));
    assert_int_equal(t.since, 10);
    assert_false(trouble_lasts_since(&t, 100));
    assert_true(trouble_note(&t, 30, CAUSE_CLOCK, ""));
    assert_int_equal(t.since, 30);
}

static void a_call_tells_cause_and_code(void **state) {
    (void)state;
    static const struct {
        struct call_result result;
        enum cause cause;
        const char *code;
    } cases[] = {
        {{.class = CALL_RETRY}, CAUSE_UNREACHABLE, "no answer"},
        {{.class = CALL_RETRY, .status = 502}, CAUSE_UNREACHABLE, "HTTP status 502, not DynamoDB's"},
        {{.class = CALL_THROTTLED, .status = 400, .from_service = true, .code = "Throttling"},
         CAUSE_THROTTLED,
         "Throttling"},
        {{.class = CALL_AUTH, .status = 400, .from_service = true, .code = "Expired"}, CAUSE_CREDENTIALS, "Expired"},
        {{.class = CALL_DENIED, .status = 403, .from_service = true, .code = "Denied"}, CAUSE_DENIED, "Denied"},
        {{.class = CALL_CLOCK, .status = 400, .from_service = true, .code = "Skew"}, CAUSE_CLOCK, "Skew"},
        {{.class = CALL_PERMANENT, .status = 400, .from_service = true, .code = "None"}, CAUSE_MISSING, "None"},
        {{.class = CALL_PERMANENT, .status = 413}, CAUSE_UNREACHABLE, "HTTP status 413, not DynamoDB's"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct trouble t = {0};
        assert_true(trouble_note_call(&t, 1, &cases[i].result));
        assert_int_equal(t.cause, cases[i].cause);
        assert_string_equal(t.code, cases[i].code);
    }
}

static void the_log_hears_of_each_other_reason_a_minute_apart(void **state) {
    (void)state;
    struct trouble t = {0};
    const int64_t minute = 60 * MICROSECONDS;
    (void)trouble_note(&t, 10, CAUSE_UNREACHABLE, "");
    assert_true(trouble_tell(&t, 10, "no answer"));
    assert_false(trouble_tell(&t, 10 + 2 * minute, "no answer"));
    assert_true(trouble_tell(&t, 10 + 2 * minute, "Denied"));
    assert_false(trouble_tell(&t, 10 + 2 * minute + 1, "no answer"));
    assert_true(trouble_tell(&t, 10 + 3 * minute, "no answer"));
    assert_true(trouble_end(&t));
    (void)trouble_note(&t, 11 + 3 * minute, CAUSE_UNREACHABLE, "");
    assert_true(trouble_tell(&t, 11 + 3 * minute, "no answer"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_once_and_knows_the_last_cause),
        cmocka_unit_test(its_end_is_told_once_and_leaves_its_beginning),
        cmocka_unit_test(a_call_tells_cause_and_code),
        cmocka_unit_test(the_log_hears_of_each_other_reason_a_minute_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
