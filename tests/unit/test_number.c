#include "number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct number read_fine(const char *text) {
    struct number n;
    assert_int_equal(number_read(span_cstr(text), &n), NUMBER_FINE);
    assert_int_equal(n.len, strlen(n.text));
    return n;
}

/* Frozen: log ids, request hashes and tokens hold these texts. */
static const struct {
    const char *text, *normal;
    size_t size;
} normal_forms[] = {
    {"0", "0", 1},
    {"-0", "0", 1},
    {"0.000", "0", 1},
    {"0e999999999999999999999", "0", 1},
    {"-0.0E-99999", "0", 1},
    {"1", "1", 2},
    {"1.0", "1", 2},
    {"1e0", "1", 2},
    {"10e-1", "1", 2},
    {"0.1e1", "1", 2},
    {"100E-2", "1", 2},
    {"-1", "-1", 3},
    {"12", "12", 2},
    {"123", "123", 3},
    {"1200", "1200", 2},
    {"12e2", "1200", 2},
    {"12.5", "12.5", 3},
    {"12.50", "12.5", 3},
    {"1.25e1", "12.5", 3},
    {"-0.25", "-0.25", 3},
    {"10.01", "10.01", 3},
    {"0.1", "0.1", 2},
    {"0.000001", "0.000001", 2},
    {"0.0000015", "0.0000015", 2},
    {"0.0000001", "1E-7", 2},
    {"0.00000015", "1.5E-7", 2},
    {"-1.5e-7", "-1.5E-7", 3},
    {"1e37", "10000000000000000000000000000000000000", 2},
    {"1e38", "1E+38", 2},
    {"1.5E+38", "1.5E+38", 2},
    {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 20},
    {"-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", 21},
    {"1.2345678901234567890123456789012345678", "1.2345678901234567890123456789012345678", 20},
    {"-0.0000012345678901234567890123456789012345678", "-0.0000012345678901234567890123456789012345678", 21},
    {"-1.2345678901234567890123456789012345678e-130", "-1.2345678901234567890123456789012345678E-130", 21},
    {"1E-130", "1E-130", 2},
    {"9.9999999999999999999999999999999999999E+125", "9.9999999999999999999999999999999999999E+125", 20},
    {"1e9", "1000000000", 2},
    {"1e99", "1E+99", 2},
    {"1e100", "1E+100", 2},
    {"1e-99", "1E-99", 2},
};

static void a_value_has_one_normal_form(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(normal_forms); i++) {
        struct number n = read_fine(normal_forms[i].text);
        assert_string_equal(n.text, normal_forms[i].normal);
        assert_int_equal(n.size, normal_forms[i].size);
    }
}

static void a_normal_form_read_again_is_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(normal_forms); i++)
        assert_string_equal(read_fine(normal_forms[i].normal).text, normal_forms[i].normal);
}

static void what_dynamodb_cannot_hold_is_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum number_status status;
    } cases[] = {
        {"123456789012345678901234567890123456789", NUMBER_TOO_MANY_DIGITS},
        {"1.00000000000000000000000000000000000001", NUMBER_TOO_MANY_DIGITS},
        {"10000000000000000000000000000000000000.1", NUMBER_TOO_MANY_DIGITS},
        {"0.00123456789012345678901234567890123456789012", NUMBER_TOO_MANY_DIGITS},
        {"1.00000000000000000000000000000000000000", NUMBER_FINE},
        {"123456789012345678901234567890123456780", NUMBER_FINE},
        {"1e126", NUMBER_OUT_OF_RANGE},
        {"-1e126", NUMBER_OUT_OF_RANGE},
        {"10e125", NUMBER_OUT_OF_RANGE},
        {"0.1e126", NUMBER_FINE},
        {"9.9e-131", NUMBER_OUT_OF_RANGE},
        {"0.1e-130", NUMBER_OUT_OF_RANGE},
        {"10e-131", NUMBER_FINE},
        {"1e999999999999999999999", NUMBER_OUT_OF_RANGE},
        {"1e-999999999999999999999", NUMBER_OUT_OF_RANGE},
        {"1e9223372036854775808", NUMBER_OUT_OF_RANGE},
        {"1e18446744073709551616", NUMBER_OUT_OF_RANGE},
        {"123456789012345678901234567890123456789e200", NUMBER_OUT_OF_RANGE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct number n = {.text = "as it was", .len = 9};
        assert_int_equal(number_read(span_cstr(cases[i].text), &n), cases[i].status);
        if (cases[i].status != NUMBER_FINE)
            assert_string_equal(n.text, "as it was");
    }
}

/* before, count zeros, after. */
static enum number_status read_with_zeros(const char *before, size_t count, const char *after,
                                          struct number *ret_number) {
    size_t head = strlen(before), tail = strlen(after);
    char *text = malloc(head + count + tail);
    assert_non_null(text);
    memcpy(text, before, head);
    memset(text + head, '0', count);
    memcpy(text + head + count, after, tail);
    enum number_status status = number_read(span_of(text, head + count + tail), ret_number);
    free(text);
    return status;
}

static void zeros_without_end_matter_by_the_value_alone(void **state) {
    (void)state;
    struct number n;
    assert_int_equal(read_with_zeros("1", 200, "", &n), NUMBER_OUT_OF_RANGE);
    assert_int_equal(read_with_zeros("1", 99, "", &n), NUMBER_FINE);
    assert_string_equal(n.text, "1E+99");
    assert_int_equal(read_with_zeros("1", 1000000, "e-1000000", &n), NUMBER_FINE);
    assert_string_equal(n.text, "1");
    assert_int_equal(read_with_zeros("0.", 1000000, "15e1000001", &n), NUMBER_FINE);
    assert_string_equal(n.text, "1.5");
    assert_int_equal(read_with_zeros("0.", 1000000, "", &n), NUMBER_FINE);
    assert_string_equal(n.text, "0");
    assert_int_equal(read_with_zeros("-12.5", 1000000, "", &n), NUMBER_FINE);
    assert_string_equal(n.text, "-12.5");
    assert_int_equal(read_with_zeros("1", 1000000, "1e-1000000", &n), NUMBER_TOO_MANY_DIGITS);
    assert_int_equal(read_with_zeros("3e", 1000000, "2", &n), NUMBER_FINE);
    assert_string_equal(n.text, "300");
}

static void numbers_are_ordered_by_value(void **state) {
    (void)state;
    static const char *const ascending[] = {"-1E+125", "-1E+38", "-12.5",  "-12.45", "-1.5",  "-1", "-0.5",
                                            "-1E-7",   "0",      "1E-130", "1E-7",   "0.5",   "1",  "1.01",
                                            "1.1",     "1.15",   "2",      "9",      "10",    "12", "12.05",
                                            "12.5",    "100",    "1E+37",  "1E+38",  "9E+125"};
    for (size_t i = 0; i < ARRAY_LENGTH(ascending); i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(ascending); k++) {
            struct number a = read_fine(ascending[i]), b = read_fine(ascending[k]);
            int order = number_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_one_normal_form),
        cmocka_unit_test(a_normal_form_read_again_is_itself),
        cmocka_unit_test(what_dynamodb_cannot_hold_is_told_apart),
        cmocka_unit_test(zeros_without_end_matter_by_the_value_alone),
        cmocka_unit_test(numbers_are_ordered_by_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
