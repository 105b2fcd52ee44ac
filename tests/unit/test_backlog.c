#include "worker_world.h"

static const char too_slow[] = "the backlog takes longer than SQS keeps",
                  standing_still[] = "Nothing is worked off, and half";

static void begin(struct scene *s, uint64_t seed, unsigned retention, unsigned messages) {
    scene_init(s, seed, 200);
    s->queue->attributes.retention = s->worker.facts.queue.attributes.retention = retention;
    for (unsigned i = 0; i < messages; i++)
        scene_set(s, i % 200, i);
}

static void fault_30_a_backlog_that_outlasts_its_retention_is_warned_of_before_the_loss(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 30, 3600, 5000);
    s.worker.options.max_rate = 1;
    scene_start(&s);
    world_run(&s.world, 7 * MINUTE);
    assert_int_equal(world_logged(&s.world, too_slow), 1);
    assert_true(world_logged(&s.world, "backlog=") && world_logged(&s.world, "seconds_needed=") &&
                world_logged(&s.world, "seconds_left="));
    world_run(&s.world, 44 * MINUTE); /* nothing is lost yet */
    assert_int_equal(s.queue->count + s.queue->deleted, 5000);
    assert_in_range(world_logged(&s.world, too_slow), 3, 4); /* every 15 minutes at most */
    assert_true(s.sqs->attributes.calls <= 51 / 5 + 1);
    scene_done(&s);
}

static void fault_30_a_backlog_that_is_worked_off_in_time_is_no_warning(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 31, 3600, 3000);
    s.worker.options.max_rate = 1;
    scene_start(&s);
    world_run(&s.world, 55 * MINUTE);
    assert_int_equal(world_logged(&s.world, too_slow), 0);
    scene_done(&s);
}

static void fault_30_a_backlog_that_others_work_off_is_no_lasting_warning(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 32, 3600, 5000);
    s.worker.options.max_rate = 1;
    s.other.options.max_rate = 3;
    scene_start(&s);
    assert_true(sim_worker_start(&s.other));
    world_run(&s.world, 20 * MINUTE);
    assert_true(world_logged(&s.world, too_slow) <= 1); /* before it was seen to shrink */
    scene_done(&s);
}

static void fault_30_while_nothing_is_worked_off_it_is_warned_of_with_half_of_the_retention_left(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 33, 7200, 500);
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    scene_start(&s);
    world_run(&s.world, 58 * MINUTE);
    assert_int_equal(world_logged(&s.world, standing_still), 0);
    world_run(&s.world, 8 * MINUTE);
    assert_int_equal(world_logged(&s.world, standing_still), 1);
    world_run(&s.world, 30 * MINUTE);
    assert_in_range(world_logged(&s.world, standing_still), 2, 3); /* every 15 minutes at most */
    assert_int_equal(s.queue->count, 500);
    scene_done(&s);
}

static void fault_30_a_backlog_beyond_all_numbers_is_warned_of_as_any_other(void **state) {
    (void)state;
    static const uint64_t shares[][3] = {
        {UINT64_MAX - 1, 0, 0}, {UINT64_MAX / 2, UINT64_MAX / 2, UINT64_MAX / 2}, {UINT64_MAX / 3600, 0, 9}};
    for (size_t i = 0; i < ARRAY_LENGTH(shares); i++) {
        struct scene s;
        begin(&s, 35, 3600, 500);
        s.worker.options.max_rate = 1;
        s.queue->count_lag = 1000 * HOUR; /* it tells what it told before */
        s.queue->counted_at = s.world.now;
        s.queue->counted = (struct sim_queue_counts){shares[i][0], shares[i][1], shares[i][2]};
        scene_start(&s);
        world_run(&s.world, 2 * MINUTE);
        assert_int_equal(world_logged(&s.world, too_slow), 1);
        assert_int_equal(world_logged(&s.world, "seconds_needed=-"), 0);
        s.queue->counted = (struct sim_queue_counts){0}; /* as if all of it had been worked off at once */
        world_run(&s.world, 30 * MINUTE);
        assert_int_equal(world_logged(&s.world, too_slow), 1);
        scene_done(&s);
    }
}

static void an_idle_worker_asks_for_no_counts(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 34, 3600, 10);
    scene_start(&s);
    world_run(&s.world, 2 * MINUTE);
    uint64_t calls = s.sqs->attributes.calls;
    assert_in_range(calls, 0, 1);
    world_run(&s.world, 10 * HOUR);
    assert_true(s.sqs->attributes.calls - calls <= 1);
    scene_done(&s);
}

static void where_the_retention_is_not_told_there_is_no_forecast(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 35, 0, 500);
    s.queue->attributes.retention = 345600;
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    scene_start(&s);
    world_run(&s.world, 10 * HOUR);
    assert_int_equal(s.sqs->attributes.calls, 0);
    scene_done(&s);
}

static void counts_that_cannot_be_had_hold_nothing_up(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 36, 3600, 1000);
    s.worker.options.max_rate = 2;
    s.sqs->attributes.mode = SIM_DENIED;
    scene_start(&s);
    scene_empties(&s, 10 * MINUTE);
    s.sqs->attributes.mode = SIM_SILENT;
    scene_set(&s, 0, 1);
    uint64_t calls = s.sqs->attributes.calls;
    STEP_WHILE(&s.world, s.sqs->attributes.calls == calls);
    sim_worker_stop(&s.worker); /* in the middle of one */
    scene_ends(&s, 30 * SECOND, outcome_of(ENDED_WELL));
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_30_a_backlog_that_outlasts_its_retention_is_warned_of_before_the_loss),
        cmocka_unit_test(fault_30_a_backlog_that_is_worked_off_in_time_is_no_warning),
        cmocka_unit_test(fault_30_a_backlog_that_others_work_off_is_no_lasting_warning),
        cmocka_unit_test(fault_30_while_nothing_is_worked_off_it_is_warned_of_with_half_of_the_retention_left),
        cmocka_unit_test(fault_30_a_backlog_beyond_all_numbers_is_warned_of_as_any_other),
        cmocka_unit_test(an_idle_worker_asks_for_no_counts),
        cmocka_unit_test(where_the_retention_is_not_told_there_is_no_forecast),
        cmocka_unit_test(counts_that_cannot_be_had_hold_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
