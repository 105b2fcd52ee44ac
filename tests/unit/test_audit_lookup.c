#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_lookup.h"
#include "fake_audit_table.h"
#include "kept_log.h"

struct fixture {
    struct fake_audit_table table;
    struct audit_table_api api;
    struct log log;
    struct audit_lookup *lookup;
    unsigned told, found, changed, failed;
    uint64_t tags; /* sum */
    struct call_result result;
};

static void on_looked(void *user, uint64_t tag, const struct audit_look *look) {
    struct fixture *f = user;
    char expected[32];
    (void)snprintf(expected, sizeof expected, "k%u", (unsigned)tag);
    assert_string_equal(look->log_id, expected);
    assert_int_not_equal(look->state, AUDIT_UNPROCESSED);
    f->told++;
    f->found += look->state == AUDIT_FOUND;
    f->tags += tag;
}

static void on_changed(void *user) {
    ((struct fixture *)user)->changed++;
}

static void on_failed(void *user, const struct call_result *result) {
    struct fixture *f = user;
    f->failed++;
    f->result = *result;
}

static struct fixture *begin(unsigned rate) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_audit_init(&f->table);
    f->api = fake_audit_api(&f->table);
    f->log = test_log();
    const struct audit_lookup_options options = {.api = &f->api,
                                                 .clock = &f->table.clock,
                                                 .timers = &f->table.timers,
                                                 .random = &f->table.random,
                                                 .log = &f->log,
                                                 .table = "audit_logs",
                                                 .rate = rate,
                                                 .patience = 60 * MICROSECONDS};
    const struct audit_lookup_host host = {on_looked, on_changed, on_failed, f};
    f->lookup = audit_lookup_new(&options, &host);
    assert_non_null(f->lookup);
    return f;
}

static void finish(struct fixture *f) {
    audit_lookup_free(f->lookup);
    free(f);
}

/* Adds the keys k0, k1, … as there is room; returns the next one. */
static unsigned add(struct fixture *f, unsigned from, unsigned to) {
    for (; from < to && audit_lookup_has_room(f->lookup); from++) {
        char id[32];
        (void)snprintf(id, sizeof id, "k%u", from);
        audit_lookup_add(f->lookup, id, from);
    }
    return from;
}

static void a_request_goes_out_once_it_has_a_hundred_keys(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    static const struct fake_record records[] = {{.log_id = "k0"}, {.log_id = "k99"}, {.log_id = "k100"}};
    f->table.records = records;
    f->table.record_count = ARRAY_LENGTH(records);
    assert_int_equal(add(f, 0, 99), 99);
    assert_false(audit_lookup_is_busy(f->lookup));
    assert_int_equal(add(f, 99, 101), 101);
    assert_true(audit_lookup_is_busy(f->lookup));
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told, 100);
    assert_int_equal(f->found, 2);
    assert_int_equal(f->table.requests, 1);
    audit_lookup_flush(f->lookup);
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told, 101);
    assert_int_equal(f->found, 3);
    assert_int_equal(f->table.last_count, 1);
    assert_int_equal(f->tags, 101 * 100 / 2);
    assert_int_equal(f->changed, 2);
    assert_int_equal(audit_lookup_requests(f->lookup), 2);
    audit_lookup_flush(f->lookup); /* of nothing */
    assert_false(audit_lookup_is_busy(f->lookup));
    finish(f);
}

static void several_requests_are_under_way_and_no_more_is_taken_than_they_hold(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    assert_int_equal(add(f, 0, 100000), 800);
    assert_false(audit_lookup_has_room(f->lookup));
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->table.most_under_way, 8);
    assert_int_equal(f->told, 800);
    assert_true(audit_lookup_has_room(f->lookup));
    finish(f);
}

static void no_more_requests_a_second_than_the_rate_are_sent_repeated_ones_included(void **state) {
    (void)state;
    struct fixture *f = begin(2);
    int64_t begun = f->table.now;
    f->table.process = 50;
    unsigned next = 0;
    while (f->told < 2000) {
        next = add(f, next, 2000);
        fake_audit_run(&f->table, f->table.now + MICROSECONDS / 10);
    }
    assert_in_range(f->table.requests, 40, 60);
    assert_in_range(f->table.now - begun, (f->table.requests - 1) / 2 * MICROSECONDS, 60 * MICROSECONDS);
    finish(f);
}

