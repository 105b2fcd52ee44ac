#include "failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WALL 1704677672343000LL /* 2024-01-08T01:34:32.343Z */

static int make(void **state) {
    struct failure *f = malloc(sizeof *f);
    assert_non_null(f);
    failure_init(f);
    *state = f;
    return 0;
}

static int end(void **state) {
    failure_free(*state);
    failure_free(NULL);
    free(*state);
    return 0;
}

static void assert_envelope(const struct failure *f, struct span extra, const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    assert_true(failure_append_envelope(f, extra, WALL, &out));
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void each_type_has_its_name_and_status(void **state) {
    (void)state;
    static const struct {
        enum error_type type;
        const char *name;
        int status;
    } cases[] = {
        {ERROR_INVALID_INPUT, "InvalidInputError", 400},
        {ERROR_VALIDATION, "ValidationError", 400},
        {ERROR_RECORD_NOT_FOUND, "RecordNotFoundError", 404},
        {ERROR_CONDITIONAL_CHECK, "ConditionalCheckFailed", 412},
        {ERROR_DATABASE, "DatabaseError", 500},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_string_equal(error_type_name(cases[i].type), cases[i].name);
        assert_int_equal(error_type_status(cases[i].type), cases[i].status);
    }
}

static void a_new_failure_is_none(void **state) {
    struct failure *f = *state;
    assert_int_equal(f->type, ERROR_NONE);
    assert_true(failure_ok(f));
    assert_int_equal(f->message.len + f->details.len, 0);
}

static void the_envelope_has_the_members_of_the_contract_in_its_order(void **state) {
    struct failure *f = *state;
    failure_set(f, ERROR_INVALID_INPUT, "ID and %s are required", "attributes");
    buf_append_cstr(&f->details, "\"missing_fields\":[\"id\",\"attributes\"]");
    assert_envelope(
        f, (struct span){0},
        "{\"success\":false,\"error\":\"InvalidInputError\",\"message\":\"ID and attributes are required\","
        "\"details\":{\"missing_fields\":[\"id\",\"attributes\"]},\"timestamp\":\"2024-01-08T01:34:32.343Z\"}");
}

static void details_get_further_members_behind_their_own(void **state) {
    struct failure *f = *state;
    failure_for_id(f, ERROR_CONDITIONAL_CHECK, SPAN("{\"a\":1}"));
    assert_envelope(f, SPAN("\"source\":{}"),
                    "{\"success\":false,\"error\":\"ConditionalCheckFailed\","
                    "\"message\":\"The record exists, but its condition_expression is false\","
                    "\"details\":{\"id\":{\"a\":1},\"source\":{}},\"timestamp\":\"2024-01-08T01:34:32.343Z\"}");
}

static void empty_details_are_an_object_too(void **state) {
    struct failure *f = *state;
    failure_set(f, ERROR_DATABASE, "No");
    assert_envelope(f, (struct span){0},
                    "{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"No\",\"details\":{},"
                    "\"timestamp\":\"2024-01-08T01:34:32.343Z\"}");
    assert_envelope(f, SPAN("\"x\":1"),
                    "{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"No\",\"details\":{\"x\":1},"
                    "\"timestamp\":\"2024-01-08T01:34:32.343Z\"}");
}

static void a_validation_tells_field_and_reason(void **state) {
    struct failure *f = *state;
    failure_validation(f, SPAN("attributes.\"a\"\n"), "has %d digits", 39);
    assert_int_equal(f->type, ERROR_VALIDATION);
    assert_string_equal(f->message.data, "Invalid attributes.\"a\"\n: has 39 digits");
    assert_string_equal(f->details.data, "\"field\":\"attributes.\\\"a\\\"\\n\",\"reason\":\"has 39 digits\"");
}

static void a_long_field_is_cut_between_characters_in_the_sentence_alone(void **state) {
    struct failure *f = *state;
    char field[402];
    for (size_t i = 0; i < 400; i += 2)
        memcpy(field + 1 + i, "é", 2);
    field[0] = 'x';
    failure_validation(f, span_of(field, 401), "is long");
    /* 200 bytes end within a character. */
    assert_int_equal(f->message.len, strlen("Invalid : is long") + 199 + strlen("…"));
    assert_memory_equal(f->message.data + strlen("Invalid ") + 197, "é…: is long", strlen("é…: is long"));
    assert_non_null(strstr(f->details.data, "ééé\",\"reason\""));
    assert_int_equal(f->details.len, strlen("\"field\":\"\",\"reason\":\"is long\"") + 401);
}

static void a_missing_record_tells_its_id(void **state) {
    struct failure *f = *state;
    failure_for_id(f, ERROR_RECORD_NOT_FOUND, SPAN("\"user-123\""));
    assert_int_equal(f->type, ERROR_RECORD_NOT_FOUND);
    assert_string_equal(f->message.data, "No record has this id");
    assert_string_equal(f->details.data, "\"id\":\"user-123\"");
}

static void an_environment_that_fails_a_caller_tells_its_code(void **state) {
    struct failure *f = *state;
    failure_environment(f, SPAN("Timeout"));
    assert_int_equal(f->type, ERROR_DATABASE);
    assert_string_equal(f->details.data, "\"code\":\"Timeout\"");
    assert_non_null(strstr(f->message.data, "isn't known: Timeout"));
}

static void a_database_error_tells_its_code(void **state) {
    struct failure *f = *state;
    failure_database(f, SPAN("ItemCollectionSizeLimitExceeded"));
    assert_int_equal(f->type, ERROR_DATABASE);
    assert_string_equal(f->message.data, "The database refuses this message for good: ItemCollectionSizeLimitExceeded");
    assert_string_equal(f->details.data, "\"code\":\"ItemCollectionSizeLimitExceeded\"");
}

static void a_second_failure_replaces_the_first(void **state) {
    struct failure *f = *state;
    failure_validation(f, SPAN("id"), "is wrong");
    failure_set(f, ERROR_INVALID_INPUT, "Another");
    assert_int_equal(f->type, ERROR_INVALID_INPUT);
    assert_string_equal(f->message.data, "Another");
    assert_int_equal(f->details.len, 0);
}

static void a_failure_without_memory_makes_no_envelope(void **state) {
    struct failure *f = *state;
    failure_set(f, ERROR_DATABASE, "No");
    f->details.failure = BUF_NO_MEMORY;
    assert_false(failure_ok(f));
    struct buf out;
    buf_init(&out, 4096);
    assert_false(failure_append_envelope(f, (struct span){0}, WALL, &out));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void an_envelope_without_room_is_told(void **state) {
    struct failure *f = *state;
    failure_set(f, ERROR_DATABASE, "No");
    struct buf out;
    buf_init(&out, 40);
    assert_false(failure_append_envelope(f, (struct span){0}, WALL, &out));
    buf_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

static void fault_31_the_sentence_for_the_log_has_no_name_of_the_messages_author(void **state) {
    struct failure *f = *state;
    static const struct {
        struct span field;
        const char *text;
    } cases[] = {
        {SPAN("attributes.user.secretname"), "Invalid attributes…: too deep"},
        {SPAN("attributes"), "Invalid attributes: too deep"},
        {SPAN("expression_attribute_values.:v"), "Invalid expression_attribute_values…: too deep"},
        {SPAN("set[0]"), "Invalid set…: too deep"},
        {SPAN("`secret name`.x"), "Invalid …: too deep"},
        {SPAN("secret"), "Invalid …: too deep"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 200);
        failure_validation(f, cases[i].field, "too %s", "deep");
        failure_append_for_log(f, &out);
        assert_string_equal(out.data, cases[i].text);
        buf_reset(&out);
        failure_set(f, ERROR_INVALID_INPUT, "ID is required");
        failure_append_for_log(f, &out);
        assert_string_equal(out.data, "ID is required");
        buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_name_and_status),
        TEST(a_new_failure_is_none),
        TEST(the_envelope_has_the_members_of_the_contract_in_its_order),
        TEST(details_get_further_members_behind_their_own),
        TEST(empty_details_are_an_object_too),
        TEST(a_validation_tells_field_and_reason),
        TEST(a_long_field_is_cut_between_characters_in_the_sentence_alone),
        TEST(a_missing_record_tells_its_id),
        TEST(a_database_error_tells_its_code),
        TEST(an_environment_that_fails_a_caller_tells_its_code),
        TEST(a_second_failure_replaces_the_first),
        TEST(a_failure_without_memory_makes_no_envelope),
        TEST(an_envelope_without_room_is_told),
        cmocka_unit_test_setup_teardown(fault_31_the_sentence_for_the_log_has_no_name_of_the_messages_author, make,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
