#include "update_fixture.h"

static void assert_held(const struct fixture *f, const char *members, const char *held, const char *missing) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", members);
    struct update *u = read_text(f, body);
    if (u->failure.type == ERROR_NONE)
        failure_for_id(&u->failure, ERROR_RECORD_NOT_FOUND, u->id);
    struct buf out;
    buf_init(&out, SIZE_MAX);
    assert_true(update_append_failure_record(&f->context, u, WALL, &out));
    if (!strstr(out.data, held) || (missing && strstr(out.data, missing)))
        fail_msg("%s\nhas not %s", out.data, held);
    assert_non_null(strstr(out.data, "#failure\"},"));
    assert_non_null(strstr(out.data, "\"record_key\":{\"S\":\"a\"}"));
    buf_free(&out);
    update_free(u);
    free(body);
}

static void a_failures_record_holds_what_was_asked_for_as_far_as_it_is_fit(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_held(&f, "\"increment\":{\"#n\":1},\"expression_attribute_names\":{\"#n\":\"n\"}",
                "\"updated_attributes\":{\"M\":{}},\"update\":{\"M\":{\"increment\":{\"M\":{\"n\":{\"N\":\"1\"}}}}},",
                NULL);
    assert_held(
        &f, "\"attributes\":{\"x\":1},\"remove\":[\"y\"],\"condition_expression\":\"nonsense\"",
        "\"updated_attributes\":{\"M\":{\"x\":{\"N\":\"1\"}}},\"update\":{\"M\":{\"remove\":{\"L\":[{\"S\":\"y\"}]}}},",
        NULL);
    assert_held(&f, "\"attributes\":{\"x\":1},\"remove\":[\"a b\"]",
                "\"updated_attributes\":{\"M\":{\"x\":{\"N\":\"1\"}}},", "\"update\"");
    assert_held(&f, "\"attributes\":{\"x\":1e126},\"remove\":[\"y\"]",
                "\"updated_attributes\":{\"M\":{}},\"update\":{\"M\":{\"remove\"", NULL);
    assert_held(&f, "\"attributes\":{\"x\":1},\"typed_attributes\":{\"y\":{\"S\":1}}",
                "\"updated_attributes\":{\"M\":{}},", "\"update\"");
    assert_held(&f, "\"attributes\":{\"x\":1},\"create_if_missing\":true",
                "\"update\":{\"M\":{\"create_if_missing\":{\"BOOL\":true}}},", NULL);
    assert_held(&f, "\"attributes\":{\"x\":{\"S\":\"y\"}}",
                "\"updated_attributes\":{\"M\":{\"x\":{\"M\":{\"S\":{\"S\":\"y\"}}}}}", "\"update\"");
    assert_held(&f, "\"set\":{\"a\":1,\"a.b\":1}",
                "\"update\":{\"M\":{\"set\":{\"M\":{\"a\":{\"N\":\"1\"},\"a.b\":{\"N\":\"1\"}}}}}", NULL);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failures_record_holds_what_was_asked_for_as_far_as_it_is_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
