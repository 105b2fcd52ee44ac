#include "update_fixture.h"

static char *request_of(const struct fixture *f, const char *members) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", members);
    struct update *u = read_fit(f, body);
    assert_true(update_build(&f->context, u, WALL));
    char *end = strstr(u->request.data, ",{\"Put\"");
    assert_non_null(end);
    char *request = text_of("%.*s", (int)(end - u->request.data), u->request.data);
    update_free(u);
    free(body);
    return request;
}

/* The Update behind its Key. */
static void assert_update(const struct fixture *f, const char *members, const char *expected) {
    static const char begin[] =
        "{\"TransactItems\":[{\"Update\":{\"TableName\":\"users\",\"Key\":{\"id\":{\"S\":\"a\"}},";
    char *request = request_of(f, members);
    char *whole = text_of("%s%s}}", begin, expected);
    assert_string_equal(request, whole);
    free(whole);
    free(request);
}

#define GUARD(n)                                                                                                       \
    "\"ConditionExpression\":\"attribute_exists(#" n ")\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\""

static void each_operation_has_its_form(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_update(&f, "\"set\":{\"a.b[2].c\":1}",
                  "\"UpdateExpression\":\"SET #0.#1[2].#2=:0\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"1\"}},"
                  "\"ExpressionAttributeNames\":{\"#0\":\"a\",\"#1\":\"b\",\"#2\":\"c\",\"#3\":\"id\"}," GUARD("3"));
    assert_update(&f, "\"increment\":{\"n\":1.50}",
                  "\"UpdateExpression\":\"ADD #0 :0\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"1.5\"}},"
                  "\"ExpressionAttributeNames\":{\"#0\":\"n\",\"#1\":\"id\"}," GUARD("1"));
    assert_update(&f, "\"increment\":{\"m.n\":-1}",
                  "\"UpdateExpression\":\"SET #0.#1=if_not_exists(#0.#1,:1)+:0\","
                  "\"ExpressionAttributeValues\":{\":0\":{\"N\":\"-1\"},\":1\":{\"N\":\"0\"}},"
                  "\"ExpressionAttributeNames\":{\"#0\":\"m\",\"#1\":\"n\",\"#2\":\"id\"}," GUARD("2"));
    assert_update(&f, "\"append\":{\"l\":[\"x\"]}",
                  "\"UpdateExpression\":\"SET #0=list_append(if_not_exists(#0,:1),:0)\","
                  "\"ExpressionAttributeValues\":{\":0\":{\"L\":[{\"S\":\"x\"}]},\":1\":{\"L\":[]}},"
                  "\"ExpressionAttributeNames\":{\"#0\":\"l\",\"#1\":\"id\"}," GUARD("1"));
    assert_update(&f, "\"remove\":[\"b\",\"a[0]\"]",
                  "\"UpdateExpression\":\"REMOVE "
                  "#0[0],#1\",\"ExpressionAttributeNames\":{\"#0\":\"a\",\"#1\":\"b\",\"#2\":\"id\"}," GUARD("2"));
    assert_update(&f, "\"typed_attributes\":{\"s\":{\"SS\":[\"b\",\"a\"]}}",
                  "\"UpdateExpression\":\"SET #0=:0\",\"ExpressionAttributeValues\":{\":0\":{\"SS\":[\"a\",\"b\"]}},"
                  "\"ExpressionAttributeNames\":{\"#0\":\"s\",\"#1\":\"id\"}," GUARD("1"));
    fixture_done(&f);
}

