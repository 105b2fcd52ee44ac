#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dynamodb.h"
#include "fake_service.h"

struct fixture {
    struct fake_service *service;
    struct dynamodb *dynamodb;
    struct dynamodb_api port;
    unsigned calls;
    struct transact_result transact; /* its call is that of all kinds */
    bool found, has_hash, has_shape, active;
    char hash[REQUEST_HASH_TEXT_SIZE];
    struct table_shape shape;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->service = fake_service_new("dynamodb", "DynamoDB_20120810.");
    f->dynamodb = dynamodb_new(f->service->client);
    assert_non_null(f->dynamodb);
    f->port = dynamodb_api(f->dynamodb);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    fake_service_free(f->service);
    dynamodb_free(f->dynamodb);
    free(f);
    return 0;
}

static void transacted(void *user, const struct transact_result *result) {
    struct fixture *f = user;
    f->calls++;
    f->transact = *result;
}

static void got(void *user, const struct call_result *result, bool found, const char *request_hash) {
    struct fixture *f = user;
    f->calls++;
    f->transact.call = *result;
    f->found = found;
    f->has_hash = request_hash != NULL;
    (void)snprintf(f->hash, sizeof f->hash, "%s", request_hash ? request_hash : "");
}

static void put(void *user, const struct call_result *result) {
    struct fixture *f = user;
    f->calls++;
    f->transact.call = *result;
}

static void described(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    struct fixture *f = user;
    f->calls++;
    f->transact.call = *result;
    f->has_shape = shape != NULL;
    f->active = active;
    if (shape) {
        f->shape = *shape;
    }
}

enum which { TRANSACT, GET, PUT, DESCRIBE, KINDS };
static const char *const names[KINDS] = {"TransactWriteItems", "GetItem", "PutItem", "DescribeTable"};

#define GET_REQUEST "{\"TableName\":\"t\",\"Key\":{\"log_id\":{\"S\":\"l1\"}}}"
#define ITEM(log_id) "{\"Item\":{\"log_id\":{\"S\":\"" log_id "\"},\"request_hash\":{\"S\":\"v1:a\"}}}"

static struct call *start(struct fixture *f, enum which which) {
    static const struct call_options options = {.deadline = NEVER};
    const struct dynamodb_api *p = &f->port;
    switch (which) {
    case TRANSACT: return p->transact(p->ctx, SPAN("{\"request\":1}"), &options, transacted, f);
    case GET: return p->get_item(p->ctx, SPAN(GET_REQUEST), &options, got, f);
    case PUT: return p->put_item(p->ctx, SPAN("{\"request\":1}"), &options, put, f);
    case DESCRIBE: return p->describe_table(p->ctx, "the\"table", &options, described, f);
    case KINDS: break;
    }
    return NULL;
}

static void run(struct fixture *f, enum which which, const struct fake_answer *script, size_t count) {
    fake_service_script(f->service, script, count);
    f->calls = 0;
    assert_non_null(start(f, which));
    fake_service_run(f->service);
    assert_int_equal(f->calls, 1);
}

#define TABLE                                                                                                          \
    "{\"Table\":{\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"TableStatus\":\"ACTIVE\","          \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]}}"

static void each_call_says_what_it_is(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer ok[KINDS] = {
        [TRANSACT] = {200, "{}"}, [GET] = {200, ITEM("l1")}, [PUT] = {200, "{}"}, [DESCRIBE] = {200, TABLE}};
    for (enum which w = TRANSACT; w < KINDS; w++) {
        run(f, w, &ok[w], 1);
        assert_int_equal(f->transact.call.class, CALL_OK);
        assert_int_equal(f->transact.reason_count, 0);
        assert_memory_equal(f->service->target, "DynamoDB_20120810.", 18);
        assert_string_equal(f->service->target + 18, names[w]);
        assert_string_equal(f->service->body, w == DESCRIBE ? "{\"TableName\":\"the\\\"table\"}"
                                              : w == GET    ? GET_REQUEST
                                                            : "{\"request\":1}");
        assert_int_equal(f->service->max_response, 8 * 1024 * 1024);
    }
    assert_true(f->found && f->has_hash && f->has_shape && f->active);
    assert_string_equal(f->hash, "v1:a");
    assert_string_equal(f->shape.name, "the\"table");
    assert_string_equal(f->shape.partition.name, "id");
}

