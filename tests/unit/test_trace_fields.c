#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "trace_fields.h"

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define HEADER "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"

/* How many fields there are for these. */
static size_t fields_of(const char *name, const char *value, bool binary, const char *header,
                        struct log_field fields[static TRACE_FIELDS]) {
    const struct message_attribute attributes[] = {{SPAN("a"), SPAN("String"), SPAN("b"), false},
                                                   {span_cstr(name), SPAN("String"), span_cstr(value), binary}};
    const struct sqs_message m = {
        .attributes = attributes, .attribute_count = 2, .trace_header = header ? span_cstr(header) : (struct span){0}};
    size_t count = 0;
    trace_fields(&m, fields);
    while (fields[count].name)
        count++;
    return count;
}

static void both_are_told_where_they_are_there(void **state) {
    (void)state;
    struct log_field fields[TRACE_FIELDS];
    assert_int_equal(fields_of("traceparent", PARENT, false, HEADER, fields), 2);
    assert_string_equal(fields[0].name, "traceparent");
    assert_true(span_is(fields[0].text, PARENT));
    assert_string_equal(fields[1].name, "trace_header");
    assert_true(span_is(fields[1].text, HEADER));
    assert_int_equal(fields_of("other", PARENT, false, NULL, fields), 0);
    assert_int_equal(fields_of("other", "x", false, HEADER ";Lineage=a87bd80c:0|68fd508a:5", fields), 1);
}

static void what_has_not_their_form_is_not_told(void **state) {
    (void)state;
    static const char *const parents[] = {"", "jane@example.com", PARENT "-x",
                                          "00-4bf92f3577b34da6a3ce929d0e0e473G-00f067aa0ba902b7-01",
                                          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
    static const char *const headers[] = {"",         "Root=", "jane",      "Root=1-67891233;Name=Jane",
                                          "Root=x y", ";",     "Sampled=1;"};
    static const bool told[] = {false, true, false, false, false, false, true};
    struct log_field fields[TRACE_FIELDS];
    for (size_t i = 0; i < ARRAY_LENGTH(parents); i++)
        assert_int_equal(fields_of("traceparent", parents[i], false, NULL, fields), 0);
    assert_int_equal(fields_of("traceparent", PARENT, true, NULL, fields), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++)
        assert_int_equal(fields_of("x", "x", false, headers[i], fields), told[i]);
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "Root=", 5);
    assert_int_equal(fields_of("x", "x", false, longest, fields), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_told_where_they_are_there),
        cmocka_unit_test(what_has_not_their_form_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
