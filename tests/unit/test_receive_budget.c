#include "receive_budget.h"

#include "compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BYTES 1000

static unsigned allowance(const struct receive_budget *b, const struct receive_reserve *r) {
    struct receive_reserve reserve = *r;
    reserve.bytes_each = reserve.bytes_each ? reserve.bytes_each : 1;
    return receive_allowance(b, &reserve, receive_whole_batch(b->paced), BYTES);
}

static void each_kind_of_leave_has_its_number(void **state) {
    (void)state;
    static const struct {
        struct receive_budget budget;
        struct receive_reserve reserve;
        unsigned allowed;
    } cases[] = {
        {{RECEIVE_NOTHING, .most = 100, .paced = 100}, {0}, 0},
        {{RECEIVE_FREELY, .most = 100, .paced = 100}, {0}, 10},
        /* Room for a whole batch, or none is asked for. */
        {{RECEIVE_FREELY, .in_flight = 91, .most = 100, .paced = 100}, {0}, 0},
        {{RECEIVE_WHAT_FITS, .in_flight = 91, .most = 100, .paced = 100}, {0}, 9},
        {{RECEIVE_WHAT_FITS, .in_flight = 100, .most = 100, .paced = 100}, {0}, 0},
        /* Of a small bound a part is worth a call. */
        {{RECEIVE_FREELY, .in_flight = 11, .most = 20, .paced = 20}, {0}, 9},
        {{RECEIVE_FREELY, .in_flight = 17, .most = 20, .paced = 20}, {0}, 3},
        {{RECEIVE_FREELY, .in_flight = 18, .most = 20, .paced = 20}, {0}, 0},
        /* What is on its way counts, and half of all comes while the other half works. */
        {{RECEIVE_FREELY, .in_flight = 81, .most = 100, .paced = 100}, {.receives = 1, .messages = 10}, 0},
        {{RECEIVE_FREELY, .most = 100, .paced = 100}, {.receives = 5, .messages = 50}, 0},
        {{RECEIVE_FREELY, .most = 3, .paced = 3}, {0}, 2},
        {{RECEIVE_FREELY, .most = 1, .paced = 1}, {0}, 1},
        /* What could begin, and wouldn't, is left on the queue; what waits for something else doesn't count. */
        {{RECEIVE_FREELY, .in_flight = 38, .begun = 38, .begun_most = 48, .most = 100, .paced = 100}, {0}, 10},
        {{RECEIVE_FREELY, .in_flight = 39, .begun = 39, .begun_most = 48, .most = 100, .paced = 100}, {0}, 0},
        {{RECEIVE_FREELY, .in_flight = 28, .begun = 28, .begun_most = 48, .most = 100, .paced = 100},
         {.receives = 1, .messages = 10},
         10},
        {{RECEIVE_FREELY, .in_flight = 28, .begun = 28, .begun_most = 48, .most = 100, .paced = 100},
         {.receives = 2, .messages = 20},
         0},
        {{RECEIVE_FREELY, .in_flight = 80, .begun = 10, .begun_most = 48, .most = 100, .paced = 100}, {0}, 10},
        /* The first message, until DynamoDB has answered: beside nothing but what is late. */
        {{RECEIVE_ONE, .most = 100, .paced = 100}, {0}, 1},
        {{RECEIVE_ONE, .in_flight = 1, .untried = 1, .most = 100, .paced = 100}, {0}, 0},
        {{RECEIVE_ONE, .in_flight = 1, .most = 100, .paced = 100}, {0}, 1},
        {{RECEIVE_ONE, .most = 100, .paced = 100}, {.receives = 1, .messages = 1}, 0},
        {{RECEIVE_ONE, .most = 100, .paced = 100}, {.receives = 1, .late = 1, .messages = 1}, 1},
        /* The one that tells has room above the bound, but no second one, and not beside a group that waits. */
        {{RECEIVE_ONE_MORE, .in_flight = 4, .most = 10, .paced = 10}, {0}, 1},
        {{RECEIVE_ONE_MORE, .in_flight = 10, .most = 10, .paced = 10}, {0}, 1},
        {{RECEIVE_ONE_MORE, .in_flight = 11, .most = 10, .paced = 10}, {0}, 0},
        {{RECEIVE_ONE_MORE, .in_flight = 10, .some_wait = true, .most = 10, .paced = 10}, {0}, 0},
        {{RECEIVE_ONE_MORE, .in_flight = 4, .most = 10, .paced = 10}, {.receives = 1, .messages = 1}, 0},
        /* Bytes bound it as messages do. */
        {{RECEIVE_FREELY, .most = 100, .paced = 100, .bytes = 400}, {.bytes_each = 100}, 6},
        {{RECEIVE_FREELY, .most = 100, .paced = 100, .bytes = 400}, {.bytes = 500, .bytes_each = 100}, 1},
        {{RECEIVE_FREELY, .most = 100, .paced = 100, .bytes = BYTES}, {.bytes_each = 100}, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (allowance(&cases[i].budget, &cases[i].reserve) != cases[i].allowed)
            fail_msg("case %zu: %u, not %u", i, allowance(&cases[i].budget, &cases[i].reserve), cases[i].allowed);
}

static void a_call_is_worth_ten_messages_or_a_tenth_of_a_small_bound(void **state) {
    (void)state;
    static const struct {
        unsigned bound, batch, least;
    } cases[] = {{1, 1, 1},   {2, 1, 1},   {3, 2, 1},    {4, 2, 1},     {8, 4, 1},
                 {9, 5, 1},   {10, 5, 2},  {19, 10, 2},  {20, 10, 3},   {29, 10, 3},
                 {40, 10, 5}, {89, 10, 9}, {90, 10, 10}, {256, 10, 10}, {10000, 10, 10}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(receive_whole_batch(cases[i].bound), cases[i].batch);
        assert_int_equal(receive_least_batch(cases[i].bound), cases[i].least);
    }
}

static void a_rate_bounds_what_is_in_flight_to_a_few_seconds_worth(void **state) {
    (void)state;
    static const struct {
        unsigned most, rate, paced;
    } cases[] = {{100, 0, 100},  {100, 1, 10}, {100, 3, 10},      {100, 4, 16},
                 {100, 50, 100}, {5, 1, 5},    {7, UINT32_MAX, 7}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(receive_paced(cases[i].most, cases[i].rate), cases[i].paced);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_leave_has_its_number),
        cmocka_unit_test(a_call_is_worth_ten_messages_or_a_tenth_of_a_small_bound),
        cmocka_unit_test(a_rate_bounds_what_is_in_flight_to_a_few_seconds_worth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
