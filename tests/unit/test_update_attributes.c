#include "update_fixture.h"

#include "update_parts.h"

static void assert_attributes_invalid(const struct fixture *f, const char *attributes, const char *field) {
    char *body = text_of("{\"id\":\"a\",\"attributes\":%s}", attributes);
    assert_invalid(f, body, field);
    free(body);
}

static void what_the_table_says_of_an_attribute_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *attributes, *field;
    } cases[] = {
        {"{\"x\":1,\"id\":\"b\"}", "attributes.id"}, {"{\"\":1}", "attributes"},
        {"{\"email\":1}", "attributes.email"},       {"{\"email\":null}", "attributes.email"},
        {"{\"email\":\"\"}", "attributes.email"},    {"{\"score\":\"1\"}", "attributes.score"},
        {"{\"blob\":\"AAAA\"}", "attributes.blob"},  {"{\"x\":{\"y\":[0,1e200]}}", "attributes.x.y[1]"},
        {"{\"x.y\":1e200}", "attributes.x.y"},
    };
    struct fixture f;
    fixture_init(&f);
    fixture_add_index_key(&f, "email", KEY_STRING);
    fixture_add_index_key(&f, "score", KEY_NUMBER);
    fixture_add_index_key(&f, "blob", KEY_BINARY);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_attributes_invalid(&f, cases[i].attributes, cases[i].field);
    assert_fit(&f,
               "{\"id\":\"a\",\"attributes\":{\"email\":\"x\",\"score\":1.5,\"x\":\"\",\"y\":{\"email\":1,\"id\":2}}}");
    char *key = repeated("k", 2049);
    char *attributes = text_of("{\"email\":\"%s\"}", key);
    assert_attributes_invalid(&f, attributes, "attributes.email");
    free(attributes);
    free(key);
    fixture_done(&f);
}

/* Whatever else is wrong is so whichever indexes there are. Of several indexes' keys the first is told. */
static void an_indexs_refusal_comes_last_and_is_marked(void **state) {
    (void)state;
    static const struct {
        const char *members, *field;
        bool of_index;
    } cases[] = {
        {"\"attributes\":{\"email\":1}", "attributes.email", true},
        {"\"attributes\":{\"email\":1,\"score\":\"x\"}", "attributes.email", true},
        {"\"attributes\":{\"x\":2},\"set\":{\"score\":\"x\"}", "set.score", true},
        {"\"attributes\":{\"x\":2},\"set\":{\"score.deep\":2}", "set.score.deep", true},
        {"\"typed_attributes\":{\"score\":{\"S\":\"x\"}}", "typed_attributes.score", true},
        {"\"attributes\":{\"email\":1,\"id\":\"b\"}", "attributes.id", false},
        {"\"attributes\":{\"email\":1},\"condition_expression\":\"a = :b\"", "expression_attribute_values.:b", false},
        {"\"attributes\":{\"email\":1},\"condition_expression\":\"a =\"", "condition_expression", false},
        {"\"attributes\":{\"email\":1},\"typed_attributes\":{\"x\":{\"N\":\"many\"}}", "typed_attributes.x", false},
        {"\"attributes\":{\"email\":1,\"x\":{\"S\":\"y\"}}", "attributes.x", false},
    };
    struct fixture f;
    fixture_init(&f);
    fixture_add_index_key(&f, "email", KEY_STRING);
    fixture_add_index_key(&f, "score", KEY_NUMBER);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (unsigned audited = 0; audited < 2; audited++) {
            const char *word = audited ? "true" : "false";
            char *body = text_of("{\"id\":\"a\",\"enable_logging\":%s,%s}", word, cases[i].members);
            assert_invalid(&f, body, cases[i].field);
            struct update *u = read_text(&f, body);
            assert_int_equal(u->of_index, cases[i].of_index);
            if (u->of_index) { /* for a look at its audit record */
                assert_int_equal(u->confirm_refusal, audited);
                assert_int_equal(u->request_hash[0] != '\0', audited);
            }
            update_free(u);
            free(body);
        }
    fixture_done(&f);
}

static void neither_key_attribute_may_be_updated(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_make_composite(&f);
    assert_invalid(&f, "{\"id\":{\"pk\":\"a\",\"sk\":1},\"attributes\":{\"sk\":1}}", "attributes.sk");
    assert_invalid(&f, "{\"id\":{\"pk\":\"a\",\"sk\":1},\"attributes\":{\"p\\u006b\":\"a\"}}", "attributes.pk");
    assert_fit(&f, "{\"id\":{\"pk\":\"a\",\"sk\":1},\"attributes\":{\"id\":1}}");
    fixture_done(&f);
}

static void assert_depth(const struct fixture *f, unsigned depth, bool audited, bool fits) {
    char *open = repeated("[", depth);
    char *close = repeated("]", depth);
    char *body = text_of("{\"id\":\"a\",\"enable_logging\":%s,\"attributes\":{\"x\":%s%s}}", audited ? "true" : "false",
                         open, close);
    if (fits) {
        assert_fit(f, body);
    } else {
        assert_invalid(f, body, "attributes.x");
        struct update *u = read_text(f, body);
        bool blames_audit = strstr(u->failure.message.data, "only the audit record") != NULL;
        assert_int_equal(blames_audit, audited && depth == 31);
        update_free(u);
    }
    free(body);
    free(close);
    free(open);
}

