#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "credentials_refresh.h"

#define MINUTE (60 * MICROSECONDS)
#define NOW (1000000 * MICROSECONDS)

static void phases_begin_a_quarter_of_an_hour_and_ten_minutes_before_the_end(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1);
    int64_t first = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t expires = NOW + 6 * 60 * MINUTE;
        struct refresh_times t = refresh_times(&random, NOW, expires);
        assert_true(expires - t.ahead >= 15 * MINUTE && expires - t.ahead < 20 * MINUTE);
        assert_int_equal(expires - t.needed, 10 * MINUTE);
        assert_int_equal(refresh_phase(&t, t.ahead - 1), REFRESH_NOT_YET);
        assert_int_equal(refresh_phase(&t, t.ahead), REFRESH_AHEAD);
        assert_int_equal(refresh_phase(&t, t.needed - 1), REFRESH_AHEAD);
        assert_int_equal(refresh_phase(&t, t.needed), REFRESH_NEEDED);
        assert_int_equal(refresh_phase(&t, expires + MINUTE), REFRESH_NEEDED);
        first = first ? first : t.ahead;
    }
    assert_true(first != refresh_times(&random, NOW, NOW + 6 * 60 * MINUTE).ahead);
}

static void short_lives_are_used_for_half_of_them_at_least(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1);
    static const int64_t lives[] = {1, MICROSECONDS, 2 * MICROSECONDS, MINUTE, 15 * MINUTE, 25 * MINUTE};
    for (size_t i = 0; i < ARRAY_LENGTH(lives); i++) {
        struct refresh_times t = refresh_times(&random, NOW, NOW + lives[i]);
        assert_true(t.ahead - NOW >= lives[i] / 2);
        assert_true(t.needed >= t.ahead && t.needed <= NOW + lives[i]);
    }
    struct refresh_times never = refresh_times(&random, NOW, NEVER);
    assert_int_equal(refresh_phase(&never, NEVER - 1), REFRESH_NOT_YET);
    struct refresh_times over = refresh_times(&random, NOW, NOW - MINUTE);
    assert_int_equal(refresh_phase(&over, NOW), REFRESH_NEEDED);
}

static void a_source_that_is_down_is_asked_every_five_to_ten_minutes_and_before_the_end(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1);
    for (int i = 0; i < 1000; i++) {
        int64_t expired = refresh_pause(&random, NOW, NOW - 1), far = refresh_pause(&random, NOW, NOW + 600 * MINUTE);
        assert_true(expired >= 5 * MINUTE && expired < 10 * MINUTE);
        assert_true(far >= 5 * MINUTE && far < 10 * MINUTE);
        assert_int_equal(refresh_pause(&random, NOW, NOW + 4 * MINUTE), 2 * MINUTE);
        assert_int_equal(refresh_pause(&random, NOW, NOW + MICROSECONDS), MINUTE / 2);
    }
}

static void without_credentials_pauses_double_up_to_a_minute(void **state) {
    (void)state;
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (unsigned n = 0; n < ARRAY_LENGTH(seconds); n++) {
        assert_int_equal(refresh_short_pause(n), seconds[n] * MICROSECONDS);
    }
    assert_int_equal(refresh_short_pause(UINT32_MAX), MINUTE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_begin_a_quarter_of_an_hour_and_ten_minutes_before_the_end),
        cmocka_unit_test(short_lives_are_used_for_half_of_them_at_least),
        cmocka_unit_test(a_source_that_is_down_is_asked_every_five_to_ten_minutes_and_before_the_end),
        cmocka_unit_test(without_credentials_pauses_double_up_to_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