static void all_together_are_one_expression_in_canonical_order(void **state) {
    (void)state;
    static const char expected[] =
        "\"UpdateExpression\":\"SET "
        "#0=:0,#1=:1,#2.#3=:2,#2.#4[0]=:3,#5.#6=if_not_exists(#5.#6,:7)+:4,#8=list_append(if_not_exists(#8,:8),:6) "
        "ADD #7 :5 REMOVE #9,#a\","
        "\"ExpressionAttributeValues\":{\":0\":{\"S\":\"x\"},\":1\":{\"B\":\"AA==\"},\":2\":{\"N\":\"1\"},\":3\":{"
        "\"N\":\"2\"},\":4\":{\"N\":\"5\"},"
        "\":5\":{\"N\":\"6\"},\":6\":{\"L\":[{\"N\":\"7\"}]},\":7\":{\"N\":\"0\"},\":8\":{\"L\":[]},\":9\":{\"N\":"
        "\"3\"}},"
        "\"ExpressionAttributeNames\":{\"#0\":\"a\",\"#1\":\"t\",\"#2\":\"d\",\"#3\":\"e\",\"#4\":\"l\",\"#5\":\"m\","
        "\"#6\":\"k\",\"#7\":\"n\",\"#8\":\"p\","
        "\"#9\":\"y\",\"#a\":\"z\",\"#b\":\"id\",\"#c\":\"v\"},"
        "\"ConditionExpression\":\"attribute_exists(#b) AND "
        "#c<:9\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"";
    static const char *const spellings[] = {
        "\"attributes\":{\"a\":\"x\"},\"typed_attributes\":{\"t\":{\"B\":\"AA==\"}},\"set\":{\"d.e\":1,\"d.l[0]\":2},"
        "\"increment\":{\"n\":6,\"m.k\":5},"
        "\"append\":{\"p\":[7]},\"remove\":[\"y\",\"z\"],\"condition_expression\":\"v < 3\"",
        "\"condition_expression\":\"((v<3.0))\",\"remove\":[\"`z`\",\"y\"],\"append\":{\"p\":[7]},\"increment\":{\"m."
        "k\":5.0,\" n \":60e-1},"
        "\"set\":{\"d . "
        "l[0]\":2,\"#d.e\":1},\"expression_attribute_names\":{\"#d\":\"d\"},\"typed_attributes\":{\"t\":{\"B\":\"AA=="
        "\"}},"
        "\"attributes\":{\"a\":\"x\"}",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(spellings); i++)
        assert_update(&f, spellings[i], expected);
    fixture_done(&f);
}

static void a_record_that_may_be_created_takes_no_guard_and_keeps_its_condition(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_update(
        &f, "\"attributes\":{\"x\":1},\"create_if_missing\":true",
        "\"UpdateExpression\":\"SET "
        "#0=:0\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"1\"}},\"ExpressionAttributeNames\":{\"#0\":\"x\"}");
    assert_update(
        &f, "\"attributes\":{\"x\":1},\"create_if_missing\":true,\"condition_expression\":\"a = 1 or b = 2\"",
        "\"UpdateExpression\":\"SET "
        "#0=:0\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"1\"},\":1\":{\"N\":\"1\"},\":2\":{\"N\":\"2\"}},"
        "\"ExpressionAttributeNames\":{\"#0\":\"x\",\"#1\":\"a\",\"#2\":\"b\"},"
        "\"ConditionExpression\":\"#1=:1 OR #2=:2\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
    assert_update(&f, "\"remove\":[\"x\"],\"create_if_missing\":true",
                  "\"UpdateExpression\":\"REMOVE #0\",\"ExpressionAttributeNames\":{\"#0\":\"x\"}");
    assert_update(
        &f, "\"remove\":[\"x\"],\"condition_expression\":\"a = 1 or b = 2\"",
        "\"UpdateExpression\":\"REMOVE #0\",\"ExpressionAttributeValues\":{\":0\":{\"N\":\"1\"},\":1\":{\"N\":\"2\"}},"
        "\"ExpressionAttributeNames\":{\"#0\":\"x\",\"#1\":\"id\",\"#2\":\"a\",\"#3\":\"b\"},"
        "\"ConditionExpression\":\"attribute_exists(#1) AND (#2=:0 OR "
        "#3=:1)\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
    assert_update(
        &f, "\"remove\":[\"x\"],\"condition_expression\":\"attribute_exists(a)\"",
        "\"UpdateExpression\":\"REMOVE #0\",\"ExpressionAttributeNames\":{\"#0\":\"x\",\"#1\":\"id\",\"#2\":\"a\"},"
        "\"ConditionExpression\":\"attribute_exists(#1) AND "
        "attribute_exists(#2)\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_has_its_form),
        cmocka_unit_test(all_together_are_one_expression_in_canonical_order),
        cmocka_unit_test(a_record_that_may_be_created_takes_no_guard_and_keeps_its_condition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
