#include "update_fixture.h"

#define PATH "The document path provided in the update expression is invalid for update"
#define OPERAND "An operand in the update expression has an incorrect data type"
#define OVERFLOW "Number overflow. Attempting to store a number with magnitude larger than supported range"
#define SIZE "Item size to update has exceeded the maximum allowed size"

static void what_dynamodb_refuses_is_said_of_the_one_path_that_it_can_mean_or_else_of_the_member(void **state) {
    (void)state;
    static const struct {
        const char *members, *sentence, *field;
    } cases[] = {
        {"\"attributes\":{\"x\":1}", SIZE, "attributes"},
        {"\"attributes\":{\"x\":1}", PATH, "attributes"},
        {"\"attributes\":{\"x\":1}", "Invalid ConditionExpression: something", "condition_expression"},
        {"\"typed_attributes\":{\"x\":{\"S\":\"\"}}", SIZE, "typed_attributes"},
        {"\"set\":{\"a.b\":1}", PATH, "set.a.b"},
        {"\"set\":{\"a.b\":1,\"c.d\":1}", PATH, "set"},
        {"\"set\":{\"a.b\":1,\"c\":1},\"increment\":{\"n\":1}", PATH, "set.a.b"},
        {"\"attributes\":{\"x\":1},\"remove\":[\"a\",\"b[0]\"]", PATH, "remove.b[0]"},
        {"\"set\":{\"a.b\":1},\"remove\":[\"c.d\"]", PATH, "set"},
        {"\"attributes\":{\"x\":1},\"increment\":{\"n\":1}", OPERAND, "increment.n"},
        {"\"set\":{\"x\":1},\"append\":{\"#l\":[1]},\"expression_attribute_names\":{\"#l\":\"l\"}", OPERAND,
         "append.#l"},
        {"\"increment\":{\"n\":1,\"m\":1},\"set\":{\"x\":1}", OPERAND, "increment"},
        {"\"increment\":{\"n\":1},\"append\":{\"l\":[1]}", OVERFLOW, "increment.n"},
        {"\"set\":{\"x\":1}", SIZE, "set.x"},
        {"\"set\":{\"x\":1},\"attributes\":{\"y\":1}", SIZE, "attributes"},
        {"\"remove\":[\"x\"]", OPERAND, "remove.x"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (int built = 0; built < 2; built++) {
            char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", cases[i].members);
            struct update *u = read_fit(&f, body);
            assert_true(!built || update_build(&f.context, u, WALL));
            update_fail_refused(&f.context, u, span_cstr(cases[i].sentence), built);
            char *details = text_of("\"field\":\"%s\",\"reason\":\"%s%s\"", cases[i].field,
                                    built ? "only the audit record is refused: " : "", cases[i].sentence);
            assert_int_equal(u->failure.type, ERROR_VALIDATION);
            assert_string_equal(u->failure.details.data, details);
            free(details);
            update_free(u);
            free(body);
        }
    fixture_done(&f);
}

static void a_refusals_arns_are_left_out_and_the_rest_is_told(void **state) {
    (void)state;
    static const struct {
        const char *sentence, *reason;
    } cases[] = {
        {"Size of arn:aws:dynamodb:eu-west-1:123456789012:table/users is too large", "Size of … is too large"},
        {"arn:aws:kms:x:1:key/a", "…"},
        {"of (arn:aws-cn:x), 'arn:aws:y'", "of (…), '…'"},
        {"no learning", "no learning"},
        {"ends in arn:", "ends in …"},
        {"", "DynamoDB's validation refused it"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct update *u = read_fit(&f, "{\"id\":\"a\",\"attributes\":{\"x\":1}}");
        update_fail_refused(&f.context, u, span_cstr(cases[i].sentence), false);
        struct span reason = failure_reason(&u->failure);
        assert_int_equal(reason.len, strlen(cases[i].reason));
        assert_memory_equal(reason.data, cases[i].reason, reason.len);
        update_free(u);
    }
    fixture_done(&f);
}

static void a_false_condition_says_nothing_of_the_record_where_that_may_be_created(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (int create = 0; create < 2; create++) {
        struct update *u = read_fit(&f, create ? "{\"id\":\"a\",\"attributes\":{\"x\":1},\"create_if_missing\":true}"
                                               : "{\"id\":\"a\",\"attributes\":{\"x\":1}}");
        update_fail_condition(u, true);
        assert_int_equal(u->failure.type, ERROR_CONDITIONAL_CHECK);
        assert_string_equal(u->failure.message.data, create
                                                         ? "The condition_expression is false"
                                                         : "The record exists, but its condition_expression is false");
        assert_string_equal(u->failure.details.data, "\"id\":\"a\"");
        update_fail_condition(u, false);
        assert_int_equal(u->failure.type, create ? ERROR_CONDITIONAL_CHECK : ERROR_RECORD_NOT_FOUND);
        update_free(u);
    }
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_dynamodb_refuses_is_said_of_the_one_path_that_it_can_mean_or_else_of_the_member),
        cmocka_unit_test(a_refusals_arns_are_left_out_and_the_rest_is_told),
        cmocka_unit_test(a_false_condition_says_nothing_of_the_record_where_that_may_be_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
