#include "condition_bench.h"

static void a_path_has_names_in_every_spelling_and_indexes(void **state) {
    (void)state;
    static const char terms[] = "{\"names\":{\"#n\":\"x.y\",\"#1\":\"\\u00e9\"}}";
    assert_canonical(
        "a.#n [ 0 ] . `we``ird`[2147483647][10] . #1 . size = null", terms,
        "=(#0.#1[0].#2[2147483647][10].#3.#4,:0)[\"a\",\"x.y\",\"we`ird\",\"\xc3\xa9\",\"size\"][{\"NULL\":true}]");
}

static void a_function_name_is_one_only_before_a_parenthesis(void **state) {
    (void)state;
    assert_canonical("size = 1 AND contains = 1 AND size\t(size) = contains AND foo.size = `size`", NULL,
                     "AND(=(#0,:0),=(#1,:0),=(size(#0),#1),=(#2.#0,#0))[\"size\",\"contains\",\"foo\"][{\"N\":\"1\"}]");
    assert_refused("`size`(a) = 1", NULL, "expected a comparison, IN or BETWEEN after '`size`' at character 7");
    assert_refused("a.size(b) = 1", NULL, "expected a comparison, IN or BETWEEN after 'size' at character 7");
}

static void all_functions_are_known(void **state) {
    (void)state;
    assert_canonical("attribute_exists(a) AND attribute_not_exists((a)) AND attribute_type(a,'S') AND begins_with(a , "
                     "'x') AND contains (a, 1) AND size(a) > 1",
                     NULL,
                     "AND(attribute_exists(#0),attribute_not_exists(#0),attribute_type(#0,:0),begins_with(#0,:1),"
                     "contains(#0,:2),>(size(#0),:2))"
                     "[\"a\"][{\"S\":\"S\"},{\"S\":\"x\"},{\"N\":\"1\"}]");
}

static void literals_are_of_four_kinds(void **state) {
    (void)state;
    assert_canonical(
        "a IN ('it''s', \"it's\", 'say \"hi\"', \"say \"\"hi\"\"\", -1.50e1, TRUE, fAlse, Null, '', :v)",
        "{\"values\":{\":v\":{\"L\":[]}}}",
        "IN(#0,:0,:0,:1,:1,:2,:3,:4,:5,:6,:7)[\"a\"]"
        "[{\"S\":\"it's\"},{\"S\":\"say "
        "\\\"hi\\\"\"},{\"N\":\"-15\"},{\"BOOL\":true},{\"BOOL\":false},{\"NULL\":true},{\"S\":\"\"},{\"L\":[]}]");
}

static void a_literal_may_stand_on_either_side(void **state) {
    (void)state;
    assert_canonical("5 < a", NULL, "<(:0,#0)[\"a\"][{\"N\":\"5\"}]");
    assert_canonical("5 BETWEEN a AND b", NULL, "BETWEEN(:0,#0,#1)[\"a\",\"b\"][{\"N\":\"5\"}]");
    assert_canonical("5 IN (a, 6)", NULL, "IN(:0,#0,:1)[\"a\"][{\"N\":\"5\"},{\"N\":\"6\"}]");
    assert_canonical("begins_with('abc', a)", NULL, "begins_with(:0,#0)[\"a\"][{\"S\":\"abc\"}]");
}

static void what_is_no_operand_is_refused(void **state) {
    (void)state;
    static const char index[] = "expected a list index from 0 to 2147483647 after '[' at character 3";
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"a[-1] = 1", index},
        {"a[1.0] = 1", index},
        {"a[1e0] = 1", index},
        {"a[] = 1", index},
        {"a[b] = 1", index},
        {"a['b'] = 1", index},
        {"a[2147483648] = 1", index},
        {"a[99999999999999999999999] = 1", index},
        {"a[0 = 1", "expected ']' after the number at character 5"},
        {"a. = 1", "expected an attribute's name after '.' at character 4"},
        {"a..b = 1", "expected an attribute's name after '.' at character 3"},
        {"a.1 = 1", "expected an attribute's name after '.' at character 3"},
        {"a.:v = 1", "expected an attribute's name after '.' at character 3"},
        {"a.in = 1",
         "expected an attribute's name after '.' at character 3: as a name, a keyword stands in backquotes"},
        {"a.True = 1",
         "expected an attribute's name after '.' at character 3: as a name, a keyword stands in backquotes"},
        {".a = 1", "expected a condition at character 1"},
        {"a = .5", "expected a value after '=' at character 5"},
        {"(a).b = 1", "expected a comparison, IN or BETWEEN after ')' at character 4"},
        {"Size(a) = 1", "expected the function's name in lower case (size) at character 1"},
        {"a = 1 AND Attribute_Exists (a)",
         "expected the function's name in lower case (attribute_exists) at character 11"},
        {"attribute_exists()", "expected an operand after '(' at character 18"},
        {"attribute_exists(a, b)", "attribute_exists takes 1 operand, not 2, at character 1"},
        {"a = 1 OR contains(a)", "contains takes 2 operands, not 1, at character 10"},
        {"begins_with(a, 'b', 'c')", "begins_with takes 2 operands, not 3, at character 1"},
        {"size(a", "expected ',' or ')' after 'a' at character 7 (the end)"},
        {"size(a,) = 1", "expected an operand after ',' at character 8"},
        {"a = contains(b, 1)", "contains is a condition of its own and can't stand as a value at character 5"},
        {"size(attribute_exists(a)) = 1",
         "attribute_exists is a condition of its own and can't stand as a value at character 6"},
        {"size(a)", "expected a comparison, IN or BETWEEN after ')' at character 8 (the end)"},
        {"size(a) AND b = 1", "expected a comparison, IN or BETWEEN after ')' at character 9"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_refused(cases[i].text, NULL, cases[i].reason);
    assert_refused("length(a) = 1", NULL,
                   "unknown function at character 1: there are attribute_exists, attribute_not_exists, attribute_type, "
                   "begins_with, contains and size "
                   "(an attribute's name in front of '(' stands in backquotes)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_has_names_in_every_spelling_and_indexes),
        cmocka_unit_test(a_function_name_is_one_only_before_a_parenthesis),
        cmocka_unit_test(all_functions_are_known),
        cmocka_unit_test(literals_are_of_four_kinds),
        cmocka_unit_test(a_literal_may_stand_on_either_side),
        cmocka_unit_test(what_is_no_operand_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
