#include "update_terms.h"

#include "update_fixture.h"

static void placeholders_that_could_never_be_used_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *members, *field;
    } cases[] = {
        {"\"expression_attribute_names\":{\"x\":\"a\"}", "expression_attribute_names.x"},
        {"\"expression_attribute_names\":{\"#\":\"a\"}", "expression_attribute_names.#"},
        {"\"expression_attribute_names\":{\"#a-b\":\"a\"}", "expression_attribute_names.#a-b"},
        {"\"expression_attribute_names\":{\":x\":\"a\"}", "expression_attribute_names.:x"},
        {"\"expression_attribute_names\":{\"#x\":\"\"}", "expression_attribute_names.#x"},
        {"\"expression_attribute_values\":{\"v\":1}", "expression_attribute_values.v"},
        {"\"expression_attribute_values\":{\"#v\":1}", "expression_attribute_values.#v"},
        {"\"expression_attribute_values\":{\":v\":1e999}", "expression_attribute_values.:v"},
        {"\"expression_attribute_values\":{\":v\":[1,1e999]}", "expression_attribute_values.:v[1]"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body =
            text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"a = b\",%s}", cases[i].members);
        assert_invalid(&f, body, cases[i].field);
        free(body);
    }
    fixture_done(&f);
}

static void undefined_and_unused_placeholders_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *members, *field;
    } cases[] = {
        {"\"condition_expression\":\"#x = :v\",\"expression_attribute_values\":{\":v\":1}",
         "expression_attribute_names.#x"},
        {"\"condition_expression\":\"a = :v\"", "expression_attribute_values.:v"},
        {"\"condition_expression\":\"a = :v\",\"expression_attribute_values\":{\":w\":1}",
         "expression_attribute_values.:v"},
        {"\"condition_expression\":\"a = 1\",\"expression_attribute_values\":{\":w\":1}",
         "expression_attribute_values.:w"},
        {"\"condition_expression\":\"a = 1\",\"expression_attribute_names\":{\"#w\":\"b\"}",
         "expression_attribute_names.#w"},
        {"\"expression_attribute_names\":{\"#w\":\"b\"}", "expression_attribute_names.#w"},
        {"\"expression_attribute_values\":{\":w\":\"b\"}", "expression_attribute_values.:w"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},%s}", cases[i].members);
        assert_invalid(&f, body, cases[i].field);
        free(body);
    }
    fixture_done(&f);
}

static void a_conditions_value_nests_32_deep(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (unsigned depth = 32; depth <= 33; depth++) {
        char *open = repeated("[", depth);
        char *close = repeated("]", depth);
        char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"a = :v\","
                             "\"expression_attribute_values\":{\":v\":%s%s}}",
                             open, close);
        if (depth == 32)
            assert_fit(&f, body);
        else
            assert_invalid(&f, body, "expression_attribute_values.:v");
        free(body);
        free(close);
        free(open);
    }
    fixture_done(&f);
}

static void names_and_values_are_found_among_many_whatever_their_order(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_fit(&f,
               "{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"#c = :b OR #a = :c OR #b.#a = :a\","
               "\"expression_attribute_names\":{\"#b\":\"bb\",\"#c\":\"c\\u0063\",\"#a\":\"aa\"},"
               "\"expression_attribute_values\":{\":c\":{\"z\":1,\"a\":[]},\":a\":null,\":b\":\"x\"}}");
    fixture_done(&f);
}

static void a_placeholder_is_the_same_however_its_json_is_escaped(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_fit(&f, "{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"#s = :v AND #b.#a < :w\","
                   "\"expression_attribute_names\":{\"\\u0023s\":\"status\",\"#\\u0062\":\"bb\",\"#a\":\"aa\"},"
                   "\"expression_attribute_values\":{\"\\u003av\":\"active\",\":\\u0077\":5}}");
    assert_invalid(&f,
                   "{\"id\":\"a\",\"attributes\":{\"x\":1},\"expression_attribute_names\":{\"\\u0023s\":\"status\"}}",
                   "expression_attribute_names.#s");
    assert_invalid(&f,
                   "{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"a = "
                   "1\",\"expression_attribute_names\":{\"#\\u002d\":\"s\"}}",
                   "expression_attribute_names.#-");
    fixture_done(&f);
}

static void values_beyond_dynamodbs_two_megabytes_are_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *ones = repeated("1,", 215000);
    char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":1},\"condition_expression\":\"a = :v\","
                         "\"expression_attribute_values\":{\":v\":[%s1]}}",
                         ones);
    assert_invalid(&f, body, "expression_attribute_values");
    free(body);
    free(ones);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_that_could_never_be_used_are_refused_by_name),
        cmocka_unit_test(undefined_and_unused_placeholders_are_refused_by_name),
        cmocka_unit_test(a_conditions_value_nests_32_deep),
        cmocka_unit_test(names_and_values_are_found_among_many_whatever_their_order),
        cmocka_unit_test(a_placeholder_is_the_same_however_its_json_is_escaped),
        cmocka_unit_test(values_beyond_dynamodbs_two_megabytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