static void a_stored_value_nests_31_deep_and_30_where_it_is_audited(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_depth(&f, 31, false, true);
    assert_depth(&f, 32, false, false);
    assert_depth(&f, 300, false, false);
    assert_depth(&f, 30, true, true);
    assert_depth(&f, 31, true, false);
    assert_depth(&f, 32, true, false);
    fixture_done(&f);
}

/* The record is id, a (3 bytes) and x with its string. */
static void assert_size(const struct fixture *f, size_t value, bool audited, const char *refused_for) {
    char *text = repeated("v", value);
    char *body =
        text_of("{\"id\":\"a\",\"enable_logging\":%s,\"attributes\":{\"x\":\"%s\"}}", audited ? "true" : "false", text);
    struct update *u = read_text(f, body);
    if (refused_for) {
        assert_int_equal(u->failure.type, ERROR_VALIDATION);
        assert_non_null(strstr(u->failure.message.data, refused_for));
        assert_non_null(strstr(u->failure.details.data, "\"field\":\"attributes\""));
    } else {
        assert_int_equal(u->failure.type, ERROR_NONE);
    }
    update_free(u);
    free(body);
    free(text);
}

static void an_item_has_400_kib_and_the_message_says_where_only_the_audit_record_exceeds_them(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const size_t most = ITEM_SIZE_MAX - 3 - 1;
    assert_size(&f, most, false, NULL);
    assert_size(&f, most + 1, false, "a record has at most 409600 bytes");
    /* log_id 6+64, timestamp 9+24, table_name 10+5, record_id 9+1, updated_attributes 18+3+1+1, user_agent 10+19,
     * status 6+7, idempotency_key 15+36, request_hash 12+67, record_key 10+1. */
    const size_t audit = ITEM_SIZE_MAX - 70 - 33 - 15 - 10 - 23 - 29 - 13 - 51 - 79 - 11;
    assert_size(&f, audit, true, NULL);
    assert_size(&f, audit + 1, true, "its audit record");
    f.context.audit_ttl_days = 90;
    assert_size(&f, audit - 16, true, NULL);
    assert_size(&f, audit - 15, true, "its audit record");
    fixture_done(&f);
}

static void assert_count(const struct fixture *f, unsigned count, bool fits) {
    struct buf body;
    buf_init(&body, SIZE_MAX);
    buf_append_cstr(&body, "{\"id\":\"a\",\"attributes\":");
    for (unsigned i = 0; i < count; i++)
        buf_printf(&body, "%c\"a%u\":1", i ? ',' : '{', i);
    buf_append_cstr(&body, "}}");
    struct update *u = read_text(f, body.data);
    if (fits) {
        assert_int_equal(u->failure.type, ERROR_NONE);
        assert_true(update_build(&f->context, u, WALL));
        const char *begin = strstr(u->request.data, "\"UpdateExpression\":\"");
        assert_non_null(begin);
        begin += sizeof "\"UpdateExpression\":\"" - 1;
        assert_in_range(strchr(begin, '"') - begin, 4096 - 8, 4096);
    } else {
        assert_int_equal(u->failure.type, ERROR_VALIDATION);
        assert_non_null(strstr(u->failure.details.data, "\"field\":\"attributes\",\"reason\":\"521 attributes"));
    }
    update_free(u);
    buf_free(&body);
}

static void as_many_attributes_as_an_expression_holds_fit_and_the_count_is_named_beyond(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_count(&f, 520, true);
    assert_count(&f, 521, false);
    fixture_done(&f);
}

static void a_name_has_up_to_65535_bytes(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *name = repeated("n", 65536);
    char *body = text_of("{\"id\":\"a\",\"attributes\":{\"%s\":1}}", name);
    struct update *u = read_text(&f, body);
    assert_int_equal(u->failure.type, ERROR_VALIDATION);
    assert_non_null(strstr(u->failure.details.data, "1 to 65535 bytes"));
    update_free(u);
    free(body);
    body = text_of("{\"id\":\"a\",\"attributes\":{\"%s\":1}}", name + 1);
    assert_fit(&f, body);
    free(body);
    free(name);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_table_says_of_an_attribute_is_checked),
        cmocka_unit_test(an_indexs_refusal_comes_last_and_is_marked),
        cmocka_unit_test(neither_key_attribute_may_be_updated),
        cmocka_unit_test(a_stored_value_nests_31_deep_and_30_where_it_is_audited),
        cmocka_unit_test(an_item_has_400_kib_and_the_message_says_where_only_the_audit_record_exceeds_them),
        cmocka_unit_test(as_many_attributes_as_an_expression_holds_fit_and_the_count_is_named_beyond),
        cmocka_unit_test(a_name_has_up_to_65535_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
