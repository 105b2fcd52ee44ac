#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <string.h>

static void the_sequence_is_that_of_xoshiro256starstar(void **state) {
    (void)state;
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    struct random r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_true(random_next(&r) == expected[i]);
}

static void a_seed_is_spread_by_splitmix64(void **state) {
    (void)state;
    struct random r;
    random_seed(&r, 0);
    assert_true(r.state[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(r.state[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(r.state[2] == UINT64_C(0x06c45d188009454f));
    assert_true(r.state[3] == UINT64_C(0xf88bb8a8724c81ec));
}

static void one_seed_gives_one_sequence(void **state) {
    (void)state;
    struct random a, b;
    random_seed(&a, 42);
    random_seed(&b, 42);
    for (unsigned i = 0; i < 100; i++)
        assert_true(random_next(&a) == random_next(&b));
}

static void the_kernel_gives_different_seeds(void **state) {
    (void)state;
    struct random a, b;
    assert_true(random_seed_from_system(&a));
    assert_true(random_seed_from_system(&b));
    assert_true(memcmp(&a, &b, sizeof a) != 0);
}

static void numbers_stay_below_the_bound_and_reach_all_of_it(void **state) {
    (void)state;
    struct random r;
    random_seed(&r, 7);
    unsigned counts[6] = {0};
    for (unsigned i = 0; i < 60000; i++)
        counts[random_below(&r, 6)]++;
    /* 10 standard deviations of a fair die */
    for (size_t i = 0; i < 6; i++)
        assert_in_range(counts[i], 10000 - 913, 10000 + 913);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(random_below(&r, UINT64_C(1) << 63 | 1) <= UINT64_C(1) << 63);
    assert_int_equal(random_below(&r, 1), 0);
    assert_int_equal(random_below(&r, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_is_that_of_xoshiro256starstar),
        cmocka_unit_test(a_seed_is_spread_by_splitmix64),
        cmocka_unit_test(one_seed_gives_one_sequence),
        cmocka_unit_test(the_kernel_gives_different_seeds),
        cmocka_unit_test(numbers_stay_below_the_bound_and_reach_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
