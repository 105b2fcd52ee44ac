#include "update_fixture.h"

static const struct {
    const char *body, *message, *details;
} cases[] = {
    {"{}", "ID and attributes are required", "\"missing_fields\":[\"id\",\"attributes\"]"},
    {"{\"id\":null,\"attributes\":null}", "ID and attributes are required",
     "\"missing_fields\":[\"id\",\"attributes\"]"},
    {"{\"attributes\":{\"a\":1}}", "ID is required", "\"missing_fields\":[\"id\"]"},
    {"{\"id\":\"a\"}", "Attributes are required", "\"missing_fields\":[\"attributes\"]"},
    {"{\"id\":\"\",\"attributes\":{\"a\":1}}",
     "id must be a string that isn't empty, a number, or an object of the key attributes",
     "\"invalid_fields\":[\"id\"]"},
    {"{\"id\":{},\"attributes\":{\"a\":1}}", NULL, "\"invalid_fields\":[\"id\"]"},
    {"{\"id\":true,\"attributes\":{\"a\":1}}", NULL, "\"invalid_fields\":[\"id\"]"},
    {"{\"id\":[1],\"attributes\":{\"a\":1}}", NULL, "\"invalid_fields\":[\"id\"]"},
    {"{\"id\":\"a\",\"attributes\":{}}", "attributes must be an object that isn't empty",
     "\"invalid_fields\":[\"attributes\"]"},
    {"{\"id\":\"a\",\"attributes\":[1]}", NULL, "\"invalid_fields\":[\"attributes\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"enable_logging\":null}", "enable_logging must be true or false",
     "\"invalid_fields\":[\"enable_logging\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"enable_logging\":\"true\"}", NULL,
     "\"invalid_fields\":[\"enable_logging\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"enable_logging\":1}", NULL, "\"invalid_fields\":[\"enable_logging\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expression\":\"\"}", NULL,
     "\"invalid_fields\":[\"condition_expression\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expression\":\" \\t\\n\"}", NULL,
     "\"invalid_fields\":[\"condition_expression\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expression\":null}", NULL,
     "\"invalid_fields\":[\"condition_expression\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"expression_attribute_names\":{}}", NULL,
     "\"invalid_fields\":[\"expression_attribute_names\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"expression_attribute_names\":{\"#a\":1}}", NULL,
     "\"invalid_fields\":[\"expression_attribute_names\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"expression_attribute_values\":{}}", NULL,
     "\"invalid_fields\":[\"expression_attribute_values\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"expression_attribute_values\":\"x\"}", NULL,
     "\"invalid_fields\":[\"expression_attribute_values\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"idempotency_key\":\"\"}",
     "idempotency_key must be a string that isn't empty", "\"invalid_fields\":[\"idempotency_key\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"idempotency_key\":7}", NULL, "\"invalid_fields\":[\"idempotency_key\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"idempotency_key\":null}", NULL,
     "\"invalid_fields\":[\"idempotency_key\"]"},
    {"{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expresion\":\"x\"}",
     "The message has members that are not known: see unknown_fields", "\"unknown_fields\":[\"condition_expresion\"]"},
    {"{\"zz\":1,\"ID\":1,\"idempotency_key\":1,\"id\":\"\",\"a\\\"\":null,\"enable_logging\":0}",
     "Attributes are required",
     "\"missing_fields\":[\"attributes\"],\"invalid_fields\":[\"id\",\"enable_logging\",\"idempotency_key\"],"
     "\"unknown_fields\":[\"zz\",\"ID\",\"a\\\"\"]"},
    {"{\"id\":\"\",\"attributes\":1}",
     "id must be a string that isn't empty, a number, or an object of the key attributes; attributes must be an object "
     "that isn't empty",
     "\"invalid_fields\":[\"id\",\"attributes\"]"},
};

static void what_has_the_wrong_shape_is_told_all_at_once_in_the_order_of_the_contract(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_refused(&f, cases[i].body, ERROR_INVALID_INPUT, cases[i].details);
        struct update *u = read_text(&f, cases[i].body);
        assert_false(u->readable);
        if (cases[i].message)
            assert_buf(&u->failure.message, cases[i].message);
        update_free(u);
    }
    fixture_done(&f);
}

static void what_is_no_object_is_refused_at_position_0_and_what_is_not_json_first(void **state) {
    (void)state;
    static const struct {
        const char *body, *details;
    } texts[] = {
        {"", "\"position\":0"},
        {"[1]", "\"position\":0"},
        {" \"x\"", "\"position\":0"},
        {"null", "\"position\":0"},
        {"[1", "\"position\":2"},
        {"[1] x", "\"position\":4"},
        {"{\"id\":\"a\",", "\"position\":10"},
        {"{\"id\":\"a\",\"id\":\"b\"}", "\"position\":10"},
        {"{\"id\":\"\\ud800\"}", "\"position\":7"},
        {"{\"zz\":1,\"id\":\"a\",\"attributes\":{\"a\":{\"b\":1,\"b\":2}}}", "\"position\":42"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_refused(&f, texts[i].body, ERROR_INVALID_INPUT, texts[i].details);
    fixture_done(&f);
}

static void members_are_known_however_their_names_are_spelled(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_fit(&f, "{\"\\u0069d\":\"a\",\"attribut\\u0065s\":{\"a\":1}}");
    fixture_done(&f);
}

static void the_key_of_a_misshapen_message_is_kept_where_it_can_be_one(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct update *u = read_text(&f, "{\"idempotency_key\":\"k\\u0031\"}");
    assert_span(u->idempotency_key, "k1");
    assert_true(u->own_key);
    update_free(u);
    u = read_text(&f, "{\"idempotency_key\":1}");
    assert_span(u->idempotency_key, MESSAGE_ID);
    assert_false(u->own_key);
    update_free(u);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_the_wrong_shape_is_told_all_at_once_in_the_order_of_the_contract),
        cmocka_unit_test(what_is_no_object_is_refused_at_position_0_and_what_is_not_json_first),
        cmocka_unit_test(members_are_known_however_their_names_are_spelled),
        cmocka_unit_test(the_key_of_a_misshapen_message_is_kept_where_it_can_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
