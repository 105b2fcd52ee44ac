#include "condition_bench.h"
#include "condition_tree.h"

struct bound {
    struct buf expression, names, values;
    struct placeholders placeholders;
};

static void bound_init(struct bound *bound) {
    buf_init(&bound->expression, ROOM);
    buf_init(&bound->names, ROOM);
    buf_init(&bound->values, ROOM);
    bound->placeholders = (struct placeholders){.names = &bound->names, .values = &bound->values};
}

static void bound_free(struct bound *bound) {
    buf_free(&bound->expression);
    buf_free(&bound->names);
    buf_free(&bound->values);
}

static const char *text_of(const struct buf *b) {
    return b->data ? b->data : "";
}

/* Its tokens are sent within the ten minutes of an upgrade, so the text is as good as frozen. */
static void parentheses_and_spaces_stand_only_where_they_are_needed(void **state) {
    (void)state;
    static const struct {
        const char *text, *expression;
    } cases[] = {
        {"((a = 1))", "#0=:0"},
        {"a = 1 AND (b = 2 AND c = 3)", "#0=:0 AND #1=:1 AND #2=:2"},
        {"(a = 1 OR b = 2) OR c = 3", "#0=:0 OR #1=:1 OR #2=:2"},
        {"(a = 1 AND b = 2) OR c = 3", "#0=:0 AND #1=:1 OR #2=:2"},
        {"a = 1 AND (b = 2 OR c = 3)", "#0=:0 AND (#1=:1 OR #2=:2)"},
        {"NOT (a = 1)", "NOT #0=:0"},
        {"NOT (a = 1 AND b = 2)", "NOT (#0=:0 AND #1=:1)"},
        {"NOT (NOT (a = 1 OR b = 2))", "NOT NOT (#0=:0 OR #1=:1)"},
        {"(NOT a = 1) AND b = 2", "NOT #0=:0 AND #1=:1"},
        {"a <> 1 OR a < 1 OR a <= 1 OR a > 1 OR a >= 1", "#0<>:0 OR #0<:0 OR #0<=:0 OR #0>:0 OR #0>=:0"},
        {"a BETWEEN 1 AND size(b)", "#0 BETWEEN :0 AND size(#1)"},
        {"size(a) IN (1, 2, b)", "size(#0) IN(:0,:1,#1)"},
        {"a.b[0].a[1][2] = 1", "#0.#1[0].#0[1][2]=:0"},
        {"attribute_exists(a) AND attribute_not_exists(b) AND attribute_type(a, 'S')",
         "attribute_exists(#0) AND attribute_not_exists(#1) AND attribute_type(#0,:0)"},
        {"begins_with(a, 'x') OR contains(a, 'x')", "begins_with(#0,:0) OR contains(#0,:0)"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bench b;
        struct bound bound;
        bench_parse(&b, span_cstr(cases[i].text), NULL);
        assert_non_null(b.condition);
        bound_init(&bound);
        assert_true(condition_bind(b.condition, &b.environment, &bound.placeholders, &bound.expression));
        assert_string_equal(text_of(&bound.expression), cases[i].expression);
        bound_free(&bound);
        bench_free(&b);
    }
}

static void placeholders_go_on_from_the_requests_own(void **state) {
    (void)state;
    struct bench b;
    struct bound bound;
    bench_parse(&b, SPAN("a = 'it''s \"x\"\n' AND `b\"` > 1.50 AND a <> :v AND c = :v AND d = false"),
                "{\"values\":{\":v\":{\"M\":{\"x\":{\"NULL\":true}}}}}");
    assert_non_null(b.condition);
    bound_init(&bound);
    bound.placeholders.name_count = 34;
    bound.placeholders.value_count = 1295;
    buf_append_cstr(&bound.names, "\"#0\":\"id\"");
    buf_append_cstr(&bound.values, "\":0\":{\"S\":\"i\"}");
    buf_append_cstr(&bound.expression, "attribute_exists(#0) AND ");
    assert_true(condition_bind(b.condition, &b.environment, &bound.placeholders, &bound.expression));
    assert_string_equal(text_of(&bound.expression),
                        "attribute_exists(#0) AND #y=:zz AND #z>:100 AND #y<>:101 AND #10=:101 AND #11=:102");
    assert_string_equal(text_of(&bound.names),
                        "\"#0\":\"id\",\"#y\":\"a\",\"#z\":\"b\\\"\",\"#10\":\"c\",\"#11\":\"d\"");
    assert_string_equal(text_of(&bound.values),
                        "\":0\":{\"S\":\"i\"},\":zz\":{\"S\":\"it's \\\"x\\\"\\n\"},\":100\":{\"N\":\"1.5\"},"
                        "\":101\":{\"M\":{\"x\":{\"NULL\":true}}},\":102\":{\"BOOL\":false}");
    assert_int_equal(bound.placeholders.name_count, 38);
    assert_int_equal(bound.placeholders.value_count, 1299);
    bound_free(&bound);
    bench_free(&b);
}

static void placeholders_count_in_base_36(void **state) {
    (void)state;
    static const struct {
        unsigned number;
        const char *text;
    } cases[] = {{0, "#0"},   {9, "#9"},     {10, "#a"},     {35, "#z"},
                 {36, "#10"}, {1295, "#zz"}, {1296, "#100"}, {4294967295U, "#1z141z3"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 16);
        assert_true(placeholder_append(&out, '#', cases[i].number));
        assert_string_equal(out.data, cases[i].text);
        buf_free(&out);
    }
}

static void a_buffer_without_room_is_told(void **state) {
    (void)state;
    struct bench b;
    bench_parse(&b, SPAN("a = 1 AND b = 'x'"), NULL);
    assert_non_null(b.condition);
    for (unsigned which = 0; which < 3; which++) {
        struct bound bound;
        bound_init(&bound);
        struct buf *small = which == 0 ? &bound.expression : which == 1 ? &bound.names : &bound.values;
        buf_init(small, 9);
        assert_false(condition_bind(b.condition, &b.environment, &bound.placeholders, &bound.expression));
        bound_free(&bound);
    }
    struct buf out;
    for (size_t room = 0; room < sizeof "AND(=(#0,:0),=(#1,:1))[\"a\",\"b\"][{\"N\":\"1\"},{\"S\":\"x\"}]" - 1;
         room++) {
        buf_init(&out, room);
        assert_false(condition_append_canonical(b.condition, &b.environment, &out));
        buf_free(&out);
    }
    bench_free(&b);
}

/* Frozen: request hashes hold it. */
static void the_canonical_form_says_what_the_condition_means(void **state) {
    (void)state;
    static const char terms[] = "{\"names\":{\"#n\":\"na\\\"me\"},\"values\":{\":l\":{\"L\":[{\"N\":\"1\"}]}}}";
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"version < 5.0", "<(#0,:0)[\"version\"][{\"N\":\"5\"}]"},
        {"NOT (a = 1 OR b <> 'x' AND c >= -1E-7)", "NOT(OR(=(#0,:0),AND(<>(#1,:1),>=(#2,:2))))[\"a\",\"b\",\"c\"][{"
                                                   "\"N\":\"1\"},{\"S\":\"x\"},{\"N\":\"-1E-7\"}]"},
        {"#n.b[10] BETWEEN 1 AND size(c)", "BETWEEN(#0.#1[10],:0,size(#2))[\"na\\\"me\",\"b\",\"c\"][{\"N\":\"1\"}]"},
        {"a IN (:l, null, TRUE, a.b)",
         "IN(#0,:0,:1,:2,#0.#1)[\"a\",\"b\"][{\"L\":[{\"N\":\"1\"}]},{\"NULL\":true},{\"BOOL\":true}]"},
        {"attribute_exists(a) AND attribute_not_exists(b)",
         "AND(attribute_exists(#0),attribute_not_exists(#1))[\"a\",\"b\"][]"},
        {"attribute_type(a, 'S') OR begins_with(a, 'S') OR contains(a, 'S')",
         "OR(attribute_type(#0,:0),begins_with(#0,:0),contains(#0,:0))[\"a\"][{\"S\":\"S\"}]"},
        {"a <= 1 AND a > 2", "AND(<=(#0,:0),>(#0,:1))[\"a\"][{\"N\":\"1\"},{\"N\":\"2\"}]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_canonical(cases[i].text, terms, cases[i].canonical);
}

static void what_differs_in_meaning_differs_in_the_canonical_form(void **state) {
    (void)state;
    static const char *const texts[] = {
        "a = 1",      "a = '1'",     "1 = a",    "a = b",     "b = a",         "a <> 1",          "a = 10",
        "a = ''",     "a = null",    "a = true", "a = false", "a.b = 1",       "`a.b` = 1",       "a[1] = 1",
        "`a[1]` = 1", "size(a) = 1", "size = 1", "NOT a = 1", "NOT NOT a = 1", "a = 1 AND a = 1", "a = 1 OR a = 1"};
    struct buf forms[ARRAY_LENGTH(texts)];
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct bench b;
        bench_parse(&b, span_cstr(texts[i]), NULL);
        assert_non_null(b.condition);
        buf_init(&forms[i], ROOM);
        assert_true(condition_append_canonical(b.condition, &b.environment, &forms[i]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(forms[i].data, forms[k].data);
        bench_free(&b);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        buf_free(&forms[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parentheses_and_spaces_stand_only_where_they_are_needed),
        cmocka_unit_test(placeholders_go_on_from_the_requests_own),
        cmocka_unit_test(placeholders_count_in_base_36),
        cmocka_unit_test(a_buffer_without_room_is_told),
        cmocka_unit_test(the_canonical_form_says_what_the_condition_means),
        cmocka_unit_test(what_differs_in_meaning_differs_in_the_canonical_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
