#include "sqs_text.h"

#include "update_fixture.h"

static void the_characters_of_sqs_are_taken_and_no_others(void **state) {
    (void)state;
    static const char *const valid[] = {"",
                                        "a\t\n\r~\x7f",
                                        "\xC2\x80",
                                        "\xED\x9F\xBF",
                                        "\xEE\x80\x80",
                                        "\xEF\xBF\xBD",
                                        "\xF0\x90\x80\x80",
                                        "\xF4\x8F\xBF\xBF",
                                        "\xF0\x9F\xBF\xBF"};
    static const char *const invalid[] = {"\x01",
                                          "\x0b",
                                          "\x1f",
                                          "\xEF\xBF\xBE",
                                          "a\xEF\xBF\xBF",
                                          "\x80",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xC3",
                                          "\xE2\x82",
                                          "\xF0\x9F\x98",
                                          "\xE2\x28\xA1"};
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++)
        assert_true(sqs_text_is_valid(span_cstr(valid[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(invalid); i++)
        assert_false(sqs_text_is_valid(span_cstr(invalid[i])));
    assert_false(sqs_text_is_valid(span_of("\0", 1)));
}

static void what_it_refuses_is_escaped_as_json_does(void **state) {
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain \xC3\xA4 \x7f", "\"plain \xC3\xA4 \x7f\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\f\n\r\t\x01\x0b\x1f", "\"\\b\\f\\n\\r\\t\\u0001\\u000b\\u001f\""},
        {"a\xEF\xBF\xBE"
         "b\xEF\xBF\xBF",
         "\"a\\ufffeb\\uffff\""},
        {"\xEF\xBF\xBD", "\"\xEF\xBF\xBD\""},
        {"a\xFFz\xE2\x82", "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 1000);
        assert_true(sqs_text_append_json(span_cstr(cases[i].text), &out));
        assert_buf(&out, cases[i].json);
        assert_true(sqs_text_is_valid(buf_span(&out)));
        buf_free(&out);
    }
}

static void json_text_is_escaped_only_where_sqs_refuses_it(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(sqs_text_append_escaped(SPAN("{\"a\\n\": \"x\xEF\xBF\xBF"
                                             "y\xC3\xA4\"}\n"),
                                        &out));
    assert_buf(&out, "{\"a\\n\": \"x\\uffffy\xC3\xA4\"}\n");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_characters_of_sqs_are_taken_and_no_others),
        cmocka_unit_test(what_it_refuses_is_escaped_as_json_does),
        cmocka_unit_test(json_text_is_escaped_only_where_sqs_refuses_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
