#include "letter_report.h"

#include "letter_fixture.h"

static char *line_of(const struct letter *letter, const struct sqs_message *m, struct buf *out) {
    buf_init(out, 65536);
    assert_true(letter_line_append(letter, m, out));
    return out->data;
}

static void one_of_ours_is_a_line_with_all_of_it(void **state) {
    (void)state;
    struct buf out;
    struct letter *letter = letter_of("DatabaseError", "it\\nfailed", "\"code\":\"X\",", "u");
    const struct message_attribute attributes[] = {{SPAN("ErrorType"), SPAN("String"), SPAN("DatabaseError"), false}};
    const struct sqs_message m = {.message_id = SPAN("m-9"),
                                  .group_id = SPAN("g"),
                                  .attributes = attributes,
                                  .attribute_count = 1,
                                  .sent_at = LETTER_WALL + 1000,
                                  .receive_count = 3};
    assert_string_equal(
        line_of(letter, &m, &out),
        "{\"message_id\":\"m-9\",\"error\":\"DatabaseError\",\"status\":500,\"message\":\"it\\nfailed\","
        "\"details\":{\"code\":\"X\"},\"failed_at\":\"2024-01-08T01:34:32.343Z\",\"mending\":\"Look up the code in "
        "DynamoDB's documentation and mend its cause at the table, then redrive.\",\"sent_at\":"
        "\"2024-01-08T01:34:32.344Z\",\"receive_count\":3,\"id\":\"u\",\"idempotency_key\":\"k\",\"group_id\":\"g\","
        "\"source\":{\"queue\":\"q\",\"receive_count\":2},\"attributes\":{\"ErrorType\":\"DatabaseError\"},"
        "\"body\":\"{\\\"id\\\":\\\"u\\\"}\"}\n");
    buf_free(&out);
    letter_free(letter);
}

static void a_foreign_one_is_what_can_be_told_of_it(void **state) {
    (void)state;
    struct buf out;
    struct letter *letter = letter_from("no \"JSON\"", NULL);
    const struct sqs_message m = {.message_id = SPAN("m-1"), .receive_count = 1};
    const char *line = line_of(letter, &m, &out);
    assert_non_null(strstr(line, "{\"message_id\":\"m-1\",\"error\":null,\"mending\":\""));
    assert_non_null(strstr(line, "\"receive_count\":1,\"idempotency_key\":\"m-1\",\"body\":\"no \\\"JSON\\\"\"}\n"));
    assert_null(strstr(line, "failed_at"));
    buf_free(&out);
    letter_free(letter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_ours_is_a_line_with_all_of_it),
        cmocka_unit_test(a_foreign_one_is_what_can_be_told_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
