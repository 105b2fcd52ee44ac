#include "update_fixture.h"

static void assert_in_audit_record(const struct fixture *f, const char *members, const char *expected) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", members);
    struct update *u = read_fit(f, body);
    assert_true(update_build(&f->context, u, WALL));
    if (!strstr(u->request.data, expected))
        fail_msg("%s\nlacks %s", u->request.data, expected);
    update_free(u);
    free(body);
}

static void an_audit_record_holds_values_and_all_else_with_resolved_paths(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_in_audit_record(
        &f, "\"increment\":{\"n\":1}",
        "\"updated_attributes\":{\"M\":{}},\"update\":{\"M\":{\"increment\":{\"M\":{\"n\":{\"N\":\"1\"}}}}},");
    assert_in_audit_record(
        &f, "\"attributes\":{\"b\":1},\"typed_attributes\":{\"a\":{\"SS\":[\"x\"]}}",
        "\"updated_attributes\":{\"M\":{\"b\":{\"N\":\"1\"},\"a\":{\"SS\":[\"x\"]}}},\"user_agent\"");
    assert_in_audit_record(&f, "\"typed_attributes\":{\"b\":{\"S\":\"\"},\"a\":{\"SS\":[\"x\"]}}",
                           "\"updated_attributes\":{\"M\":{\"a\":{\"SS\":[\"x\"]},\"b\":{\"S\":\"\"}}},\"user_agent\"");
    assert_in_audit_record(
        &f,
        "\"remove\":[\"z\",\"#n[0]\"],\"append\":{\"l\":[1]},\"set\":{\"`it``s`.`\\\"`\":{}},\"create_if_missing\":"
        "true,"
        "\"expression_attribute_names\":{\"#n\":\"first name\"}",
        "\"update\":{\"M\":{\"set\":{\"M\":{\"`it``s`.`\\\"`\":{\"M\":{}}}},\"append\":{\"M\":{\"l\":{\"L\":[{\"N\":"
        "\"1\"}]}}},"
        "\"remove\":{\"L\":[{\"S\":\"`first name`[0]\"},{\"S\":\"z\"}]},\"create_if_missing\":{\"BOOL\":true}}},");
    assert_in_audit_record(&f, "\"attributes\":{\"b\":1},\"create_if_missing\":false",
                           "\"updated_attributes\":{\"M\":{\"b\":{\"N\":\"1\"}}},\"user_agent\"");
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_audit_record_holds_values_and_all_else_with_resolved_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
