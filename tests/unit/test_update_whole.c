#include "update_fixture.h"

#include "attribute_value.h"

static void assert_members_invalid(const struct fixture *f, const char *members, const char *field) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", members);
    assert_invalid(f, body, field);
    free(body);
}

static void what_overlaps_is_refused_on_the_second_path_in_the_order_of_updated_attributes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"set\":{\"a.b\":1,\"a\":2}", "set.a"},
        {"\"set\":{\"a\":1},\"attributes\":{\"a\":2}", "set.a"},
        {"\"set\":{\"a.b\":1},\"typed_attributes\":{\"a\":{\"S\":\"x\"}}", "set.a.b"},
        {"\"typed_attributes\":{\"a\":{\"S\":\"x\"}},\"attributes\":{\"a\":2}", "typed_attributes.a"},
        {"\"remove\":[\"a\"],\"increment\":{\"a\":2}", "remove.a"},
        {"\"remove\":[\"b\",\"a[0]\"],\"increment\":{\"a.n\":2}", "remove.a[0]"},
        {"\"append\":{\"a\":[1]},\"increment\":{\"`a`[0]\":2}", "append.a"},
        {"\"set\":{\"`a`\":1,\"a\":2}", "set.a"},
        {"\"set\":{\"#n\":1,\"a\":2},\"expression_attribute_names\":{\"#n\":\"a\"}", "set.a"},
        {"\"set\":{\"a\":2,\"#n\":1},\"expression_attribute_names\":{\"#n\":\"a\"}", "set.#n"},
        {"\"attributes\":{\"\\u0061\":1},\"remove\":[\"a\"]", "remove.a"},
        {"\"remove\":[\"a.b\",\"c\",\"c\",\"a.b\"]", "remove.c"},
    };
    static const char *const fit[] = {
        "\"attributes\":{\"a.b\":1},\"set\":{\"a.b\":1}",
        "\"set\":{\"a.b\":1,\"a.c\":1,\"a.d[0]\":1,\"a.d[1].x\":1}",
        "\"set\":{\"ab\":1,\"a\":1}",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_members_invalid(&f, cases[i][0], cases[i][1]);
    for (size_t i = 0; i < ARRAY_LENGTH(fit); i++) {
        char *body = text_of("{\"id\":\"a\",\"enable_logging\":true,%s}", fit[i]);
        assert_fit(&f, body);
        free(body);
    }
    fixture_done(&f);
}

/* What the record and its audit record hold is counted; what comes beside `id` and `a` is all in the value. */
static void assert_size(const struct fixture *f, bool audited, const char *before, size_t value, const char *after,
                        const char *refused_for) {
    char *text = repeated("v", value);
    char *body =
        text_of("{\"id\":\"a\",\"enable_logging\":%s,%s%s%s}", audited ? "true" : "false", before, text, after);
    struct update *u = read_text(f, body);
    if (!refused_for && u->failure.type != ERROR_NONE)
        fail_msg("%zu: %s", value, u->failure.message.data);
    if (refused_for) {
        assert_int_equal(u->failure.type, ERROR_VALIDATION);
        assert_non_null(strstr(u->failure.message.data, refused_for));
    }
    update_free(u);
    free(body);
    free(text);
}

static void all_that_is_updated_counts_together(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const size_t record = ITEM_SIZE_MAX - 3;
    assert_size(&f, false, "\"set\":{\"x\":\"", record - 1, "\"}", NULL);
    assert_size(&f, false, "\"set\":{\"x\":\"", record, "\"}", "Invalid set: a record has at most 409600 bytes");
    assert_size(&f, false, "\"set\":{\"m.x\":\"", record - 2, "\"}", NULL);
    assert_size(&f, false, "\"typed_attributes\":{\"x\":{\"S\":\"", record - 1, "\"}}", NULL);
    assert_size(&f, false, "\"typed_attributes\":{\"x\":{\"S\":\"", record, "\"}}",
                "Invalid typed_attributes: a record");
    assert_size(&f, false, "\"attributes\":{\"y\":\"yyyy\"},\"set\":{\"x\":\"", record - 1 - 5, "\"}", NULL);
    assert_size(&f, false, "\"attributes\":{\"y\":\"yyyy\"},\"set\":{\"x\":\"", record - 5, "\"}",
                "Invalid attributes: a record");
    /* As in the test of attributes; updated_attributes 18+3, update 6+3, set 3+3+1, x 1+1. */
    const size_t audit = ITEM_SIZE_MAX - 70 - 33 - 15 - 10 - 21 - 29 - 13 - 51 - 79 - 11 - 9 - 7 - 2;
    assert_size(&f, true, "\"set\":{\"x\":\"", audit, "\"}", NULL);
    assert_size(&f, true, "\"set\":{\"x\":\"", audit + 1, "\"}", "its audit record");
    assert_size(&f, true, "\"create_if_missing\":true,\"set\":{\"x\":\"", audit - 19, "\"}", NULL);
    assert_size(&f, true, "\"create_if_missing\":true,\"set\":{\"x\":\"", audit - 18, "\"}", "its audit record");
    assert_size(&f, true, "\"remove\":[\"`it``s`.b[10]\"],\"set\":{\"x\":\"", audit - 24, "\"}", NULL);
    assert_size(&f, true, "\"remove\":[\"`it``s`.b[10]\"],\"set\":{\"x\":\"", audit - 23, "\"}", "its audit record");
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_overlaps_is_refused_on_the_second_path_in_the_order_of_updated_attributes),
        cmocka_unit_test(all_that_is_updated_counts_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
