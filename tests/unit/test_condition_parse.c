#include <stddef.h>
#include <stdlib.h>

/* The module with an allocator that can run dry. */
static void *scarce_malloc(size_t size);
#define malloc scarce_malloc
#include "condition_parse.c"
#undef malloc

#include "condition_bench.h"

static bool memory = true;

static void *scarce_malloc(size_t size) {
    return memory ? malloc(size) : NULL;
}

#define TAIL "[\"a\",\"b\",\"c\"][{\"N\":\"1\"},{\"N\":\"2\"},{\"N\":\"3\"}]"

static void precedence_is_dynamodbs(void **state) {
    (void)state;
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"a = 1 OR b = 2 AND c = 3", "OR(=(#0,:0),AND(=(#1,:1),=(#2,:2)))"},
        {"a = 1 AND b = 2 OR c = 3", "OR(AND(=(#0,:0),=(#1,:1)),=(#2,:2))"},
        {"(a = 1 OR b = 2) AND c = 3", "AND(OR(=(#0,:0),=(#1,:1)),=(#2,:2))"},
        {"a = 1 AND (b = 2 OR c = 3)", "AND(=(#0,:0),OR(=(#1,:1),=(#2,:2)))"},
        {"NOT a = 1 AND b = 2 AND c = 3", "AND(NOT(=(#0,:0)),=(#1,:1),=(#2,:2))"},
        {"NOT (a = 1 AND b = 2) OR c = 3", "OR(NOT(AND(=(#0,:0),=(#1,:1))),=(#2,:2))"},
        {"NOT NOT a = 1 AND NOT (NOT b = 2) AND c = 3", "AND(NOT(NOT(=(#0,:0))),NOT(NOT(=(#1,:1))),=(#2,:2))"},
        {"a BETWEEN 1 AND 2 AND b IN (c, 3)", "AND(BETWEEN(#0,:0,:1),IN(#1,#2,:2))"},
        {"NOT a BETWEEN 1 AND 2 OR NOT b IN (c, 3)", "OR(NOT(BETWEEN(#0,:0,:1)),NOT(IN(#1,#2,:2)))"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof expected, "%s%s", cases[i].tree, TAIL);
        assert_canonical(cases[i].text, NULL, expected);
    }
}

static void spelling_makes_no_difference(void **state) {
    (void)state;
    static const char terms[] = "{\"names\":{\"#a\":\"a\",\"#b\":\"b\"},\"values\":{\":one\":{\"N\":\"1\"},\":two\":{"
                                "\"N\":\"2\"},\":three\":{\"N\":\"3\"}}}";
    static const char *const same[] = {
        "a=1 AND b=2 AND c=3",
        "((a = 1)) AND (b = 2 AND c = 3)",
        "(a = 1 AND b = 2) and (((c = 3)))",
        "(a) = (1.0) aNd `b` = ((2e0)) AnD (`c` = 0.3E+1)",
        "#a = :one AND #b = :two AND c = :three",
        "\ta\r=\n1 AND(b=2)AND(c=:three) ",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(same); i++)
        assert_canonical(same[i], terms, "AND(=(#0,:0),=(#1,:1),=(#2,:2))" TAIL);
}

static void an_operand_may_stand_in_parentheses(void **state) {
    (void)state;
    static const char *const same[] = {"(size(a)) = ((1)) OR b = 2 OR c = 3",
                                       "((size((a)))) = 1 OR ((b) = (2)) OR (((c)) = (3))",
                                       "(((size(a)) = 1) OR b = 2) OR c = 3"};
    for (size_t i = 0; i < ARRAY_LENGTH(same); i++)
        assert_canonical(same[i], NULL, "OR(=(size(#0),:0),=(#1,:1),=(#2,:2))" TAIL);
}

