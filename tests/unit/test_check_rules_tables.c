#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check_rules.h"
#include "compiler.h"
#include "report_lines.h"

static struct table_facts facts; /* too large for the stack of some machines */

static void make(const char *partition, enum key_type type, const char *sort, const char *status) {
    facts = (struct table_facts){.shape = {.partition = {.type = type}, .sort = {.type = KEY_NUMBER}}};
    (void)snprintf(facts.shape.partition.name, sizeof facts.shape.partition.name, "%s", partition);
    (void)snprintf(facts.shape.sort.name, sizeof facts.shape.sort.name, "%s", sort);
    (void)snprintf(facts.status, sizeof facts.status, "%s", status);
}

static void a_table_is_fit_by_status_key_and_kind(void **state) {
    (void)state;
    static const struct {
        const char *partition;
        enum key_type type;
        const char *sort, *status;
        bool audit, strong;
        enum exit_code code;
        const char *part;
    } cases[] = {
        {"id", KEY_STRING, "", "ACTIVE", false, false, EXIT_FINE,
         "ok       table t: ACTIVE, key id (S) (TABLE_NAME)\n"},
        {"id", KEY_BINARY, "at", "UPDATING", false, false, EXIT_FINE, "UPDATING, key id (B), sort key at (N)"},
        {"log_id", KEY_STRING, "", "ACTIVE", true, false, EXIT_FINE, "key log_id (S) (AUDIT_LOG_TABLE)"},
        {"log_id", KEY_NUMBER, "", "ACTIVE", true, false, EXIT_SETTINGS, "its key is log_id (N), but an audit"},
        {"log_id", KEY_STRING, "at", "ACTIVE", true, false, EXIT_SETTINGS, "its key is log_id (S), sort key at (N)"},
        {"id", KEY_STRING, "", "ACTIVE", true, false, EXIT_SETTINGS, "log_id (S) alone, without a sort key"},
        {"id", KEY_STRING, "", "CREATING", false, false, EXIT_UNREACHABLE, "it can't be used yet: it is CREATING"},
        {"id", KEY_STRING, "", "DELETING", false, false, EXIT_SETTINGS, "it is DELETING"},
        {"id", KEY_STRING, "", "ARCHIVED", false, false, EXIT_SETTINGS, "it is ARCHIVED"},
        {"id", KEY_STRING, "", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", false, false, EXIT_NOT_PERMITTED,
         "DynamoDB can't use its key in KMS"},
        {"id", KEY_STRING, "", "ACTIVE", false, true, EXIT_SETTINGS, "which takes no transactions"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct report_lines l;
        make(cases[i].partition, cases[i].type, cases[i].sort, cases[i].status);
        facts.shape.strongly_consistent = cases[i].strong;
        const struct check_table_view view = {.name = "t", .facts = &facts, .is_audit = cases[i].audit};
        report_lines_begin(&l, false);
        assert_int_equal(check_table_rule(&l.report, &view), cases[i].code == EXIT_FINE);
        assert_int_equal(l.report.code, cases[i].code);
        report_lines_expect(&l, i, cases[i].part);
        report_lines_end(&l);
    }
}

static void time_to_live_is_held_against_the_setting(void **state) {
    (void)state;
    static const struct {
        bool audit;
        unsigned days;
        const char *status, *attribute, *part;
    } cases[] = {
        {true, 30, "ENABLED", "expires_at", "ok       table t: audit records are removed after 30 days"},
        {true, 30, "ENABLED", "ttl", "warning  table t: AUDIT_LOG_TTL_DAYS is 30, but its time to live goes by ttl"},
        {true, 30, "DISABLED", "", "is off: audit records are never removed. Turn its time to live on"},
        {true, 0, "DISABLED", "", "ok       table t: audit records are kept for good"},
        {true, 0, "ENABLED", "expires_at", "ok       table t: audit records are kept for good"},
        {false, 30, "ENABLED", "until", "its time to live removes records by until"},
        {false, 0, "DISABLED", "", "ok       table t: its time to live is off"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct report_lines l;
        make("id", KEY_STRING, "", "ACTIVE");
        (void)snprintf(facts.ttl_status, sizeof facts.ttl_status, "%s", cases[i].status);
        (void)snprintf(facts.ttl_attribute, sizeof facts.ttl_attribute, "%s", cases[i].attribute);
        const struct check_table_view view = {"t", &facts, cases[i].audit, cases[i].days};
        report_lines_begin(&l, false);
        check_ttl_rule(&l.report, &view);
        report_lines_expect(&l, i, cases[i].part);
        report_lines_end(&l);
    }
}

static void what_cannot_be_had_back_is_warned_of(void **state) {
    (void)state;
    static const struct {
        bool audit;
        const char *status, *part;
    } cases[] = {
        {false, "ENABLED", "ok       table t: point-in-time recovery is on"},
        {false, "DISABLED", "warning  table t: point-in-time recovery is off"},
        {true, "DISABLED", "ok       table t: point-in-time recovery is off"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct report_lines l;
        make("id", KEY_STRING, "", "ACTIVE");
        (void)snprintf(facts.recovery_status, sizeof facts.recovery_status, "%s", cases[i].status);
        const struct check_table_view view = {"t", &facts, cases[i].audit, 0};
        report_lines_begin(&l, false);
        check_recovery_rule(&l.report, &view);
        report_lines_expect(&l, i, cases[i].part);
        report_lines_end(&l);
    }
}

static void tables_of_two_places_fit_no_transaction(void **state) {
    (void)state;
    static struct table_shape table = {.region = "eu-west-1", .account = "1"}, audit = {.name = "audit"};
    static const struct {
        const char *region, *account, *part;
    } cases[] = {
        {"eu-west-1", "1", NULL},
        {"", "", NULL},
        {"eu-west-2", "1", "it is in eu-west-2 of account 1, the updated table in eu-west-1 of account 1"},
        {"eu-west-1", "2", "no transaction spans both"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct report_lines l;
        (void)snprintf(audit.region, sizeof audit.region, "%s", cases[i].region);
        (void)snprintf(audit.account, sizeof audit.account, "%s", cases[i].account);
        report_lines_begin(&l, false);
        check_tables_rule(&l.report, &table, &audit);
        report_lines_expect(&l, i, cases[i].part);
        assert_int_equal(l.report.code, cases[i].part ? EXIT_SETTINGS : EXIT_FINE);
        report_lines_end(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_fit_by_status_key_and_kind),
        cmocka_unit_test(time_to_live_is_held_against_the_setting),
        cmocka_unit_test(what_cannot_be_had_back_is_warned_of),
        cmocka_unit_test(tables_of_two_places_fit_no_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
