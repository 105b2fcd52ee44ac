#include "condition_bench.h"

#define TERMS                                                                                                          \
    "{\"names\":{\"#a\":\"a\",\"#empty\":\"\"},\"values\":{\":s\":{\"S\":\"x\"},\":t\":{\"S\":\"\\\"\\u00e9\"},\":"    \
    "n\":{\"N\":\"5\"},"                                                                                               \
    "\":m\":{\"N\":\"1E+38\"},\":b\":{\"BOOL\":true},\":z\":{\"NULL\":true},\":l\":{\"L\":[]},\":o\":{\"M\":{}},\":"   \
    "type\":{\"S\":\"NS\"}}}"

static void what_dynamodb_takes_is_fine(void **state) {
    (void)state;
    static const char *const cases[] = {
        "a = :l",
        "a <> null",
        "a = true",
        "a = a.b",
        "a[0] = a[1]",
        "a = b AND b = a",
        "a < :s",
        "a >= 5",
        "a BETWEEN 5 AND 5",
        "a BETWEEN 5 AND 5.0",
        "a BETWEEN 9 AND 10",
        "a BETWEEN :n AND :m",
        "a BETWEEN 5 AND :m",
        "a BETWEEN '' AND 'a'",
        "a BETWEEN 'a' AND b",
        "a BETWEEN b AND b",
        "a BETWEEN size(b) AND 'x'",
        "a BETWEEN '\xef\xbf\xbf' AND '\xf0\x90\x80\x80'",
        "a BETWEEN :s AND '\xc3\xa9'",
        "a BETWEEN '\"' AND :t",
        "a IN (:l, 5, 'x', null, true)",
        "a IN (b, b)",
        "a IN (5, 5)",
        "contains(a, :l)",
        "contains(a, null)",
        "contains(:n, a)",
        "contains(:s, :n)",
        "contains(size(a), 5)",
        "contains(a, size(b))",
        "begins_with(a, :s)",
        "begins_with(:s, :s)",
        "begins_with(a, b)",
        "attribute_type(a, :type)",
        "attribute_type(:s, 'BOOL')",
        "attribute_type(size(a), 'N')",
        "size(:s) = 1",
        "size(:l) > :n",
        "size(:o) = size(a)",
        "size(a) = size(a)",
        "size(a) = a",
        "size(a) = 'x'",
        ":s = :s",
        ":n = :s",
        ":n = 5",
        ":n IN (:n)",
        ":n BETWEEN :n AND :m",
        ":s BETWEEN 1 AND 2",
        "a = #a.b",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_fine(cases[i], TERMS);
}

static void all_types_of_dynamodb_can_be_asked_for(void **state) {
    (void)state;
    static const char *const types[] = {"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "attribute_type(a, '%s')", types[i]);
        assert_fine(text, NULL);
    }
}

static void what_dynamodb_refuses_is_refused_before(void **state) {
    (void)state;
    static const char bad_type[] = "the second operand of attribute_type is none of 'S', 'N', 'B', 'SS', 'NS', 'BS', "
                                   "'BOOL', 'NULL', 'L', 'M' at character 19";
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"a = a", "= has the same attribute on both sides at character 5"},
        {"a <> #a", "<> has the same attribute on both sides at character 6"},
        {"a[0].b >= `a`[0].b", ">= has the same attribute on both sides at character 11"},
        {"contains(a, a)", "contains has the same attribute on both sides at character 13"},
        {"begins_with(a, a)", "begins_with has the same attribute on both sides at character 16"},
        {"a BETWEEN 1 AND a", "BETWEEN has the same attribute on both sides at character 17"},
        {"a IN (b, a)", "IN has the same attribute on both sides at character 10"},
        {"1 = 1", "all operands of = are literals at character 1"},
        {"b = 1 AND true <> false", "all operands of <> are literals at character 11"},
        {"1 BETWEEN 0 AND 2", "all operands of BETWEEN are literals at character 1"},
        {"1 IN (1, 2)", "all operands of IN are literals at character 1"},
        {"\"order\" = 5", "all operands of = are literals (an attribute's name stands bare or in backquotes, not in "
                          "quotes) at character 1"},
        {"contains('abc', 'a')", "all operands of contains are literals (an attribute's name stands bare or in "
                                 "backquotes, not in quotes) at character 10"},
        {"size('abc') = a", "all operands of size are literals (an attribute's name stands bare or in backquotes, not "
                            "in quotes) at character 6"},
        {"attribute_exists(5)", "attribute_exists takes an attribute's path at character 18"},
        {"attribute_exists(:s)", "attribute_exists takes an attribute's path at character 18"},
        {"attribute_not_exists(size(a))", "attribute_not_exists takes an attribute's path at character 22"},
        {"attribute_exists('a')",
         "attribute_exists takes an attribute's path (its name bare or in backquotes, not in quotes) at character 18"},
        {"a < true", "< takes strings and numbers, not a boolean, at character 5"},
        {"null <= a", "<= takes strings and numbers, not null, at character 1"},
        {"a > :l", "> takes strings and numbers, not a list, at character 5"},
        {"a >= :o", ">= takes strings and numbers, not a map, at character 6"},
        {"size(a) < :b", "< takes strings and numbers, not a boolean, at character 11"},
        {"a BETWEEN true AND b", "BETWEEN takes strings and numbers, not a boolean, at character 11"},
        {":b BETWEEN a AND b", "BETWEEN takes strings and numbers, not a boolean, at character 1"},
        {"a BETWEEN 1 AND 'x'", "the bounds of BETWEEN have different types, a number and a string, at character 17"},
        {"a BETWEEN :s AND :n", "the bounds of BETWEEN have different types, a string and a number, at character 18"},
        {"a BETWEEN 5 AND 4.9", "the upper bound of BETWEEN is below the lower one at character 17"},
        {"a BETWEEN 10 AND 9", "the upper bound of BETWEEN is below the lower one at character 18"},
        {"a BETWEEN -1 AND -2", "the upper bound of BETWEEN is below the lower one at character 18"},
        {"a BETWEEN :m AND :n", "the upper bound of BETWEEN is below the lower one at character 18"},
        {"a BETWEEN :m AND 1e37", "the upper bound of BETWEEN is below the lower one at character 18"},
        {"a BETWEEN 'b' AND 'a'", "the upper bound of BETWEEN is below the lower one at character 19"},
        {"a BETWEEN 'ab' AND 'a'", "the upper bound of BETWEEN is below the lower one at character 20"},
        {"a BETWEEN '#' AND :t", "the upper bound of BETWEEN is below the lower one at character 19"},
        {"a BETWEEN '\xf0\x90\x80\x80' AND '\xef\xbf\xbf'",
         "the upper bound of BETWEEN is below the lower one at character 19"},
        {"begins_with(a, 5)", "begins_with takes strings, not a number, at character 16"},
        {"begins_with(:n, a)", "begins_with takes strings, not a number, at character 13"},
        {"begins_with(a, size(b))", "begins_with takes strings, not a number, at character 16"},
        {"begins_with(a, null)", "begins_with takes strings, not null, at character 16"},
        {"attribute_type(a, 5)", "the second operand of attribute_type is no string at character 19"},
        {"attribute_type(a, b)", "the second operand of attribute_type is no string at character 19"},
        {"attribute_type(a, size(b))", "the second operand of attribute_type is no string at character 19"},
        {"attribute_type(a, 's')", bad_type},
        {"attribute_type(a, '')", bad_type},
        {"attribute_type(a, :s)", bad_type},
        {"size(:n) = 1", "size takes a string, a list or a map, not a number, at character 6"},
        {"size(:z) = 1", "size takes a string, a list or a map, not null, at character 6"},
        {"size(size(a)) = 1", "size takes no size of something at character 6"},
        {"#empty = 1", "an attribute's name is empty at character 1"},
        {"a = 123456789012345678901234567890123456789", "a number has more than 38 significant digits at character 5"},
        {"a = -1E126", "a number is beyond DynamoDB's range (magnitude 1E-130 to 9.99E+125) at character 5"},
        {"a = 1e-131", "a number is beyond DynamoDB's range (magnitude 1E-130 to 9.99E+125) at character 5"},
        {"#x = 1", "expression_attribute_names lacks #x, used at character 1"},
        {"a = 1 AND b = :x AND #y = 1", "expression_attribute_values lacks :x, used at character 15"},
        {"a = :S", "expression_attribute_values lacks :S, used at character 5"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_refused(cases[i].text, TERMS, cases[i].reason);
}

static void names_and_paths_have_dynamodbs_limits(void **state) {
    (void)state;
    struct buf text;
    buf_init(&text, ROOM);
    for (size_t length = 65535; length <= 65536; length++) {
        buf_reset(&text);
        buf_append_char(&text, '`');
        for (size_t i = 0; i < length; i++)
            buf_append_char(&text, 'x');
        assert_true(buf_append_cstr(&text, "` = 1"));
        if (length == 65535)
            assert_fine(text.data, NULL);
        else
            assert_refused(text.data, NULL, "an attribute's name has more than 65535 bytes at character 1");
    }
    for (size_t depth = 32; depth <= 33; depth++) {
        buf_reset(&text);
        buf_append_cstr(&text, "a");
        for (size_t i = 1; i < depth; i++)
            buf_append_cstr(&text, i % 2 ? "[0]" : ".b");
        assert_true(buf_append_cstr(&text, " = 1"));
        if (depth == 32)
            assert_fine(text.data, NULL);
        else
            assert_refused(text.data, NULL, "a path has more than 32 elements at character 81");
    }
    buf_free(&text);
}

static void every_placeholder_is_asked_for_though_the_condition_is_refused(void **state) {
    (void)state;
    struct bench b;
    bench_parse(&b, SPAN("#x = 1 AND a < :b AND #a = :n AND a = 1"), TERMS);
    assert_int_equal(b.status, CONDITION_REFUSED);
    for (size_t i = 0; i < b.terms.names.count; i++)
        assert_int_equal(b.terms.names.entries[i].used, span_is(buf_span(&b.terms.names.entries[i].name), "#a"));
    for (size_t i = 0; i < b.terms.values.count; i++) {
        struct span name = buf_span(&b.terms.values.entries[i].name);
        assert_int_equal(b.terms.values.entries[i].used, span_is(name, ":b") || span_is(name, ":n"));
    }
    bench_free(&b);
}

static bool append_nothing(void *ctx, int value, enum number_form form, struct buf *out) {
    (void)ctx;
    (void)form;
    (void)value;
    out->failure = BUF_NO_MEMORY;
    return false;
}

static void a_value_without_memory_is_no_fault_of_the_condition(void **state) {
    (void)state;
    static const char *const cases[] = {"a BETWEEN :n AND :m", "attribute_type(a, :type)", "a = :s"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bench b;
        bench_parse(&b, SPAN("a = 1"), TERMS);
        b.environment.append_value = append_nothing;
        struct condition *c = NULL;
        assert_int_equal(condition_parse(span_cstr(cases[i]), &b.environment, &c, &b.failure), CONDITION_NO_MEMORY);
        assert_null(c);
        assert_int_equal(b.failure.type, ERROR_NONE);
        bench_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_dynamodb_takes_is_fine),
        cmocka_unit_test(all_types_of_dynamodb_can_be_asked_for),
        cmocka_unit_test(what_dynamodb_refuses_is_refused_before),
        cmocka_unit_test(names_and_paths_have_dynamodbs_limits),
        cmocka_unit_test(every_placeholder_is_asked_for_though_the_condition_is_refused),
        cmocka_unit_test(a_value_without_memory_is_no_fault_of_the_condition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
