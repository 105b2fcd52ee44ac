#include "worker_world.h"

#define LINE "Messages are tried in vain for a minute and more"

static void a_record_that_is_throttled_or_worked_on_by_others_for_long_is_told_every_ten_minutes(void **state) {
    (void)state;
    static const char *const codes[] = {"ThrottlingError", "TransactionConflict"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        struct scene s;
        scene_init(&s, i, 50);
        struct scripted script = {.record = "k0\"", .code = codes[i], .left = FOR_EVER};
        scene_script(&s, &script);
        scene_start(&s);
        struct sim_message *late = scene_set(&s, 0, 1);
        scene_trickle(&s, 1, 5 * SECOND, 50 * SECOND);
        assert_int_equal(world_logged(&s.world, LINE), 0);
        scene_trickle(&s, 1, 5 * SECOND, 3 * MINUTE);
        assert_int_equal(world_logged(&s.world, LINE), 1);
        char named[160];
        (void)snprintf(named, sizeof named, "messages=1 message_id=%s seconds=", late->id);
        assert_int_equal(world_logged(&s.world, named), 1);
        scene_trickle(&s, 1, 5 * SECOND, 10 * MINUTE);
        assert_int_equal(world_logged(&s.world, LINE), 2);
        script.left = 0;
        scene_trickle(&s, 1, 5 * SECOND, 15 * MINUTE);
        assert_int_equal(world_logged(&s.world, LINE), 2);
        assert_true(late->deleted);
        scene_done(&s);
    }
}

static void what_is_held_for_all_is_not_told_twice(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 7, 50);
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, MINUTE);
    s.db->transact.mode = SIM_DOWN;
    scene_set(&s, 0, 2);
    world_run(&s.world, 30 * MINUTE);
    assert_int_equal(world_logged(&s.world, LINE), 0);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_is_throttled_or_worked_on_by_others_for_long_is_told_every_ten_minutes),
        cmocka_unit_test(what_is_held_for_all_is_not_told_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
