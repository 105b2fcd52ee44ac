#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_service.h"
#include "table_facts.h"

#define TABLE_HEAD                                                                                                     \
    "{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"                       \
    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"TableStatus\":\"ACTIVE\""

struct fixture {
    struct fake_service *service;
    struct table_facts facts;
    unsigned calls;
    struct call_result result;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->service = fake_service_new("dynamodb", "DynamoDB_20120810.");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    fake_service_free(f->service);
    free(f);
    return 0;
}

static void done(void *user, const struct call_result *result) {
    struct fixture *f = user;
    f->calls++;
    f->result = *result;
}

typedef struct call *asker(struct aws_client *client, const char *table_name, const struct call_options *options,
                           struct table_facts *ret_facts, call_done *done, void *user);

static void run(struct fixture *f, asker *ask, const char *body) {
    const struct fake_answer script[] = {{200, body}, {200, body}, {200, body}, {200, body}};
    fake_service_script(f->service, script, ARRAY_LENGTH(script));
    f->calls = 0;
    assert_non_null(ask(f->service->client, "users", NULL, &f->facts, done, f));
    fake_service_run(f->service);
    assert_int_equal(f->calls, 1);
    assert_string_equal(f->service->body, "{\"TableName\":\"users\"}");
}

static void a_description_has_status_key_and_encryption(void **state) {
    struct fixture *f = *state;
    run(f, table_facts_describe,
        TABLE_HEAD ",\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\","
                   "\"KMSMasterKeyArn\":\"arn:aws:kms:r:1:key/k\"}}}");
    assert_int_equal(f->result.class, CALL_OK);
    assert_string_equal(f->service->target, "DynamoDB_20120810.DescribeTable");
    assert_string_equal(f->facts.shape.name, "users");
    assert_string_equal(f->facts.shape.partition.name, "id");
    assert_string_equal(f->facts.status, "ACTIVE");
    assert_string_equal(f->facts.kms_key, "arn:aws:kms:r:1:key/k");
    run(f, table_facts_describe, TABLE_HEAD "}}");
    assert_string_equal(f->facts.kms_key, "");
}

static void time_to_live_has_a_status_and_perhaps_an_attribute(void **state) {
    struct fixture *f = *state;
    run(f, table_facts_ttl,
        "{\"TimeToLiveDescription\":{\"AttributeName\":\"expires_at\",\"TimeToLiveStatus\":\"ENABLED\"}}");
    assert_string_equal(f->service->target, "DynamoDB_20120810.DescribeTimeToLive");
    assert_string_equal(f->facts.ttl_status, "ENABLED");
    assert_string_equal(f->facts.ttl_attribute, "expires_at");
    run(f, table_facts_ttl, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    assert_string_equal(f->facts.ttl_status, "DISABLED");
    assert_string_equal(f->facts.ttl_attribute, "");
}

static void recovery_has_a_status(void **state) {
    struct fixture *f = *state;
    run(f, table_facts_recovery,
        "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
        "\"PointInTimeRecoveryDescription\":{\"PointInTimeRecoveryStatus\":\"DISABLED\"}}}");
    assert_string_equal(f->service->target, "DynamoDB_20120810.DescribeContinuousBackups");
    assert_int_equal(f->result.class, CALL_OK);
    assert_string_equal(f->facts.recovery_status, "DISABLED");
}

static void what_says_none_of_it_is_no_answer(void **state) {
    struct fixture *f = *state;
    static const struct {
        asker *ask;
        const char *body;
    } cases[] = {
        {table_facts_describe, "{}"},
        {table_facts_describe, TABLE_HEAD},
        {table_facts_ttl, "{}"},
        {table_facts_ttl, "{\"TimeToLiveDescription\":{}}"},
        {table_facts_ttl, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":1}}"},
        {table_facts_recovery, "{\"ContinuousBackupsDescription\":{}}"},
        {table_facts_recovery, "[]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        run(f, cases[i].ask, cases[i].body);
        assert_int_equal(f->result.class, CALL_RETRY);
        assert_true(f->result.foreign);
    }
}

static void a_cancelled_question_calls_nobody(void **state) {
    struct fixture *f = *state;
    struct call *call = table_facts_ttl(f->service->client, "users", NULL, &f->facts, done, f);
    assert_non_null(call);
    call_cancel(call);
    fake_service_run(f->service);
    assert_int_equal(f->calls, 0);
}

static void a_tables_name_is_bounded(void **state) {
    struct fixture *f = *state;
    char name[TABLE_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[TABLE_NAME_MAX + 1] = '\0';
    assert_null(table_facts_describe(f->service->client, name, NULL, &f->facts, done, f));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_description_has_status_key_and_encryption),
        CASE(time_to_live_has_a_status_and_perhaps_an_attribute),
        CASE(recovery_has_a_status),
        CASE(what_says_none_of_it_is_no_answer),
        CASE(a_cancelled_question_calls_nobody),
        CASE(a_tables_name_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
