#include "letter_report.h"

#include "letter_fixture.h"

static void add(struct letter_groups *g, struct letter *letter, int64_t sent_at) {
    assert_true(letter_groups_add(g, letter, SPAN("m-1"), sent_at));
    letter_free(letter);
}

static struct buf report_of(const struct letter_report *r, struct letter_groups *g) {
    struct buf out;
    buf_init(&out, 65536);
    assert_true(letter_report_append(r, g, &out));
    return out;
}

static void it_is_a_plain_table_with_what_mends_each(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    add(&g, letter_of("RecordNotFoundError", "No record has this id", "", "u"), 0);
    add(&g, letter_from("x", NULL), LETTER_WALL + 1000000);
    add(&g, letter_of("RecordNotFoundError", "No record has this id", "", "v"), 0);
    const struct letter_report r = {.dlq = "dead", .looked_at = 3, .counted = 3, .whole_groups = true};
    struct buf out = report_of(&r, &g);
    assert_string_equal(
        out.data,
        "DLQ dead: looked at 3; the oldest failed at 2024-01-08T01:34:32Z, the newest at 2024-01-08T01:34:33Z\n"
        "\n"
        " COUNT ERROR, REASON           OLDEST                NEWEST\n"
        "     2 RecordNotFoundError     2024-01-08T01:34:32Z  2024-01-08T01:34:32Z\n"
        "       No record has this id\n"
        "       To mend it: Create the records, then redrive; or have the producer set create_if_missing where a "
        "record "
        "may be new.\n"
        "       Such as: m-1 (id \"u\")\n"
        "       m-1 (id \"v\")\n"
        "     1 none                    2024-01-08T01:34:33Z  2024-01-08T01:34:33Z\n"
        "       it has no error envelope\n"
        "       To mend it: SQS moved it here after as many receives as its redrive policy allows (raise "
        "maxReceiveCount, "
        "and see the worker's log), or others sent it. Redrive it once the worker runs well.\n"
        "       Such as: m-1\n"
        "\n"
        "Looking is a delivery: the receive counts of what was looked at have risen by one.\n");
    buf_free(&out);
    letter_groups_free(&g);
}

static void on_a_terminal_lines_fit_and_errors_are_bold(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    add(&g, letter_of("RecordNotFoundError", "No record has this id", "", "u"), 0);
    const struct letter_report r = {.dlq = "d", .looked_at = 1, .counted = 1, .width = 60, .bold = true};
    struct buf out = report_of(&r, &g);
    assert_non_null(strstr(out.data, "\033[1mRecordNotFoundError\033[0m   "));
    assert_non_null(strstr(out.data, "       To mend it: Create the records, then redrive; or have\n"
                                     "       the producer set create_if_missing where a record may\n"
                                     "       be new.\n"));
    buf_free(&out);
    letter_groups_free(&g);
}

static void it_says_how_many_of_how_many(void **state) {
    (void)state;
    static const struct {
        struct letter_report r;
        const char *with, *without;
    } cases[] = {
        {{.dlq = "d", .looked_at = 10, .counted = 13}, "looked at 10 of about 13", "as asked for"},
        {{.dlq = "d", .looked_at = 10, .counted = 13}, "Of a FIFO group SQS shows the first ten", "hidden by"},
        {{.dlq = "d", .looked_at = 10, .counted = 13, .whole_groups = true}, "hidden by whoever", "FIFO"},
        {{.dlq = "d", .looked_at = 10, .counted = 13, .limited = true}, "looked at 10 of about 13", "FIFO"},
        {{.dlq = "d", .looked_at = 10, .counted = 9}, "looked at 10", "of about"},
        {{.dlq = "d", .looked_at = 10, .counted = SQS_COUNT_UNKNOWN}, "looked at 10", "of about"},
        {{.dlq = "d", .looked_at = 10, .counted = 10, .filtered = true}, "looked at 10, 0 as asked for", "COUNT"},
        {{.dlq = "d", .looked_at = 0, .counted = 0}, "DLQ d: empty\n", "Looking"},
        {{.dlq = "d", .looked_at = 0, .counted = 5}, "others look at them now", "empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct letter_groups g;
        letter_groups_init(&g);
        struct buf out = report_of(&cases[i].r, &g);
        if (!strstr(out.data, cases[i].with) || strstr(out.data, cases[i].without))
            fail_msg("%zu: %s", i, out.data);
        buf_free(&out);
    }
}

static void what_a_terminal_would_act_on_is_not_shown(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(letter_clean_append(SPAN("a\033[1m\n\x7f\xC2\x9B"
                                         "31m\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF\xE2\x80\x8B\xC3\xA9\xE2\x82\xAC"),
                                    &out));
    assert_string_equal(out.data, "a?[1m???31m????\xC3\xA9\xE2\x82\xAC");
    buf_reset(&out);
    assert_true(letter_clean_append(SPAN("\xC2\xE2\x80\xEF"), &out));
    assert_int_equal(out.len, 4);
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_plain_table_with_what_mends_each),
        cmocka_unit_test(on_a_terminal_lines_fit_and_errors_are_bold),
        cmocka_unit_test(it_says_how_many_of_how_many),
        cmocka_unit_test(what_a_terminal_would_act_on_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
