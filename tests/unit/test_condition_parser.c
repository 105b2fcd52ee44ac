#include "condition_bench.h"
#include "condition_parser.h"

/* A parser at the first token of text. */
static struct parser parser_of(const char *text, struct condition *c, struct failure *failure) {
    failure_init(failure);
    struct parser p = {.token = {.kind = TOKEN_END}, .condition = c, .failure = failure};
    lexer_init(&p.lexer, span_cstr(text), failure);
    parser_advance(&p);
    return p;
}

static void a_refusal_names_what_stood_before_and_where(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned steps;
        const char *message;
    } cases[] = {
        {"x y", 0, "Invalid condition_expression: expected Z at character 1!"},
        {"x y", 1, "Invalid condition_expression: expected Z after 'x' at character 3!"},
        {"x y", 2, "Invalid condition_expression: expected Z after 'y' at character 4 (the end)!"},
        {"'secret' y", 1, "Invalid condition_expression: expected Z after the string at character 10!"},
        {"`a name of more than thirty-two bytes` y", 1,
         "Invalid condition_expression: expected Z after the name at character 40!"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct failure failure;
        struct parser p = parser_of(cases[i].text, NULL, &failure);
        for (unsigned k = 0; k < cases[i].steps; k++)
            parser_advance(&p);
        assert_null(parser_refuse_token(&p, "Z", "!"));
        assert_string_equal(failure.message.data, cases[i].message);
        failure_free(&failure);
    }
}

static void the_lexers_own_refusal_is_kept(void **state) {
    (void)state;
    struct failure failure;
    struct parser p = parser_of("x ?", NULL, &failure);
    parser_advance(&p);
    assert_null(parser_refuse_token(&p, "Z", ""));
    assert_non_null(strstr(failure.message.data, "unexpected '?' at character 3"));
    failure_free(&failure);
}

static void an_expected_token_is_stepped_over(void **state) {
    (void)state;
    struct failure failure;
    struct parser p = parser_of("( x", NULL, &failure);
    assert_false(parser_expect(&p, TOKEN_COMMA, "','"));
    assert_int_equal(p.token.kind, TOKEN_LEFT_PARENTHESIS);
    assert_true(parser_expect(&p, TOKEN_LEFT_PARENTHESIS, "'('"));
    assert_int_equal(p.token.kind, TOKEN_BARE_NAME);
    assert_int_equal(p.previous.kind, TOKEN_LEFT_PARENTHESIS);
    failure_free(&failure);
}

static void nodes_and_operators_and_depth_have_their_bounds(void **state) {
    (void)state;
    struct condition *c = calloc(1, sizeof *c + 2 * sizeof c->nodes[0]);
    assert_non_null(c);
    c->node_capacity = 2;
    struct failure failure;
    struct parser p = parser_of("x", c, &failure);
    assert_ptr_equal(parser_new_node(&p, NODE_PATH, 0), &c->nodes[0]);
    assert_ptr_equal(parser_new_node(&p, NODE_NAME, 0), &c->nodes[1]);
    assert_null(parser_new_node(&p, NODE_NAME, 0));
    for (unsigned i = 0; i < CONDITION_OPERATORS_MAX; i++)
        assert_true(parser_count_operator(&p, 0));
    assert_false(parser_count_operator(&p, 0));
    p.unguarded = true; /* the guard's own two are free */
    assert_true(parser_count_operator(&p, 0) && parser_count_operator(&p, 0));
    assert_false(parser_count_operator(&p, 0));
    for (unsigned i = 0; i < NESTING_MAX; i++)
        assert_true(parser_enter(&p));
    assert_false(parser_enter(&p));
    failure_free(&failure);
    free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_names_what_stood_before_and_where),
        cmocka_unit_test(the_lexers_own_refusal_is_kept),
        cmocka_unit_test(an_expected_token_is_stepped_over),
        cmocka_unit_test(nodes_and_operators_and_depth_have_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
