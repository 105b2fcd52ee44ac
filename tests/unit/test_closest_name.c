#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "closest_name.h"
#include "compiler.h"

#include <stdio.h>

static void a_misspelt_name_is_recognised(void **state) {
    (void)state;
    static const char *const names[] = {"TABLE_NAME", "MAX_RATE", "LOG_LEVEL", "run", "apply"};
    static const char *const cases[][2] = {
        {"TABLE_NAM", "TABLE_NAME"},
        {"TABLENAME", "TABLE_NAME"},
        {"TABEL_NAME", "TABLE_NAME"},
        {"table_name", "TABLE_NAME"},
        {"TABLES_NAMES", "TABLE_NAME"},
        {"MAX_RAET", "MAX_RATE"},
        {"LOG_LEVELS", "LOG_LEVEL"},
        {"LOGLEVL", "LOG_LEVEL"},
        {"rnu", "run"},
        {"ruun", "run"},
        {"aply", "apply"},
        {"appyl", "apply"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_string_equal(closest_name(cases[i][0], names, ARRAY_LENGTH(names)), cases[i][1]);
    }
}

static void a_name_with_words_left_out_or_cut_short_is_recognised(void **state) {
    (void)state;
    static const char *const names[] = {"METRICS_ADDRESS",    "ENABLE_AUDIT_LOG", "AUDIT_LOG_TABLE",
                                        "AUDIT_LOG_TTL_DAYS", "MAX_IN_FLIGHT",    "MAX_ATTEMPTS"};
    static const char *const cases[][2] = {{"METRICS_ADDR", "METRICS_ADDRESS"}, {"ENABLE_AUDIT", "ENABLE_AUDIT_LOG"},
                                           {"AUDIT_TABLE", "AUDIT_LOG_TABLE"},  {"AUDIT_LOG_TTL", "AUDIT_LOG_TTL_DAYS"},
                                           {"audit_ttl", "AUDIT_LOG_TTL_DAYS"}, {"MAX_FLIGHT", "MAX_IN_FLIGHT"}};
    static const char *const others[] = {"AUDIT",     "MAX_RATIO", "AWS_MAX_ATTEMPTS", "AUDIT_FILE", "A_L_T",
                                         "LOG_AUDIT", "AUDIT__",   "_AUDIT",           "_",          ""};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_string_equal(closest_name(cases[i][0], names, ARRAY_LENGTH(names)), cases[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        assert_null(closest_name(others[i], names, ARRAY_LENGTH(names)));
    }
}

static void a_name_of_its_own_is_like_none(void **state) {
    (void)state;
    static const char *const names[] = {"TABLE_NAME", "MAX_RATE", "LOG_LEVEL", "run", "apply"};
    static const char *const cases[] = {"",
                                        "TZ",
                                        "HTTPS_PROXY",
                                        "TABLE",
                                        "NAME",
                                        "rm",
                                        "x",
                                        "help",
                                        "LOG_DESTINATION",
                                        "TABLE_NAME_TABLE_NAME_TABLE_NAME_TABLE_NAME_TABLE_NAME_TABLE_NAME_TABLE_NAME"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_null(closest_name(cases[i], names, ARRAY_LENGTH(names)));
    }
}

static void the_closest_of_several_is_given(void **state) {
    (void)state;
    static const char *const names[] = {"VALUE_ABCD", "VALUE_ABC", "VALUE_AB"};
    assert_string_equal(closest_name("VALUE_ABX", names, ARRAY_LENGTH(names)), "VALUE_ABC");
    assert_string_equal(closest_name("VALUE_A", names, ARRAY_LENGTH(names)), "VALUE_AB");
}

static void whichever_character_is_wrong_missing_too_many_or_swapped_a_name_is_recognised(void **state) {
    (void)state;
    static const char name[] = "AUDIT_LOG_TTL_DAYS", others[] = "aZ_9-", *const names[] = {name};
    const size_t len = sizeof name - 1;
    for (size_t at = 0; at < len; at++) {
        char given[64];
        for (size_t i = 0; others[i]; i++) {
            (void)snprintf(given, sizeof given, "%.*s%c%s", (int)at, name, others[i], name + at + 1);
            assert_string_equal(closest_name(given, names, 1), name);
            (void)snprintf(given, sizeof given, "%.*s%c%s", (int)at, name, others[i], name + at);
            assert_string_equal(closest_name(given, names, 1), name);
        }
        (void)snprintf(given, sizeof given, "%.*s%s", (int)at, name, name + at + 1);
        assert_string_equal(closest_name(given, names, 1), name);
        if (at + 1 < len) {
            (void)snprintf(given, sizeof given, "%.*s%c%c%s", (int)at, name, name[at + 1], name[at], name + at + 2);
            assert_string_equal(closest_name(given, names, 1), name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misspelt_name_is_recognised),
        cmocka_unit_test(a_name_with_words_left_out_or_cut_short_is_recognised),
        cmocka_unit_test(a_name_of_its_own_is_like_none),
        cmocka_unit_test(whichever_character_is_wrong_missing_too_many_or_swapped_a_name_is_recognised),
        cmocka_unit_test(the_closest_of_several_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