static void what_does_not_follow_is_refused_at_its_token(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "expected a condition at character 1 (the end)"},
        {" \t\n", "expected a condition at character 4 (the end)"},
        {"version < AND a = 1", "expected a value after '<' at character 11"},
        {"version <", "expected a value after '<' at character 10 (the end)"},
        {"'é' < AND", "expected a value after '<' at character 7"},
        {"a", "expected a comparison, IN or BETWEEN after 'a' at character 2 (the end)"},
        {"(a)", "expected a comparison, IN or BETWEEN after ')' at character 4 (the end)"},
        {"(a AND b = 1)", "expected a comparison, IN or BETWEEN after 'a' at character 4"},
        {"(b = 1 AND a)", "expected a comparison, IN or BETWEEN after 'a' at character 13"},
        {"(NOT a) = 1", "expected a comparison, IN or BETWEEN after 'a' at character 7"},
        {"'x'", "expected a comparison, IN or BETWEEN after the string at character 4 (the end)"},
        {"an_attribute_with_a_name_of_33_byt",
         "expected a comparison, IN or BETWEEN after the name at character 35 (the end)"},
        {"123456789012345678901234567890123",
         "expected a comparison, IN or BETWEEN after the number at character 34 (the end)"},
        {"true", "expected a comparison, IN or BETWEEN after 'true' at character 5 (the end)"},
        {"a NOT IN (1)",
         "expected a comparison, IN or BETWEEN after 'a' at character 3: NOT stands in front of the first operand"},
        {"= 1", "expected a condition at character 1"},
        {"AND a = 1", "expected a condition at character 1"},
        {"a = 1 AND", "expected a condition after 'AND' at character 10 (the end)"},
        {"a = 1 AND OR b = 1", "expected a condition after 'AND' at character 11"},
        {"NOT", "expected a condition after 'NOT' at character 4 (the end)"},
        {"()", "expected a condition after '(' at character 2"},
        {"card = 4111111111111111 x",
         "expected AND, OR or the end after the number at character 25"}, /* the producer's data */
        {"a = 1 b = 1", "expected AND, OR or the end after the number at character 7"},
        {"a = 1 = 2", "expected AND, OR or the end after the number at character 7"},
        {"attribute_exists(a) = true", "expected AND, OR or the end after ')' at character 21"},
        {"(a = 1", "expected AND, OR or ')' after the number at character 7 (the end)"},
        {"(a = 1) = (b = 1)", "expected AND, OR or the end after ')' at character 9"},
        {"a = (b = 1)", "expected ')' after 'b' at character 8"},
        {"a = 1)", "unexpected ')' without a '(' of its own at character 6"},
        {"a < > 1", "expected a value after '<' at character 5"},
        {"a = [1]", "expected a value after '=' at character 5: a list is given by expression_attribute_values"},
        {"a = in", "expected a value after '=' at character 5: as a name, a keyword stands in backquotes"},
        {"a BETWEEN 1", "expected AND after the number at character 12 (the end)"},
        {"a BETWEEN 1 OR 2", "expected AND after the number at character 13"},
        {"a BETWEEN 1 AND", "expected a value after 'AND' at character 16 (the end)"},
        {"a IN 1", "expected '(' after 'IN' at character 6"},
        {"a IN ()", "expected a value after '(' at character 7"},
        {"a IN (1,)", "expected a value after ',' at character 9"},
        {"a IN (1 2)", "expected ',' or ')' after the number at character 9"},
        {"a IN (1", "expected ',' or ')' after the number at character 8 (the end)"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_refused(cases[i].text, NULL, cases[i].reason);
}

/* before, count times middle, after. */
static struct buf repeat(const char *before, const char *middle, size_t count, const char *after) {
    struct buf text;
    buf_init(&text, (size_t)16 << 20);
    buf_append_cstr(&text, before);
    for (size_t i = 0; i < count; i++)
        buf_append_cstr(&text, middle);
    buf_append_cstr(&text, after);
    assert_true(buf_ok(&text));
    return text;
}

static void assert_limit(const char *before, const char *middle, size_t fine, const char *after, const char *reason) {
    struct buf text = repeat(before, middle, fine, after);
    assert_fine(text.data, NULL);
    buf_free(&text);
    text = repeat(before, middle, fine + 1, after);
    assert_refused(text.data, NULL, reason);
    buf_free(&text);
}

static void limits_hold_to_the_one(void **state) {
    (void)state;
    static const char operators[] =
        "the condition has more operators and functions than the 298 that fit DynamoDB's limit at character ";
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s%d", operators, 1045);
    assert_limit("NOT a=1", " OR a=1", 148, "", reason); /* 1 + 1 + 148 * 2 */
    (void)snprintf(reason, sizeof reason, "%s%d", operators, 1193);
    assert_limit("a=1 OR ", "NOT ", 295, "a=1", reason);
    assert_limit("a IN (0", ",0", 99, ")", "IN has more than 100 operands at character 207");
    struct buf deep = repeat("", "(", 320, "a=1");
    for (size_t i = 0; i < 320; i++)
        buf_append_char(&deep, ')');
    assert_fine(deep.data, NULL);
    buf_free(&deep);
}