static void a_200_that_is_garbage_is_tried_again_and_never_the_services_word(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer garbage[] = {{200, "<html>"}, {200, ""}, {200, "{\"Item\":{}"}};
    for (enum which w = TRANSACT; w < KINDS; w++) {
        run(f, w, garbage, ARRAY_LENGTH(garbage));
        assert_int_equal(f->transact.call.class, CALL_RETRY);
        assert_false(f->transact.call.from_service);
        assert_int_equal(f->transact.call.attempts, 3);
        assert_false(f->found || f->has_hash || f->has_shape || f->active);
    }
}

static void a_200_that_is_somebody_elses_word_is_tried_again(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer astray[] = {
        {200, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\"}"},
        {200, "{\"error\":\"proxy\"}"},
        {200, ITEM("l2")}};
    for (enum which w = TRANSACT; w < KINDS; w++) {
        run(f, w, astray, ARRAY_LENGTH(astray));
        assert_int_equal(f->transact.call.class, CALL_RETRY);
        assert_false(f->transact.call.from_service);
        assert_int_equal(f->transact.call.attempts, 3);
        assert_false(f->found || f->has_hash || f->has_shape || f->active);
    }
}

static void fault_35_what_somebody_else_says_is_no_commit_and_no_not_found(void **state) {
    struct fixture *f = *state;
    static const char *const bodies[] = {
        "{}", "{\"status\":\"ok\"}", "{\"errors\":[{}]}", "<html></html>", "", "[]", ITEM("l1"), TABLE};
    f->service->is_foreign = true;
    for (enum which w = TRANSACT; w < KINDS; w++) {
        for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
            const struct fake_answer script[] = {{200, bodies[i]}, {200, bodies[i]}, {200, bodies[i]}};
            run(f, w, script, ARRAY_LENGTH(script));
            const struct call_result *r = &f->transact.call;
            assert_int_equal(r->class, CALL_RETRY);
            assert_true(r->foreign && !r->from_service);
            assert_false(f->found || f->has_hash || f->has_shape || f->active);
        }
    }
    static const struct fake_answer refused = {400, "{\"__type\":\"x#TransactionCanceledException\","
                                                    "\"CancellationReasons\":[{\"Code\":\"ConditionalCheckFailed\"}]}"};
    const struct fake_answer script[] = {refused, refused, refused};
    run(f, TRANSACT, script, ARRAY_LENGTH(script));
    assert_int_equal(f->transact.call.class, CALL_RETRY);
    assert_int_equal(f->transact.reason_count, 0);
}

static void a_request_for_an_item_that_cannot_be_read_is_not_begun(void **state) {
    struct fixture *f = *state;
    assert_null(f->port.get_item(f->port.ctx, SPAN("{"), NULL, got, f));
    fake_service_run(f->service);
    assert_int_equal(f->calls, 0);
}

#define CANCELLED(reasons)                                                                                             \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\"," reasons "\"Message\":\"m\"}"
#define REASONS(first, second)                                                                                         \
    CANCELLED("\"CancellationReasons\":[{\"Code\":\"" first "\"},{\"Code\":\"" second "\"}],")

static void a_cancellation_has_the_class_of_its_reasons(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *body;
        enum call_class class;
        unsigned attempts;
    } cases[] = {
        {REASONS("ConditionalCheckFailed", "None"), CALL_PERMANENT, 1},
        {REASONS("None", "ConditionalCheckFailed"), CALL_PERMANENT, 1},
        {REASONS("ValidationError", "None"), CALL_PERMANENT, 1},
        {REASONS("ConditionalCheckFailed", "TransactionConflict"), CALL_RETRY, 3},
        {REASONS("ThrottlingError", "None"), CALL_THROTTLED, 3},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct fake_answer script[] = {{400, cases[i].body}, {400, cases[i].body}, {400, cases[i].body}};
        run(f, TRANSACT, script, 3);
        const struct call_result *r = &f->transact.call;
        assert_int_equal(r->class, cases[i].class);
        assert_int_equal(r->attempts, cases[i].attempts);
        assert_true(r->from_service);
        assert_string_equal(r->code, "TransactionCanceledException");
        assert_int_equal(f->transact.reason_count, 2);
    }
}

