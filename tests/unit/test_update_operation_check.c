#include "update_fixture.h"

static void assert_members_invalid(const struct fixture *f, bool audited, const char *members, const char *field) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":%s,%s}", audited ? "true" : "false", members);
    assert_invalid(f, body, field);
    free(body);
}

static struct update *read_members(const struct fixture *f, bool audited, const char *members) {
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":%s,%s}", audited ? "true" : "false", members);
    struct update *u = read_text(f, body);
    if (u->failure.type != ERROR_NONE)
        fail_msg("%s\nis refused: %s", body, u->failure.message.data);
    free(body);
    return u;
}

static void a_value_has_the_type_that_its_operation_takes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"increment\":{\"n\":\"1\"}", "increment.n"},
        {"\"increment\":{\"a\":1,\"m.n\":null}", "increment.m.n"},
        {"\"increment\":{\"n\":[1]}", "increment.n"},
        {"\"increment\":{\"n\":1e126}", "increment.n"},
        {"\"increment\":{\"n\":123456789012345678901234567890123456789}", "increment.n"},
        {"\"append\":{\"l\":1}", "append.l"},
        {"\"append\":{\"l\":[]}", "append.l"},
        {"\"append\":{\"l\":{\"0\":1}}", "append.l"},
        {"\"append\":{\"l\":[1,1e126]}", "append.l[1]"},
        {"\"set\":{\"a.b\":{\"c\":[1e126]}}", "set.a.b.c[0]"},
        {"\"set\":{\"a\":{\"\":1}}", "set.a"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_members_invalid(&f, true, cases[i][0], cases[i][1]);
    fixture_done(&f);
}

static void no_path_begins_with_a_key_attribute_or_goes_into_an_index_key(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"set\":{\"id\":1}", "set.id"},
        {"\"set\":{\"id.x\":1}", "set.id.x"},
        {"\"set\":{\"`id`\":1}", "set.`id`"},
        {"\"remove\":[\"id\"]", "remove.id"},
        {"\"increment\":{\"id[0]\":1}", "increment.id[0]"},
        {"\"typed_attributes\":{\"id\":{\"S\":\"x\"}}", "typed_attributes.id"},
        {"\"set\":{\"email.x\":\"y\"}", "set.email.x"},
        {"\"remove\":[\"email[0]\"]", "remove.email[0]"},
        {"\"set\":{\"email\":5}", "set.email"},
        {"\"set\":{\"email\":\"\"}", "set.email"},
        {"\"set\":{\"photo\":\"AAE=\"}", "set.photo"},
        {"\"increment\":{\"email\":1}", "increment.email"},
        {"\"increment\":{\"photo\":1}", "increment.photo"},
        {"\"append\":{\"email\":[1]}", "append.email"},
        {"\"append\":{\"age\":[1]}", "append.age"},
        {"\"typed_attributes\":{\"email\":{\"N\":\"1\"}}", "typed_attributes.email"},
        {"\"typed_attributes\":{\"email\":{\"S\":\"\"}}", "typed_attributes.email"},
        {"\"typed_attributes\":{\"age\":{\"NS\":[\"1\"]}}", "typed_attributes.age"},
        {"\"typed_attributes\":{\"photo\":{\"B\":\"\"}}", "typed_attributes.photo"},
    };
    static const char *const fit[] = {
        "\"set\":{\"email\":\"x\",\"age\":5}",
        "\"remove\":[\"email\"]",
        "\"increment\":{\"age\":1}",
        "\"typed_attributes\":{\"email\":{\"S\":\"x\"},\"age\":{\"N\":\"5\"},\"photo\":{\"B\":\"AAE=\"}}",
        "\"set\":{\"m.id\":1,\"m.email\":5}",
    };
    struct fixture f;
    fixture_init(&f);
    fixture_add_index_key(&f, "email", KEY_STRING);
    fixture_add_index_key(&f, "age", KEY_NUMBER);
    fixture_add_index_key(&f, "photo", KEY_BINARY);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_members_invalid(&f, true, cases[i][0], cases[i][1]);
    for (size_t i = 0; i < ARRAY_LENGTH(fit); i++)
        update_free(read_members(&f, true, fit[i]));
    fixture_done(&f);
}

static void what_a_second_delivery_would_do_twice_needs_an_audit_record_that_outlives_the_queue(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"increment\":{\"n\":1}", "increment"},
        {"\"append\":{\"l\":[1]}", "append"},
        {"\"set\":{\"a\":1,\"l[0]\":1}", "set.l[0]"},
        {"\"remove\":[\"a\",\"m.l[0].x\"]", "remove.m.l[0].x"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        f.context.audit_ends_early = false;
        assert_members_invalid(&f, false, cases[i][0], cases[i][1]);
        struct update *u = read_members(&f, true, cases[i][0]);
        assert_true(u->repeats);
        update_free(u);
        f.context.audit_ends_early = true;
        assert_members_invalid(&f, true, cases[i][0], cases[i][1]);
    }
    struct update *u = read_members(&f, false, "\"set\":{\"a.b\":1},\"remove\":[\"c\"],\"create_if_missing\":true");
    assert_false(u->repeats);
    assert_true(u->create_if_missing);
    update_free(u);
    fixture_done(&f);
}

static char *nested(size_t depth) {
    char *open = repeated("[", depth), *close = repeated("]", depth);
    char *text = text_of("%s%s", open, close);
    free(open);
    free(close);
    return text;
}

/* The lists and maps of the path count with the value's own; an audit record has two more around it. */
static void a_value_nests_as_deep_as_the_record_and_its_audit_record_allow(void **state) {
    (void)state;
    static const struct {
        bool audited;
        const char *format, *field;
        size_t fits;
        const char *reason;
    } cases[] = {
        {false, "\"set\":{\"a\":%s}", "set.a", 31, "nests at most 31"},
        {false, "\"set\":{\"a.b.c\":%s}", "set.a.b.c", 29, "a record nests at most 31"},
        {true, "\"set\":{\"a\":%s}", "set.a", 29, "only the audit record"},
        {true, "\"set\":{\"a.b.c.d\":%s}", "set.a.b.c.d", 28, "a record nests at most 31"},
        {true, "\"append\":{\"a\":%s}", "append.a", 29, "only the audit record"},
        {true, "\"append\":{\"a.b.c.d\":%s}", "append.a.b.c.d", 28, "a record nests at most 31"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (size_t more = 0; more < 2; more++) {
            char *value = nested(cases[i].fits + more);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            char members[512];
            (void)snprintf(members, sizeof members, cases[i].format, value);
#pragma GCC diagnostic pop
            if (more == 0) {
                update_free(read_members(&f, cases[i].audited, members));
            } else {
                assert_members_invalid(&f, cases[i].audited, members, cases[i].field);
                char *body =
                    text_of("{\"id\":\"a\",\"enable_logging\":%s,%s}", cases[i].audited ? "true" : "false", members);
                struct update *u = read_text(&f, body);
                assert_non_null(strstr(u->failure.message.data, cases[i].reason));
                update_free(u);
                free(body);
            }
            free(value);
        }
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_the_type_that_its_operation_takes),
        cmocka_unit_test(no_path_begins_with_a_key_attribute_or_goes_into_an_index_key),
        cmocka_unit_test(what_a_second_delivery_would_do_twice_needs_an_audit_record_that_outlives_the_queue),
        cmocka_unit_test(a_value_nests_as_deep_as_the_record_and_its_audit_record_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
