#include "condition_bench.h"
#include "condition_lexer.h"
#include "condition_tree.h"

static void a_text_falls_into_its_tokens(void **state) {
    (void)state;
    static const struct {
        enum token_kind kind;
        const char *text;
    } expected[] = {
        {TOKEN_BARE_NAME, "version"},
        {TOKEN_LESS_EQUAL, "<="},
        {TOKEN_NUMBER, "-1.5e+3"},
        {TOKEN_AND, "aNd"},
        {TOKEN_QUOTED_NAME, "`a``b`"},
        {TOKEN_EQUAL, "="},
        {TOKEN_STRING, "'it''s'"},
        {TOKEN_OR, "OR"},
        {TOKEN_NOT, "not"},
        {TOKEN_LEFT_PARENTHESIS, "("},
        {TOKEN_NAME_PLACEHOLDER, "#n_1"},
        {TOKEN_DOT, "."},
        {TOKEN_BARE_NAME, "_x"},
        {TOKEN_LEFT_BRACKET, "["},
        {TOKEN_NUMBER, "0"},
        {TOKEN_RIGHT_BRACKET, "]"},
        {TOKEN_NOT_EQUAL, "<>"},
        {TOKEN_VALUE_PLACEHOLDER, ":v"},
        {TOKEN_RIGHT_PARENTHESIS, ")"},
        {TOKEN_IN, "In"},
        {TOKEN_COMMA, ","},
        {TOKEN_BETWEEN, "BETWEEN"},
        {TOKEN_TRUE, "True"},
        {TOKEN_FALSE, "FALSE"},
        {TOKEN_NULL, "null"},
        {TOKEN_LESS, "<"},
        {TOKEN_GREATER, ">"},
        {TOKEN_GREATER_EQUAL, ">="},
        {TOKEN_STRING, "\"say \"\"hi\"\"\""},
        {TOKEN_BARE_NAME, "android"},
        {TOKEN_BARE_NAME, "nulls"},
        {TOKEN_END, ""},
    };
    struct failure failure;
    failure_init(&failure);
    struct lexer l;
    lexer_init(&l,
               span_cstr("version<=-1.5e+3 aNd `a``b`='it''s'OR not(#n_1._x[0]<>:v)\t\r\nIn,BETWEEN True FALSE null< > "
                         ">=\"say \"\"hi\"\"\"android nulls "),
               &failure);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        struct token token = lexer_next(&l);
        assert_int_equal(token.kind, expected[i].kind);
        assert_true(span_is(token.text, expected[i].text));
        assert_ptr_equal(token.text.data, l.text.data + token.at);
    }
    assert_int_equal(lexer_next(&l).kind, TOKEN_END);
    failure_free(&failure);
}

static void what_is_no_token_is_refused_with_what_to_write(void **state) {
    (void)state;
    static const char backquotes[] = ": a name with other characters than letters, digits and '_' stands in backquotes";
    static const char number[] =
        "expected a number as JSON has it (no '+', no leading zero, digits around the point) at character 5";
    static const struct {
        const char *text, *reason, *more;
    } cases[] = {
        {"a = 05", number, ""},
        {"a = 1.", number, ""},
        {"a = 1.x", number, ""},
        {"a = 1e", number, ""},
        {"a = 1e+", number, ""},
        {"a = 0x10", number, ""},
        {"a = 1.2.3", number, ""},
        {"a = 5AND b = 6", number, ""},
        {"a = -01", number, ""},
        {"a-b = 1", "unexpected '-' at character 2", backquotes},
        {"a = +1", "unexpected '+' at character 5", backquotes},
        {"é = 1", "unexpected 'é' at character 1", backquotes},
        {"ab = 'é' AND \xf0\x9f\x98\x80 = 1", "unexpected '\xf0\x9f\x98\x80' at character 14", backquotes},
        {"a\xc2\xa0= 1", "unexpected '\xc2\xa0' at character 2", backquotes},
        {"a != 1", "unexpected '!' at character 3: write <> or NOT", ""},
        {"a = 1 && b = 1", "unexpected '&' at character 7: write AND", ""},
        {"a = 1 || b = 1", "unexpected '|' at character 7: write OR", ""},
        {"a = {}", "unexpected '{' at character 5: a map is given by expression_attribute_values", ""},
        {"a = 1;", "unexpected ';' at character 6: a condition is one expression", ""},
        {"a == 1", "expected '=' instead of '==' at character 3", ""},
        {"a\f= 1", "unexpected control character U+000C at character 2", ""},
        {"# = 1", "expected a placeholder's name after '#' at character 1", ""},
        {"a = :", "expected a placeholder's name after ':' at character 5", ""},
        {"a = : v", "expected a placeholder's name after ':' at character 5", ""},
        {"a = 'x", "no closing quote for the one at character 5", ""},
        {"a = 'x''", "no closing quote for the one at character 5", ""},
        {"a = \"x'", "no closing quote for the one at character 5", ""},
        {"a = '", "no closing quote for the one at character 5", ""},
        {"`a = 1", "no closing backquote for the one at character 1", ""},
        {"`` = 1", "expected a name in the backquotes at character 1", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char reason[256];
        (void)snprintf(reason, sizeof reason, "%s%s", cases[i].reason, cases[i].more);
        assert_refused(cases[i].text, NULL, reason);
    }
    assert_refused_span(SPAN("a = 1\0"), NULL, "unexpected control character U+0000 at character 6");
}

static void quotes_are_taken_off_and_doubled_ones_made_single(void **state) {
    (void)state;
    static const struct {
        const char *quoted, *meaning;
    } cases[] = {{"''", ""},           {"'a'", "a"},
                 {"'''a'''", "'a'"},   {"''''", "'"},
                 {"\"it's\"", "it's"}, {"'say \"\"'", "say \"\""},
                 {"```b```", "`b`"},   {"\"\"\"\"\"\"", "\"\""}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token token = {.text = span_cstr(cases[i].quoted)};
        char bytes[16];
        assert_true(span_is(span_of(bytes, token_unquote(&token, bytes)), cases[i].meaning));
    }
}

static void positions_count_characters_from_one(void **state) {
    (void)state;
    struct span text = SPAN("a\xc3\xa9\xf0\x9f\x98\x80z");
    assert_int_equal(condition_position(text, 0), 1);
    assert_int_equal(condition_position(text, 1), 2);
    assert_int_equal(condition_position(text, 3), 3);
    assert_int_equal(condition_position(text, 7), 4);
    assert_int_equal(condition_position(text, 8), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_falls_into_its_tokens),
        cmocka_unit_test(what_is_no_token_is_refused_with_what_to_write),
        cmocka_unit_test(quotes_are_taken_off_and_doubled_ones_made_single),
        cmocka_unit_test(positions_count_characters_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
