#include "update_fixture.h"

/* A message on record "a", audited, with these members beside. */
static char *body_of(const char *members) {
    return text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", members);
}

static void assert_members_invalid(const struct fixture *f, const char *members, const char *field) {
    char *body = body_of(members);
    assert_invalid(f, body, field);
    free(body);
}

static void assert_members_fit(const struct fixture *f, const char *members) {
    char *body = body_of(members);
    assert_fit(f, body);
    free(body);
}

static void what_updates_something_needs_no_attributes(void **state) {
    (void)state;
    static const char *const fit[] = {
        "\"set\":{\"a.b\":1}",
        "\"increment\":{\"n\":1}",
        "\"append\":{\"l\":[1]}",
        "\"remove\":[\"x\"]",
        "\"typed_attributes\":{\"s\":{\"SS\":[\"a\"]}}",
        "\"attributes\":{\"x\":1},\"create_if_missing\":true",
        "\"remove\":[\"x\"],\"create_if_missing\":false",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(fit); i++)
        assert_members_fit(&f, fit[i]);
    assert_refused(&f, "{\"id\":\"a\",\"create_if_missing\":true}", ERROR_INVALID_INPUT,
                   "\"missing_fields\":[\"attributes\"]");
    fixture_done(&f);
}

static void the_shape_of_each_member_is_checked_in_the_order_of_the_table(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"set\":{}", "\"invalid_fields\":[\"set\"]"},
        {"\"set\":[1]", "\"invalid_fields\":[\"set\"]"},
        {"\"increment\":5", "\"invalid_fields\":[\"increment\"]"},
        {"\"append\":[]", "\"invalid_fields\":[\"append\"]"},
        {"\"remove\":[]", "\"invalid_fields\":[\"remove\"]"},
        {"\"remove\":\"a\"", "\"invalid_fields\":[\"remove\"]"},
        {"\"remove\":{\"a\":1}", "\"invalid_fields\":[\"remove\"]"},
        {"\"typed_attributes\":{}", "\"invalid_fields\":[\"typed_attributes\"]"},
        {"\"remove\":[\"a\"],\"create_if_missing\":\"yes\"", "\"invalid_fields\":[\"create_if_missing\"]"},
        {"\"create_if_missing\":1,\"typed_attributes\":1,\"remove\":1,\"append\":1,\"increment\":1,\"set\":1,"
         "\"attributes\":1",
         "\"invalid_fields\":[\"attributes\",\"set\",\"increment\",\"append\",\"remove\",\"typed_attributes\",\"create_"
         "if_missing\"]"},
        /* A null member is not there, and reported. */
        {"\"set\":null", "\"missing_fields\":[\"attributes\"],\"invalid_fields\":[\"set\"]"},
        {"\"attributes\":null", "\"missing_fields\":[\"attributes\"]"},
        {"\"attributes\":null,\"remove\":[\"a\"]", "\"invalid_fields\":[\"attributes\"]"},
        {"\"attributes\":{\"x\":1},\"create_if_missing\":null", "\"invalid_fields\":[\"create_if_missing\"]"},
        {"\"sets\":{\"a\":1}", "\"missing_fields\":[\"attributes\"],\"unknown_fields\":[\"sets\"]"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = body_of(cases[i][0]);
        assert_refused(&f, body, ERROR_INVALID_INPUT, cases[i][1]);
        free(body);
    }
    fixture_done(&f);
}

static void a_path_that_is_none_is_a_validation_error_on_it_as_it_was_written(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"set\":{\"a-b\":1}", "set.a-b"},
        {"\"set\":{\"a\":1,\"\":1}", "set"},
        {"\"increment\":{\"a..b\":1}", "increment.a..b"},
        {"\"append\":{\"and\":[1]}", "append.and"},
        {"\"remove\":[\"a\",\"b c\"]", "remove.b c"},
        {"\"remove\":[\"a\",\"\"]", "remove"},
        {"\"remove\":[\"a\",5]", "remove[1]"},
        {"\"remove\":[[\"a\"]]", "remove[0]"},
        {"\"remove\":[\"a\",null,\"b\"]", "remove[1]"},
        {"\"remove\":[\"a\",\"b\",{}]", "remove[2]"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_members_invalid(&f, cases[i][0], cases[i][1]);
    fixture_done(&f);
}

