#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_table.h"
#include "fake_service.h"

struct fixture {
    struct fake_service *service;
    struct audit_table_api api;
    struct audit_look looks[2];
    unsigned calls;
    struct call_result result;
    enum audit_ttl ttl;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->service = fake_service_new("dynamodb", "DynamoDB_20120810.");
    f->api = audit_table_api(f->service->client);
    (void)snprintf(f->looks[0].log_id, AUDIT_KEY_SIZE, "l0");
    (void)snprintf(f->looks[1].log_id, AUDIT_KEY_SIZE, "l1");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    fake_service_free(f->service);
    free(f);
    return 0;
}

static void looked(void *user, const struct call_result *result) {
    struct fixture *f = user;
    f->calls++;
    f->result = *result;
}

static void described(void *user, const struct call_result *result, enum audit_ttl ttl) {
    struct fixture *f = user;
    f->calls++;
    f->result = *result;
    f->ttl = ttl;
}

static struct call *ask(struct fixture *f, bool ttl) {
    static const struct call_options options = {.deadline = NEVER};
    return ttl ? f->api.describe_ttl(f->api.ctx, "audit_logs", &options, described, f)
               : f->api.look(f->api.ctx, "audit_logs", f->looks, 2, true, &options, looked, f);
}

static void run(struct fixture *f, bool ttl, const struct fake_answer *script, size_t count) {
    fake_service_script(f->service, script, count);
    f->calls = 0;
    assert_non_null(ask(f, ttl));
    fake_service_run(f->service);
    assert_int_equal(f->calls, 1);
}

#define FOUND "{\"Responses\":{\"audit_logs\":[{\"log_id\":{\"S\":\"l1\"}}]},\"UnprocessedKeys\":{}}"
#define TTL "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\"}}"

static void each_call_says_what_it_is(void **state) {
    struct fixture *f = *state;
    run(f, false, &(struct fake_answer){200, FOUND}, 1);
    assert_int_equal(f->result.class, CALL_OK);
    assert_string_equal(f->service->target, "DynamoDB_20120810.BatchGetItem");
    assert_int_equal(f->looks[0].state, AUDIT_ABSENT);
    assert_int_equal(f->looks[1].state, AUDIT_FOUND);
    run(f, true, &(struct fake_answer){200, TTL}, 1);
    assert_int_equal(f->result.class, CALL_OK);
    assert_string_equal(f->service->target, "DynamoDB_20120810.DescribeTimeToLive");
    assert_int_equal(f->ttl, AUDIT_TTL_ON);
}

static void a_200_that_is_no_answer_is_tried_again(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer garbage[] = {{200, "<html>"}, {200, "{}"}, {200, FOUND}};
    run(f, false, garbage, ARRAY_LENGTH(garbage));
    assert_int_equal(f->result.class, CALL_OK);
    assert_int_equal(f->result.attempts, 3);
    static const struct fake_answer described_so[] = {{200, "{\"Table\":{}}"}, {200, TTL}};
    run(f, true, described_so, ARRAY_LENGTH(described_so));
    assert_int_equal(f->result.class, CALL_OK);
    assert_int_equal(f->result.attempts, 2);
}

static void the_services_errors_are_passed_on(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer missing = {
        400, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"no table\"}"};
    for (int ttl = 0; ttl < 2; ttl++) {
        run(f, ttl, &missing, 1);
        assert_int_equal(f->result.class, CALL_PERMANENT);
        assert_string_equal(f->result.code, "ResourceNotFoundException");
    }
}

static void a_call_that_is_cancelled_leaves_nothing_behind(void **state) {
    struct fixture *f = *state;
    for (int ttl = 0; ttl < 2; ttl++) {
        fake_service_script(f->service, &(struct fake_answer){200, FOUND}, 1);
        struct call *call = ask(f, ttl);
        assert_non_null(call);
        f->api.cancel(f->api.ctx, call);
        fake_service_run(f->service);
        assert_int_equal(f->calls, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call_says_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_200_that_is_no_answer_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_services_errors_are_passed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_is_cancelled_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
