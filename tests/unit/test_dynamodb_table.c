#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "dynamodb_response.h"

/* As DynamoDB Local 3.1.0 answered, with a global secondary index whose key schema is not the table's. */
static const char recorded[] = "{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":"
                               "\"S\"},{\"AttributeName\":\"s\",\"AttributeType\":\"N\"},"
                               "{\"AttributeName\":\"gx\",\"AttributeType\":\"B\"}],\"TableName\":\"tab\","
                               "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},"
                               "{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],\"TableStatus\":\"ACTIVE\","
                               "\"CreationDateTime\":1795356066.495,\"ProvisionedThroughput\":"
                               "{\"LastIncreaseDateTime\":0.000,\"ReadCapacityUnits\":0},\"ItemCount\":0,\"TableArn\":"
                               "\"arn:aws:dynamodb:ddblocal:000000000000:table/tab\","
                               "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":"
                               "\"gx\",\"KeyType\":\"HASH\"}],\"IndexStatus\":"
                               "\"CREATING\"}],\"DeletionProtectionEnabled\":false}}";

static void a_recorded_table_is_read(void **state) {
    (void)state;
    struct table_shape s = {.name = "mine"};
    bool active = false;
    assert_int_equal(dynamodb_read_table(span_cstr(recorded), &s, &active), DECODE_FINE);
    assert_true(active);
    assert_string_equal(s.name, "mine");
    assert_string_equal(s.partition.name, "id");
    assert_int_equal(s.partition.type, KEY_STRING);
    assert_string_equal(s.sort.name, "s");
    assert_int_equal(s.sort.type, KEY_NUMBER);
    assert_int_equal(s.attribute_count, 3);
    assert_string_equal(s.attributes[2].name, "gx");
    assert_int_equal(s.attributes[2].type, KEY_BINARY);
    assert_string_equal(s.region, "ddblocal");
    assert_string_equal(s.account, "000000000000");
    assert_false(s.strongly_consistent);
}

static void a_table_may_have_no_sort_key_and_any_status(void **state) {
    (void)state;
    static const struct {
        const char *status;
        bool active;
    } cases[] = {{",\"TableStatus\":\"ACTIVE\"", true},
                 {",\"TableStatus\":\"UPDATING\"", true},
                 {",\"TableStatus\":\"CREATING\"", false},
                 {",\"TableStatus\":\"DELETING\"", false},
                 {",\"TableStatus\":\"ARCHIVED\"", false},
                 {",\"TableStatus\":null", false},
                 {"", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "{\"Table\":{\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
                       "\"AttributeDefinitions\":[{\"AttributeType\":\"N\",\"AttributeName\":\"id\"}]%s}}",
                       cases[i].status);
        struct table_shape s = {.sort = {.name = "old"}};
        bool active = !cases[i].active;
        assert_int_equal(dynamodb_read_table(span_cstr(text), &s, &active), DECODE_FINE);
        assert_int_equal(active, cases[i].active);
        assert_string_equal(s.sort.name, "");
        assert_int_equal(s.partition.type, KEY_NUMBER);
    }
}

#define KEY "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]"
#define DEFINITION "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]"

static void a_place_is_told_by_a_whole_arn_alone_and_strong_consistency_by_its_word(void **state) {
    (void)state;
    static const struct {
        const char *arn, *region, *account;
        bool strong;
    } cases[] = {
        {"\"TableArn\":\"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t\"", "cn-north-1", "123456789012", false},
        {"\"TableArn\":\"arn:aws:dynamodb:eu-west-1\"", "", "", false},
        {"\"TableArn\":\"urn:aws:dynamodb:eu-west-1:123456789012:table/t\"", "", "", false},
        {"\"TableArn\":\"arn:aws:dynamodb:eu-west-1:12345678901234567890:table/t\"", "", "", false},
        {"\"TableArn\":\"\"", "", "", false},
        {"\"TableArn\":7,\"MultiRegionConsistency\":null", "", "", false},
        {"\"TableArn\":{\"a\":[1]},\"MultiRegionConsistency\":\"EVENTUAL\"", "", "", false},
        {"\"MultiRegionConsistency\":\"STRONG\"", "", "", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"Table\":{" KEY "," DEFINITION ",%s}}", cases[i].arn);
        struct table_shape s = {.region = "old", .account = "old"};
        bool active;
        assert_int_equal(dynamodb_read_table(span_cstr(text), &s, &active), DECODE_FINE);
        assert_string_equal(s.region, cases[i].region);
        assert_string_equal(s.account, cases[i].account);
        assert_int_equal(s.strongly_consistent, cases[i].strong);
    }
}

