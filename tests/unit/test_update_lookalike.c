#include "update_fixture.h"

static struct update *read_members(const struct fixture *f, char **ret_body, const char *members) {
    *ret_body = text_of("{\"id\":\"a\",%s}", members);
    return read_text(f, *ret_body);
}

static void dynamodbs_json_and_update_operators_are_refused_with_the_way_out(void **state) {
    (void)state;
    static const struct {
        const char *members, *field, *way;
    } cases[] = {
        {"\"attributes\":{\"ok\":1,\"e\":{\"S\":\"a@x\"}}", "attributes.e", "typed_attributes"},
        {"\"attributes\":{\"e\":{\"N\":\"5\"}}", "attributes.e", "plain JSON"},
        {"\"attributes\":{\"e\":{\"B\":\"AA==\"}}", "attributes.e", "typed_attributes"},
        {"\"attributes\":{\"e\":{\"BOOL\":false}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"NULL\":true}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"M\":{}}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"M\":{\"x\":{\"S\":\"y\"}}}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"L\":[]}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"SS\":[\"a\"]}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"NS\":[\"1\"]}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"BS\":[\"\"]}}", "attributes.e", ""},
        {"\"attributes\":{\"e\":{\"\\u0053\":\"x\"}}", "attributes.e", ""},
        {"\"attributes\":{\"n\":{\"$inc\":1}}", "attributes.n", "increment"},
        {"\"attributes\":{\"n\":{\"$\":1}}", "attributes.n", ""},
        {"\"attributes\":{\"n\":{\"\\u0024push\":[1]}}", "attributes.n", "append"},
        {"\"attributes\":{\"n\":{\"$unset\":\"\"}}", "attributes.n", "remove"},
        {"\"set\":{\"a.b\":{\"S\":\"x\"}}", "set.a.b", ""},
        {"\"set\":{\"a.b\":{\"$set\":1}}", "set.a.b", "set"},
        {"\"append\":{\"l\":[1,2,{\"S\":\"x\"}]},\"enable_logging\":true", "append.l[2]", ""},
        {"\"append\":{\"l\":[[],{\"$each\":[]}]},\"enable_logging\":true", "append.l[1]", ""},
        {"\"attributes\":{\"x\":1},\"condition_expression\":\"a = "
         ":v\",\"expression_attribute_values\":{\":v\":{\"S\":\"x\"}}",
         "expression_attribute_values.:v", "plain JSON"},
        {"\"attributes\":{\"x\":1},\"condition_expression\":\"a = "
         ":v\",\"expression_attribute_values\":{\":v\":{\"$gt\":1}}",
         "expression_attribute_values.:v", "plain values"},
        /* The first in the message's order. */
        {"\"attributes\":{\"z\":{\"S\":\"x\"},\"a\":{\"S\":\"x\"}}", "attributes.z", ""},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body;
        struct update *u = read_members(&f, &body, cases[i].members);
        char *field = text_of("\"field\":\"%s\",", cases[i].field);
        if (u->failure.type != ERROR_VALIDATION || !strstr(u->failure.details.data, field) ||
            !strstr(u->failure.message.data, cases[i].way))
            fail_msg("%s gives %s", body, u->failure.details.data ? u->failure.details.data : "nothing");
        free(field);
        update_free(u);
        free(body);
    }
    fixture_done(&f);
}

static void what_typed_attributes_would_not_take_is_data(void **state) {
    (void)state;
    static const char *const cases[] = {
        "{\"S\":1}",
        "{\"S\":\"x\",\"N\":\"1\"}",
        "{\"N\":5}",
        "{\"N\":\"five\"}",
        "{\"B\":\"%\"}",
        "{\"BOOL\":\"yes\"}",
        "{\"NULL\":false}",
        "{\"M\":{\"a\":1}}",
        "{\"M\":[]}",
        "{\"L\":[1]}",
        "{\"SS\":[]}",
        "{\"SS\":[\"a\",\"a\"]}",
        "{\"NS\":[\"x\"]}",
        "{\"s\":\"x\"}",
        "{\"$ref\":\"#/x\"}",
        "{\"$oid\":\"5\"}",
        "{\"$date\":\"2024\"}",
        "{\"$id\":\"x\"}",
        "{\"$a\":1,\"b\":2}",
        "{\"deep\":{\"S\":\"x\"}}",
        "[{\"S\":\"x\"}]",
        "\"$inc\"",
        "{}",
        "{\"\\\\u0024\":1}",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = text_of("{\"id\":\"a\",\"attributes\":{\"x\":%s},\"set\":{\"m.y\":%s},\"append\":{\"l\":[%s]},"
                             "\"enable_logging\":true}",
                             cases[i], cases[i], cases[i]);
        assert_fit(&f, body);
        free(body);
    }
    fixture_done(&f);
}

static void an_audited_one_is_confirmed_since_a_version_without_the_rule_may_have_applied_it(void **state) {
    (void)state;
    static const char members[] = "\"attributes\":{\"z\":{\"S\":\"x\"},\"a\":[1.0]}";
    struct fixture f;
    fixture_init(&f);
    char *body;
    struct update *u = read_members(&f, &body, members);
    assert_false(u->confirm_refusal);
    update_free(u);
    free(body);
    f.context.audit = AUDIT_ALWAYS;
    u = read_members(&f, &body, members);
    assert_true(u->confirm_refusal && u->audited && u->readable);
    /* SHA-256 of the text that the format's comment describes, made with another program: as it was hashed before. */
    assert_string_equal(u->request_hash, "v1:ea0dc9a8c3b87383ac6202f0b4f2a7818bb24aef77426380c1526a495f0319b4");
    update_free(u);
    free(body);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dynamodbs_json_and_update_operators_are_refused_with_the_way_out),
        cmocka_unit_test(what_typed_attributes_would_not_take_is_data),
        cmocka_unit_test(an_audited_one_is_confirmed_since_a_version_without_the_rule_may_have_applied_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
