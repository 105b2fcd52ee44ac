#include "attribute_value.h"

#include "update_fixture.h"

static const uint64_t seed[2] = {3, 4};

/* Sizes by the Developer Guide's rules, worked out by hand. */
static const struct {
    const char *json, *dynamodb;
    size_t item;
    unsigned depth;
    char type;
} values[] = {
    {"\"\"", "{\"S\":\"\"}", 0, 0, 'S'},
    {"\"caf\\u00e9\"", "{\"S\":\"caf\xC3\xA9\"}", 5, 0, 'S'},
    {"\"a\\u0000\\n\"", "{\"S\":\"a\\u0000\\n\"}", 3, 0, 'S'},
    {"0", "{\"N\":\"0\"}", 1, 0, 'N'},
    {"-0.0e5", "{\"N\":\"0\"}", 1, 0, 'N'},
    {"1.50", "{\"N\":\"1.5\"}", 2, 0, 'N'},
    {"12345678901234567890123456789012345678", "{\"N\":\"12345678901234567890123456789012345678\"}", 20, 0, 'N'},
    {"120e3", "{\"N\":\"12E4\"}", 2, 0, 'N'},
    {"1e125", "{\"N\":\"1E+125\"}", 2, 0, 'N'},
    {"true", "{\"BOOL\":true}", 1, 0, '0'},
    {"false", "{\"BOOL\":false}", 1, 0, '0'},
    {"null", "{\"NULL\":true}", 1, 0, '-'},
    {"[]", "{\"L\":[]}", 3, 1, 'L'},
    {"{}", "{\"M\":{}}", 3, 1, 'M'},
    {" [ \"\\\"]\" , -2e9,[true , 1e37 ],[],false,null, {} ]",
     "{\"L\":[{\"S\":\"\\\"]\"},{\"N\":\"-2E9\"},{\"L\":[{\"BOOL\":true},{\"N\":\"1E37\"}]},{\"L\":[]},{\"BOOL\":false}"
     ",{\"NULL\":true},{\"M\":{}}]}",
     3 + 7 + 2 + 3 + 3 + 2 + 1 + 2 + 3 + 1 + 1 + 3, 2, 'L'},
    {"[null,\"ab\"]", "{\"L\":[{\"NULL\":true},{\"S\":\"ab\"}]}", 3 + 1 + 1 + 1 + 2, 1, 'L'},
    {"{\"name\":\"ab\",\"\\u00e4\":[{}]}", "{\"M\":{\"name\":{\"S\":\"ab\"},\"\xC3\xA4\":{\"L\":[{\"M\":{}}]}}}",
     3 + 1 + 4 + 2 + 1 + 2 + 3 + 1 + 3, 3, 'M'},
};

static void values_become_dynamodbs_and_are_measured_as_it_counts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct value_tape t;
        struct tape_error error;
        struct value_size size;
        struct failure f;
        struct buf out;
        failure_init(&f);
        buf_init(&out, 1000);
        struct value_path path = path_root("x");
        assert_int_equal(tape_read(span_cstr(values[i].json), seed, &t, &error), TAPE_READ);
        assert_true(attribute_value_check(&t, TAPE_ROOT, &path, STORED_DEPTH_MAX, &size, &f));
        assert_true(attribute_value_append(&t, TAPE_ROOT, NUMBERS_SHORT, &out));
        assert_buf(&out, values[i].dynamodb);
        assert_int_equal(size.text, out.len);
        buf_reset(&out);
        assert_true(attribute_value_append(&t, TAPE_ROOT, NUMBERS_NORMAL, &out));
        assert_int_equal(size.text + size.zeros, out.len);
        assert_int_equal(size.item, values[i].item);
        assert_int_equal(size.depth, values[i].depth);
        assert_int_equal(attribute_value_type(&t, TAPE_ROOT), values[i].type);
        tape_free(&t);
        buf_free(&out);
        failure_free(&f);
    }
}

static bool checks(const char *json, unsigned max_depth, struct failure *f) {
    struct value_tape t;
    struct tape_error error;
    struct value_size size;
    struct value_path member = path_root("attributes");
    struct value_path path = path_member(&member, json_string_of("x"));
    assert_int_equal(tape_read(span_cstr(json), seed, &t, &error), TAPE_READ);
    bool fine = attribute_value_check(&t, TAPE_ROOT, &path, max_depth, &size, f);
    tape_free(&t);
    return fine;
}

static void a_number_beyond_dynamodbs_is_refused_at_its_path(void **state) {
    (void)state;
    static const struct {
        const char *json, *details;
    } cases[] = {
        {"[1,{\"a\":123456789012345678901234567890123456789}]",
         "\"field\":\"attributes.x[1].a\",\"reason\":\"a number has at most 38 significant digits\""},
        {"1E126", "\"field\":\"attributes.x\",\"reason\":\"a number is 0 or has a magnitude from 1E-130 to "
                  "9.9999999999999999999999999999999999999E+125\""},
        {"[-1e-131]", "\"field\":\"attributes.x[0]\",\"reason\":\"a number is 0 or has a magnitude from 1E-130 to "
                      "9.9999999999999999999999999999999999999E+125\""},
    };
    struct failure f;
    failure_init(&f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(checks(cases[i].json, STORED_DEPTH_MAX, &f));
        assert_int_equal(f.type, ERROR_VALIDATION);
        assert_buf(&f.details, cases[i].details);
    }
    failure_free(&f);
}

static void a_name_in_a_map_has_1_to_65535_bytes_too(void **state) {
    (void)state;
    struct failure f;
    failure_init(&f);
    assert_false(checks("[{\"a\":{\"\":1}}]", STORED_DEPTH_MAX, &f));
    assert_buf(&f.details, "\"field\":\"attributes.x[0].a\",\"reason\":\"an attribute's name has 1 to 65535 bytes\"");
    char *name = repeated("n", ATTRIBUTE_NAME_MAX + 1);
    char *json = text_of("{\"%s\":1}", name);
    assert_false(checks(json, STORED_DEPTH_MAX, &f));
    free(json);
    json = text_of("{\"%s\":1}", name + 1);
    assert_true(checks(json, STORED_DEPTH_MAX, &f));
    free(json);
    free(name);
    failure_free(&f);
}

static void nesting_ends_at_the_bound_and_is_refused_on_the_value(void **state) {
    (void)state;
    struct failure f;
    failure_init(&f);
    assert_true(checks("[{\"a\":[1]}]", 3, &f));
    assert_false(checks("[{\"a\":[[1]]}]", 3, &f));
    assert_buf(&f.details, "\"field\":\"attributes.x\",\"reason\":\"a value nests at most 3 arrays and objects here\"");
    assert_true(checks("1", 0, &f));
    failure_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_dynamodbs_and_are_measured_as_it_counts),
        cmocka_unit_test(a_number_beyond_dynamodbs_is_refused_at_its_path),
        cmocka_unit_test(a_name_in_a_map_has_1_to_65535_bytes_too),
        cmocka_unit_test(nesting_ends_at_the_bound_and_is_refused_on_the_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
