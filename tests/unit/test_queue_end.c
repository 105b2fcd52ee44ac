#include "queue_end.h"

#include "compiler.h"
#include "sqs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define EMPTY                                                                                                          \
    { .last_was_empty = true }

/* What comes of the same view and counts, seen so many times, a second apart. */
static enum queue_end_verdict seen(const struct queue_end_view *view, const struct sqs_queue_attributes *counts,
                                   unsigned times) {
    struct queue_end e = {0};
    struct queue_end_view v = *view;
    enum queue_end_verdict verdict = QUEUE_GOES_ON;
    for (unsigned i = 0; i < times; i++, v.now += 1000000)
        verdict = queue_end(&e, &v, counts);
    return verdict;
}

static void two_counts_in_a_row_tell(void **state) {
    (void)state;
    static const struct {
        struct queue_end_view view;
        struct sqs_queue_attributes counts;
        enum queue_end_verdict once, twice;
    } cases[] = {
        {EMPTY, {0}, QUEUE_GOES_ON, QUEUE_IS_EMPTY},
        {{.in_flight = 1, .last_was_empty = true}, {0}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {{.last_was_empty = false}, {0}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {EMPTY, {.visible = 1}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {EMPTY, {.in_flight = 1}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {EMPTY, {.delayed = 1}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        /* Nothing is left but what fails. */
        {{.in_flight = 2, .only_stubborn = true}, {.in_flight = 2}, QUEUE_GOES_ON, QUEUE_IS_STUBBORN},
        {{.in_flight = 2, .only_stubborn = true}, {.in_flight = 3}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {{.in_flight = 2, .only_stubborn = true}, {.in_flight = 2, .delayed = 1}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        {{.in_flight = 2, .only_stubborn = true}, {.in_flight = 2, .visible = 1}, QUEUE_GOES_ON, QUEUE_GOES_ON},
        /* On a FIFO queue those behind a group's first are visible, and can't be received. */
        {{.in_flight = 2, .only_stubborn = true, .fifo = true, .last_was_empty = true},
         {.in_flight = 2, .visible = 1},
         QUEUE_GOES_ON,
         QUEUE_IS_STUBBORN},
        {{.in_flight = 2, .only_stubborn = true, .fifo = true}, {.in_flight = 2}, QUEUE_GOES_ON, QUEUE_GOES_ON},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(seen(&cases[i].view, &cases[i].counts, 1), cases[i].once);
        assert_int_equal(seen(&cases[i].view, &cases[i].counts, 2), cases[i].twice);
    }
}

static void it_is_empty_for_as_long_as_was_asked_for(void **state) {
    (void)state;
    static const struct queue_end_view view = {.last_was_empty = true, .patience = 5000000};
    static const struct sqs_queue_attributes counts = {0};
    assert_int_equal(seen(&view, &counts, 5), QUEUE_GOES_ON);
    assert_int_equal(seen(&view, &counts, 6), QUEUE_IS_EMPTY);
}

static void a_message_lets_it_begin_anew(void **state) {
    (void)state;
    static const struct queue_end_view view = EMPTY;
    static const struct sqs_queue_attributes counts = {0};
    struct queue_end e = {0};
    assert_int_equal(queue_end(&e, &view, &counts), QUEUE_GOES_ON);
    queue_end_reset(&e);
    assert_int_equal(queue_end(&e, &view, &counts), QUEUE_GOES_ON);
    assert_int_equal(queue_end(&e, &view, &counts), QUEUE_IS_EMPTY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_counts_in_a_row_tell),
        cmocka_unit_test(it_is_empty_for_as_long_as_was_asked_for),
        cmocka_unit_test(a_message_lets_it_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