static void nesting_without_end_is_refused_without_recursion(void **state) {
    (void)state;
    static const struct {
        const char *middle, *reason;
    } cases[] = {
        {"(", "parentheses, functions and NOT nest more than 320 deep at character 321"},
        {"a=(", "expected ')' after 'a' at character 5"},
        {"size(",
         "the condition has more operators and functions than the 298 that fit DynamoDB's limit at character 1491"},
        {"NOT ",
         "the condition has more operators and functions than the 298 that fit DynamoDB's limit at character 1193"},
        {"NOT(", "parentheses, functions and NOT nest more than 320 deep at character 641"},
        {"a=1 AND (",
         "the condition has more operators and functions than the 298 that fit DynamoDB's limit at character 1343"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf text = repeat("", cases[i].middle, 200000, "");
        assert_refused(text.data, NULL, cases[i].reason);
        buf_free(&text);
    }
}

static void more_than_an_expression_holds_is_refused(void **state) {
    (void)state;
    struct buf text = repeat("a", ".a", 1000000, "=1");
    assert_refused(text.data, NULL,
                   "the condition exceeds the 4096 bytes that DynamoDB allows an expression at character 5599");
    buf_free(&text);
}

static void a_long_text_of_little_meaning_is_fine(void **state) {
    (void)state;
    struct buf text = repeat("a = '", "''", 500000, "'");
    assert_fine(text.data, NULL);
    buf_free(&text);
    text = repeat("a = 1", "0", 500000, "e-500000");
    assert_canonical(text.data, NULL, "=(#0,:0)[\"a\"][{\"N\":\"1\"}]");
    buf_free(&text);
    text = repeat("a ", " ", 500000, "= 1");
    assert_fine(text.data, NULL);
    buf_free(&text);
}

static void only_a_top_level_or_needs_parentheses(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_or;
    } cases[] = {{"a = 1", false},
                 {"a = 1 AND b = 1", false},
                 {"a = 1 OR b = 1", true},
                 {"((a = 1 OR b = 1))", true},
                 {"NOT (a = 1 OR b = 1)", false},
                 {"a = 1 AND (b = 1 OR c = 1)", false},
                 {"a = 1 AND b = 1 OR c = 1", true}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bench b;
        bench_parse(&b, span_cstr(cases[i].text), NULL);
        assert_int_equal(condition_is_or(b.condition), cases[i].is_or);
        bench_free(&b);
    }
}

/* A short one is parsed on the stack, and a long one isn't. */
static void without_memory_nothing_is_said_of_the_condition(void **state) {
    (void)state;
    static const char *const texts[] = {"a = 1",
                                        "a = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct bench b;
        bench_parse(&b, SPAN("a = 1"), NULL);
        struct condition *c = NULL;
        memory = false;
        assert_int_equal(condition_parse(span_cstr(texts[i]), &b.environment, &c, &b.failure), CONDITION_NO_MEMORY);
        memory = true;
        assert_null(c);
        assert_int_equal(b.failure.type, ERROR_NONE);
        bench_free(&b);
    }
    condition_free(NULL);
}

struct lent {
    _Alignas(max_align_t) char bytes[4096];
    size_t size; /* of what was asked for */
    struct json_terms terms;
};

static void *lend(void *ctx, size_t size) {
    struct lent *lent = container_of(ctx, struct lent, terms);
    lent->size = size;
    return size <= sizeof lent->bytes ? lent->bytes : NULL;
}

static void a_condition_stands_where_its_environment_wants_it(void **state) {
    (void)state;
    static const char *const texts[] = {
        "`a``b`.c[3] < 5 AND begins_with(d, 'it''s') OR NOT attribute_exists(e) AND '' <> f",
        "`a``b`.c[3] < 5 AND begins_with(d, 'it''s')"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct bench own;
        struct lent lent;
        struct failure failure;
        struct condition *c = NULL;
        char own_storage[512], lent_storage[512];
        struct buf own_text, lent_text;
        bench_parse(&own, span_cstr(texts[i]), NULL);
        json_terms_init(&lent.terms);
        struct condition_environment environment = terms_environment(&lent.terms);
        environment.allocate = lend;
        failure_init(&failure);
        assert_int_equal(condition_parse(span_cstr(texts[i]), &environment, &c, &failure), CONDITION_FINE);
        assert_ptr_equal(c, lent.bytes);
        assert_true(lent.size < 2048);
        memset(lent.bytes + lent.size, 'x', sizeof lent.bytes - lent.size);
        buf_init_lent(&own_text, own_storage, sizeof own_storage, sizeof own_storage - 1);
        buf_init_lent(&lent_text, lent_storage, sizeof lent_storage, sizeof lent_storage - 1);
        assert_true(condition_append_canonical(own.condition, &own.environment, &own_text));
        assert_true(condition_append_canonical(c, &environment, &lent_text));
        assert_string_equal(lent_storage, own_storage);
        json_terms_free(&lent.terms);
        failure_free(&failure);
        bench_free(&own);
    }
}

static void an_absent_text_is_a_blank_one(void **state) {
    (void)state;
    struct bench b;
    bench_parse(&b, SPAN("a = 1"), NULL);
    struct condition *c = NULL;
    assert_int_equal(condition_parse((struct span){0}, &b.environment, &c, &b.failure), CONDITION_REFUSED);
    assert_null(c);
    bench_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence_is_dynamodbs),
        cmocka_unit_test(spelling_makes_no_difference),
        cmocka_unit_test(an_operand_may_stand_in_parentheses),
        cmocka_unit_test(what_does_not_follow_is_refused_at_its_token),
        cmocka_unit_test(limits_hold_to_the_one),
        cmocka_unit_test(nesting_without_end_is_refused_without_recursion),
        cmocka_unit_test(more_than_an_expression_holds_is_refused),
        cmocka_unit_test(a_long_text_of_little_meaning_is_fine),
        cmocka_unit_test(only_a_top_level_or_needs_parentheses),
        cmocka_unit_test(without_memory_nothing_is_said_of_the_condition),
        cmocka_unit_test(a_condition_stands_where_its_environment_wants_it),
        cmocka_unit_test(an_absent_text_is_a_blank_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