static void names_of_paths_may_be_placeholders_which_then_count_as_used(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_members_fit(&f, "\"set\":{\"#a.#b\":1},\"remove\":[\"#c\"],\"expression_attribute_names\":{\"#a\":\"x "
                           "y\",\"#b\":\"z\",\"#c\":\"é\"}");
    assert_members_fit(&f, "\"set\":{\"#a\":1},\"condition_expression\":\"#b = "
                           "1\",\"expression_attribute_names\":{\"#a\":\"x\",\"#b\":\"y\"}");
    assert_members_invalid(&f, "\"set\":{\"#a\":1},\"expression_attribute_names\":{\"#b\":\"x\",\"#a\":\"y\"}",
                           "expression_attribute_names.#b");
    assert_members_invalid(&f, "\"set\":{\"#a\":1}", "expression_attribute_names.#a");
    assert_members_invalid(&f, "\"set\":{\"a\":1},\"expression_attribute_values\":{\":v\":1}",
                           "expression_attribute_values.:v");
    assert_members_invalid(&f, "\"set\":{\":v\":1},\"expression_attribute_values\":{\":v\":1}", "set.:v");
    /* A placeholder means its name, whatever stands in it. */
    assert_members_invalid(&f, "\"set\":{\"#a.x\":1},\"expression_attribute_names\":{\"#a\":\"id\"}", "set.#a.x");
    fixture_done(&f);
}

static void
more_updates_than_an_expression_can_hold_are_refused_with_their_count_on_the_member_that_has_most(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    static const struct {
        const char *element;
        const char *begin, *end, *field;
        unsigned fit, beyond;
    } cases[] = {
        {"\"a%u\"", "\"remove\":[", "]", "remove", 900, 1100},
        {"\"a%u\"", "\"remove\":[", "]", "remove", 900, 20000},
        {"\"a%u\":1", "\"set\":{", "}", "set", 500, 560},
        {"\"a%u\":1", "\"increment\":{", "}", "increment", 500, 560},
        {"\"m.a%u\":1", "\"increment\":{", "}", "increment", 90, 200},
        {"\"a%u\":[1]", "\"append\":{", "}", "append", 90, 120},
        {"\"a%u\":{\"S\":\"\"}", "\"typed_attributes\":{", "}", "typed_attributes", 500, 560},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (int fits = 0; fits < 2; fits++) {
            unsigned count = fits ? cases[i].fit : cases[i].beyond;
            struct buf members;
            buf_init(&members, SIZE_MAX);
            buf_printf(&members, "\"attributes\":{\"other\":1},%s", cases[i].begin);
            for (unsigned n = 0; n < count; n++) {
                char element[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                (void)snprintf(element, sizeof element, cases[i].element, n);
#pragma GCC diagnostic pop
                buf_printf(&members, "%s%s", n ? "," : "", element);
            }
            buf_append_cstr(&members, cases[i].end);
            if (fits) {
                assert_members_fit(&f, members.data);
            } else {
                char *body = body_of(members.data);
                struct update *u = read_text(&f, body);
                char *total = text_of("%u updates", count + 1);
                char *field = text_of("\"field\":\"%s\",", cases[i].field);
                assert_int_equal(u->failure.type, ERROR_VALIDATION);
                assert_non_null(strstr(u->failure.message.data, total));
                assert_non_null(strstr(u->failure.details.data, field));
                free(field);
                free(total);
                update_free(u);
                free(body);
            }
            buf_free(&members);
        }
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_updates_something_needs_no_attributes),
        cmocka_unit_test(the_shape_of_each_member_is_checked_in_the_order_of_the_table),
        cmocka_unit_test(a_path_that_is_none_is_a_validation_error_on_it_as_it_was_written),
        cmocka_unit_test(names_of_paths_may_be_placeholders_which_then_count_as_used),
        cmocka_unit_test(
            more_updates_than_an_expression_can_hold_are_refused_with_their_count_on_the_member_that_has_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
