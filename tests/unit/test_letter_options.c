#include "letter_options.h"

#include "call.h"
#include "compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void each_failure_of_a_call_has_its_exit_code(void **state) {
    (void)state;
    static const struct {
        enum call_class class;
        const char *code;
        bool from_service;
        enum exit_code expected;
    } cases[] = {
        {CALL_DENIED, "AccessDeniedException", true, EXIT_NOT_PERMITTED},
        {CALL_AUTH, "ExpiredTokenException", true, EXIT_NOT_PERMITTED},
        {CALL_CLOCK, "RequestTimeTooSkewed", true, EXIT_NOT_PERMITTED},
        {CALL_RETRY, "InternalError", true, EXIT_UNREACHABLE},
        {CALL_PERMANENT, "QueueDoesNotExist", true, EXIT_SETTINGS},
        {CALL_PERMANENT, "AWS.SimpleQueueService.NonExistentQueue", true, EXIT_SETTINGS},
        {CALL_PERMANENT, "QueueDoesNotExist", false, EXIT_UNREACHABLE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct call_result result = {.class = cases[i].class, .from_service = cases[i].from_service};
        (void)snprintf(result.code, sizeof result.code, "%s", cases[i].code);
        if (exit_code_of_call(&result) != cases[i].expected) {
            fail_msg("%s: %d", cases[i].code, (int)exit_code_of_call(&result));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_failure_of_a_call_has_its_exit_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