static void what_is_no_table_is_garbage(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"Table\":null}",
        "{\"Table\":{}}",
        "{\"Table\":{" KEY "}}",
        "{\"Table\":{" DEFINITION "}}",
        "{\"Table\":{" KEY "," DEFINITION "}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"x\",\"KeyType\":\"HASH\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"RANGE\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},{\"AttributeName\":"
        "\"id\",\"KeyType\":\"HASH\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},{\"AttributeName\":"
        "\"x\",\"KeyType\":\"RANGE\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"OTHER\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"AttributeName\":\"id\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[{\"KeyType\":\"HASH\"}]}}",
        "{\"Table\":{" DEFINITION ",\"KeySchema\":[null]}}",
        "{\"Table\":{" KEY ",\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"X\"}]}}",
        "{\"Table\":{" KEY ",\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"SS\"}]}}",
        "{\"Table\":{" KEY ",\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"\"}]}}",
        "{\"Table\":{" KEY ",\"AttributeDefinitions\":[{\"AttributeName\":7,\"AttributeType\":\"S\"}]}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct table_shape s = {.attribute_count = 77};
        bool active = true;
        if (dynamodb_read_table(span_cstr(texts[i]), &s, &active) != DECODE_GARBAGE) {
            fail_msg("%s", texts[i]);
        }
        assert_int_equal(s.attribute_count, 77);
    }
}

/* A table of count definitions, of which the key's comes last, and its schema behind them where schema_last. */
static void read_many(int count, bool schema_last, struct table_shape *ret_shape) {
    struct buf text;
    buf_init(&text, (size_t)8 * 1024 * 1024);
    (void)buf_printf(&text, "{\"Table\":{%s\"AttributeDefinitions\":[", schema_last ? "" : KEY ",");
    for (int i = 1; i < count; i++) {
        (void)buf_printf(&text, "{\"AttributeName\":\"%0*d\",\"AttributeType\":\"N\"},", KEY_NAME_MAX, i);
    }
    (void)buf_append_cstr(&text, "{\"AttributeName\":\"id\",\"AttributeType\":\"B\"}]");
    assert_true(buf_printf(&text, "%s}}", schema_last ? "," KEY : ""));
    bool active;
    assert_int_equal(dynamodb_read_table(buf_span(&text), ret_shape, &active), DECODE_FINE);
    buf_free(&text);
    assert_string_equal(ret_shape->partition.name, "id");
    assert_int_equal(ret_shape->partition.type, KEY_BINARY);
}

static void a_table_is_read_however_many_definitions_it_has(void **state) {
    (void)state;
    static const int counts[] = {65, 167, TABLE_ATTRIBUTES_MAX, TABLE_ATTRIBUTES_MAX + 1, 20000};
    static struct table_shape s;
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        for (int schema_last = 0; schema_last < 2; schema_last++) {
            read_many(counts[i], schema_last, &s);
            size_t kept = counts[i] < TABLE_ATTRIBUTES_MAX ? (size_t)counts[i] : TABLE_ATTRIBUTES_MAX;
            assert_int_equal(s.attribute_count, kept);
            assert_int_equal(s.attributes[63].type, KEY_NUMBER);
            assert_int_equal(strlen(s.attributes[kept - 2].name), KEY_NAME_MAX);
        }
    }
}

static void a_table_is_known_by_the_name_that_dynamodb_tells(void **state) {
    (void)state;
    static const char text[] = "{\"Table\":{" KEY "," DEFINITION ",\"TableName\":\"tab\"}}";
    static struct table_shape s = {.name = "arn:aws:dynamodb:eu-west-1:123456789012:table/tab"};
    bool active;
    assert_int_equal(dynamodb_read_table(span_cstr(text), &s, &active), DECODE_FINE);
    assert_string_equal(table_identity(&s), "tab");
    s.own_name[0] = '\0';
    assert_string_equal(table_identity(&s), s.name);
}

static void names_are_bounded(void **state) {
    (void)state;
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"Table\":{" KEY ",\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"},"
                   "{\"AttributeName\":\"%0*d\",\"AttributeType\":\"S\"}]}}",
                   KEY_NAME_MAX + 1, 0);
    struct table_shape s;
    bool active;
    assert_int_equal(dynamodb_read_table(span_cstr(text), &s, &active), DECODE_GARBAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_table_is_read),
        cmocka_unit_test(a_table_may_have_no_sort_key_and_any_status),
        cmocka_unit_test(a_place_is_told_by_a_whole_arn_alone_and_strong_consistency_by_its_word),
        cmocka_unit_test(what_is_no_table_is_garbage),
        cmocka_unit_test(a_table_is_read_however_many_definitions_it_has),
        cmocka_unit_test(a_table_is_known_by_the_name_that_dynamodb_tells),
        cmocka_unit_test(names_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