static void what_is_left_unprocessed_is_asked_for_again_and_told_once(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    f->table.process = 7;
    (void)add(f, 0, 100);
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told, 100);
    assert_int_equal(f->tags, 100 * 99 / 2);
    assert_int_equal(f->table.requests, 15);
    assert_int_equal(f->failed, 0);
    finish(f);
}

static void a_fault_that_passes_is_waited_out_and_named_once(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    f->table.failure =
        (struct call_result){.class = CALL_THROTTLED, .code = "ThrottlingException", .from_service = true};
    (void)add(f, 0, 100);
    fake_audit_run(&f->table, f->table.now + 40 * MICROSECONDS);
    assert_int_equal(f->failed, 0);
    assert_true(f->table.requests > 8);
    assert_non_null(strstr(logged, "ThrottlingException"));
    f->table.failure = (struct call_result){.class = CALL_OK};
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told, 100);
    const char *first = strstr(logged, "Waiting");
    assert_non_null(first);
    assert_null(strstr(first + 1, "Waiting"));
    assert_non_null(strstr(logged, "DynamoDB answers again"));
    finish(f);
}

static void patience_ends_after_a_minute_without_any_answer(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    f->table.failure = (struct call_result){.class = CALL_RETRY, .message = "connection refused"};
    int64_t begun = f->table.now;
    (void)add(f, 0, 300);
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->failed, 1);
    assert_int_equal(f->told, 0);
    assert_int_equal(f->result.class, CALL_RETRY);
    assert_in_range(f->table.now - begun, 60 * MICROSECONDS, 66 * MICROSECONDS);
    assert_false(audit_lookup_has_room(f->lookup));
    finish(f);
}

static void keys_that_are_never_processed_are_a_fault_as_well(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    f->table.processes_none = true;
    (void)add(f, 0, 100);
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->failed, 1);
    assert_int_equal(f->result.class, CALL_THROTTLED);
    assert_int_equal(f->told, 0);
    finish(f);
}

static void a_denial_and_a_refusal_are_final_at_once(void **state) {
    (void)state;
    static const enum call_class classes[] = {CALL_DENIED, CALL_PERMANENT};
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        struct fixture *f = begin(0);
        f->table.failure = (struct call_result){.class = classes[i], .code = "No", .from_service = true};
        (void)add(f, 0, 200);
        fake_audit_run(&f->table, NEVER);
        assert_int_equal(f->failed, 1);
        assert_int_equal(f->result.class, classes[i]);
        assert_int_equal(f->told, 0);
        finish(f);
    }
}

static void without_memory_it_waits(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    f->table.no_memory = true;
    (void)add(f, 0, 100);
    fake_audit_run(&f->table, f->table.now + MICROSECONDS);
    f->table.no_memory = false;
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told, 100);
    finish(f);
}

static void freed_at_any_moment_nothing_is_told_any_more(void **state) {
    (void)state;
    struct fixture *f = begin(0);
    (void)add(f, 0, 250);
    audit_lookup_free(f->lookup);
    f->lookup = NULL;
    fake_audit_run(&f->table, NEVER);
    assert_int_equal(f->told + f->changed + f->failed, 0);
    assert_int_equal(f->table.under_way, 0);
    finish(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_out_once_it_has_a_hundred_keys),
        cmocka_unit_test(several_requests_are_under_way_and_no_more_is_taken_than_they_hold),
        cmocka_unit_test(no_more_requests_a_second_than_the_rate_are_sent_repeated_ones_included),
        cmocka_unit_test(what_is_left_unprocessed_is_asked_for_again_and_told_once),
        cmocka_unit_test(a_fault_that_passes_is_waited_out_and_named_once),
        cmocka_unit_test(patience_ends_after_a_minute_without_any_answer),
        cmocka_unit_test(keys_that_are_never_processed_are_a_fault_as_well),
        cmocka_unit_test(a_denial_and_a_refusal_are_final_at_once),
        cmocka_unit_test(without_memory_it_waits),
        cmocka_unit_test(freed_at_any_moment_nothing_is_told_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
