#include "redrive_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kept_log.h"

static unsigned kept_lines(void) {
    unsigned count = 0;
    for (const char *c = logged; *c; c++)
        count += *c == '\n';
    return count;
}

static void the_sum_is_a_sentence_and_an_object(void **state) {
    (void)state;
    const struct redrive_counts c = {
        .taken = 9, .sent = 8, .moved = 7, .failed = 1, .behind = 2, .passed_over = 3, .later = 4};
    struct buf out;
    buf_init(&out, 1000);
    assert_true(redrive_report_append_json(&c, 61234567, &out));
    assert_string_equal(out.data, "{\"moved\":7,\"failed\":1,\"behind\":2,\"sent_not_deleted\":1,\"passed_over\":3,"
                                  "\"came_meanwhile\":4,\"seconds\":61.234}\n");
    buf_reset(&out);
    assert_true(redrive_report_append_sum(&c, "dead", "updates", &out));
    assert_string_equal(out.data, "Moved 7 messages from dead to updates; 3 failed.");
    buf_free(&out);
}

static void all_that_is_not_as_it_was_asked_for_is_said(void **state) {
    (void)state;
    const struct call_result denied = {
        .class = CALL_DENIED, .from_service = true, .code = "AccessDenied", .status = 403};
    static const struct {
        struct redrive_result r;
        const char *said;
    } cases[] = {
        {{.no_memory = true}, "There is no memory to move more"},
        {{.counts = {.taken = 3, .sent = 3, .moved = 1}}, "stand in both queues"},
        {{.counts = {.behind = 2}}, "stay behind one of their FIFO group"},
        {{.full = true}, "hides no more of a queue at a time"},
        {{.left_hidden = 5}, "couldn't be given back"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct log log = test_log();
        redrive_report_log(&log, &cases[i].r);
        assert_int_equal(kept_lines(), 1);
        assert_non_null(strstr(logged, cases[i].said));
    }
    struct log log = test_log();
    redrive_report_log(&log, &(struct redrive_result){.failure = &denied, .failed_at = "Sending to the queue"});
    assert_non_null(strstr(logged, "AccessDenied"));
    assert_non_null(strstr(logged, "Sending to the queue"));
    log = test_log();
    redrive_report_log(&log, &(struct redrive_result){.counts = {.taken = 2, .sent = 2, .moved = 2, .passed_over = 4}});
    assert_int_equal(kept_lines(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_a_sentence_and_an_object),
        cmocka_unit_test(all_that_is_not_as_it_was_asked_for_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
