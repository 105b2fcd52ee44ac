#include "worker_world.h"

#include "receive_attempts.h"

static struct receive_attempt lose(struct receive_attempts *attempts, struct random *random, unsigned messages, int64_t at) {
    struct receive_attempt attempt = receive_attempt_new(random, messages, at);
    receive_attempts_lost(attempts, &attempt);
    return attempt;
}

static void new_attempts_have_ids_that_the_service_takes_and_no_two_alike(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1);
    struct receive_attempt a = receive_attempt_new(&random, 10, 0), b = receive_attempt_new(&random, 10, 0);
    assert_int_equal(strlen(a.id), 32);
    assert_int_equal(strspn(a.id, "0123456789abcdef"), 32);
    assert_string_not_equal(a.id, b.id);
}

static void lost_attempts_are_repeated_oldest_first_once_each(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 2);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt first = lose(&attempts, &random, 10, 0), second = lose(&attempts, &random, 10, SECOND), got;
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
    assert_string_equal(got.id, first.id);
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
    assert_string_equal(got.id, second.id);
    assert_false(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
}

static void an_attempt_is_repeated_while_its_messages_are_hidden_and_for_five_minutes(void **state) {
    (void)state;
    static const struct {
        int64_t hidden, age;
        bool repeated;
    } cases[] = {{30 * SECOND, 27 * SECOND, true},  {30 * SECOND, 28 * SECOND, false}, {HOUR, 297 * SECOND, true},
                 {HOUR, 298 * SECOND, false},       {10 * SECOND, 7 * SECOND, true},   {10 * SECOND, 8 * SECOND, false}};
    struct random random;
    random_seed(&random, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct receive_attempts attempts = {.count = 0};
        struct receive_attempt got;
        lose(&attempts, &random, 10, SECOND);
        assert_int_equal(receive_attempts_repeat(&attempts, 10, cases[i].hidden, SECOND + cases[i].age, &got), cases[i].repeated);
        assert_int_equal(attempts.count, 0);
    }
}

static void an_attempt_waits_until_there_is_room_for_all_that_it_may_bring(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 4);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt large = lose(&attempts, &random, 10, 0), small = lose(&attempts, &random, 1, 0), got;
    assert_true(receive_attempts_repeat(&attempts, 1, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, small.id);
    assert_false(receive_attempts_repeat(&attempts, 9, 30 * SECOND, SECOND, &got));
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, large.id);
}

static void of_too_many_the_oldest_is_given_up(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt kept = {0}, got;
    for (int i = 0; i < RECEIVE_ATTEMPTS_MAX + 1; i++) {
        struct receive_attempt attempt = lose(&attempts, &random, 10, i);
        if (i == 1)
            kept = attempt;
    }
    assert_int_equal(attempts.count, RECEIVE_ATTEMPTS_MAX);
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, kept.id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_attempts_have_ids_that_the_service_takes_and_no_two_alike),
        cmocka_unit_test(lost_attempts_are_repeated_oldest_first_once_each),
        cmocka_unit_test(an_attempt_is_repeated_while_its_messages_are_hidden_and_for_five_minutes),
        cmocka_unit_test(an_attempt_waits_until_there_is_room_for_all_that_it_may_bring),
        cmocka_unit_test(of_too_many_the_oldest_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