static void a_cancellation_without_readable_reasons_is_no_answer(void **state) {
    struct fixture *f = *state;
    static const char *const bodies[] = {CANCELLED(""), CANCELLED("\"CancellationReasons\":null,"),
                                         CANCELLED("\"CancellationReasons\":[{}],"), REASONS("None", "None")};
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        const struct fake_answer script[] = {{400, bodies[i]}, {400, bodies[i]}, {400, bodies[i]}};
        run(f, TRANSACT, script, 3);
        assert_int_equal(f->transact.call.class, CALL_RETRY);
        assert_false(f->transact.call.from_service);
        assert_string_equal(f->transact.call.code, "TransactionCanceledException");
        assert_int_equal(f->transact.reason_count, 0);
    }
}

static void reasons_of_an_earlier_attempt_are_not_those_of_the_last(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer conflict = {400, REASONS("TransactionConflict", "None")};
    const struct fake_answer committed[] = {conflict, {200, "{}"}};
    run(f, TRANSACT, committed, 2);
    assert_int_equal(f->transact.call.class, CALL_OK);
    assert_int_equal(f->transact.reason_count, 0);

    const struct fake_answer broken[] = {conflict, conflict, {0, ""}};
    run(f, TRANSACT, broken, 3);
    assert_int_equal(f->transact.call.class, CALL_RETRY);
    assert_int_equal(f->transact.call.status, 0);
    assert_int_equal(f->transact.reason_count, 0);

    const struct fake_answer refused[] = {conflict, {400, "{\"__type\":\"x#ResourceNotFoundException\"}"}};
    run(f, TRANSACT, refused, 2);
    assert_string_equal(f->transact.call.code, "ResourceNotFoundException");
    assert_int_equal(f->transact.reason_count, 0);
}

static void an_item_that_is_not_there_is_an_answer(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {{200, "{}"}};
    run(f, GET, script, 1);
    assert_int_equal(f->transact.call.class, CALL_OK);
    assert_false(f->found || f->has_hash);
}

static void a_table_that_is_not_there_is_an_error(void **state) {
    struct fixture *f = *state;
    static const struct fake_answer script[] = {
        {400, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"Message\":\"m\"}"}};
    run(f, DESCRIBE, script, 1);
    assert_int_equal(f->transact.call.class, CALL_PERMANENT);
    assert_string_equal(f->transact.call.code, "ResourceNotFoundException");
    assert_false(f->has_shape);
}

static void a_cancelled_call_calls_nobody_and_leaves_nothing(void **state) {
    struct fixture *f = *state;
    for (enum which w = TRANSACT; w < KINDS; w++) {
        struct call *call = start(f, w);
        assert_non_null(call);
        f->port.cancel(f->port.ctx, call);
        fake_service_run(f->service);
    }
    assert_int_equal(f->calls, 0);
}

static void a_tables_name_is_bounded(void **state) {
    struct fixture *f = *state;
    char name[TABLE_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[TABLE_NAME_MAX + 1] = '\0';
    assert_null(f->port.describe_table(f->port.ctx, name, NULL, described, f));
    name[TABLE_NAME_MAX] = '\0';
    static const struct fake_answer script[] = {{200, TABLE}};
    fake_service_script(f->service, script, 1);
    assert_non_null(f->port.describe_table(f->port.ctx, name, NULL, described, f));
    fake_service_run(f->service);
    assert_string_equal(f->shape.name, name);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_call_says_what_it_is),
        CASE(a_200_that_is_garbage_is_tried_again_and_never_the_services_word),
        CASE(a_200_that_is_somebody_elses_word_is_tried_again),
        CASE(fault_35_what_somebody_else_says_is_no_commit_and_no_not_found),
        CASE(a_request_for_an_item_that_cannot_be_read_is_not_begun),
        CASE(a_cancellation_has_the_class_of_its_reasons),
        CASE(a_cancellation_without_readable_reasons_is_no_answer),
        CASE(reasons_of_an_earlier_attempt_are_not_those_of_the_last),
        CASE(an_item_that_is_not_there_is_an_answer),
        CASE(a_table_that_is_not_there_is_an_error),
        CASE(a_cancelled_call_calls_nobody_and_leaves_nothing),
        CASE(a_tables_name_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
