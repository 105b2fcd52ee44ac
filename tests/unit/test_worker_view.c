#include "queue_worker_view.h"
#include "worker_world.h"

static struct worker_trouble trouble_of(const struct scene *s, enum metrics_part part) {
    return queue_worker_view(s->worker.worker).troubles[part];
}

static void assert_no_other_trouble(const struct scene *s, enum metrics_part part) {
    for (size_t i = 0; i < METRICS_PARTS; i++)
        if (i != part && trouble_of(s, i).is)
            fail_msg("%s is in trouble", METRICS_PART_NAMES[i]);
}

static void at_work_nothing_is_in_trouble_and_all_in_flight_is_seen(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 20);
    s.db->transact.latency = SECOND;
    for (unsigned i = 0; i < 20; i++)
        scene_set(&s, i, 1);
    int64_t sent = s.world.now;
    scene_start(&s);
    STEP_WHILE(&s.world, s.db->transact.running < 5);
    struct worker_view view = queue_worker_view(s.worker.worker);
    assert_no_other_trouble(&s, METRICS_PARTS);
    unsigned all = 0;
    for (size_t i = 0; i < METRICS_STATES; i++)
        all += view.in_flight[i];
    assert_int_equal(all, scene_status(&s).in_flight);
    assert_true(view.in_flight[METRICS_WORKING] >= 5);
    assert_true(view.oldest_sent > 0 && s.world.now - sent < 60 * SECOND);
    assert_false(view.draining);
    scene_empties(&s, MINUTE);
    world_run(&s.world, SECOND); /* the last answers */
    assert_true(queue_worker_view(s.worker.worker).oldest_sent == 0);
    sim_worker_stop(&s.worker);
    assert_true(queue_worker_view(s.worker.worker).draining);
    scene_done(&s);
}

static void each_cause_at_the_database_has_its_name(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        enum metrics_cause cause;
    } cases[] = {{SIM_DOWN, METRICS_UNREACHABLE},       {SIM_PROXY, METRICS_UNREACHABLE},
                 {SIM_THROTTLED, METRICS_THROTTLED},    {SIM_DENIED, METRICS_DENIED},
                 {SIM_EXPIRED, METRICS_NO_CREDENTIALS}, {SIM_SKEWED, METRICS_CLOCK}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 10 + i, 3);
        scene_start(&s);
        world_run(&s.world, 5 * SECOND);
        s.db->transact.mode = cases[i].mode;
        for (unsigned n = 0; n < 3; n++)
            scene_set(&s, n, 1);
        int64_t began = s.world.now;
        world_run(&s.world, 30 * SECOND);
        struct worker_trouble t = trouble_of(&s, METRICS_APPLYING);
        assert_true(t.is);
        assert_int_equal(t.cause, cases[i].cause);
        assert_in_range(t.since, began, began + 10 * SECOND);
        assert_true(t.messages > 0 && t.code[0]);
        assert_no_other_trouble(&s, METRICS_APPLYING);
        s.db->transact.mode = SIM_UP;
        world_run(&s.world, 2 * MINUTE);
        assert_no_other_trouble(&s, METRICS_PARTS);
        scene_done(&s);
    }
}

static void each_part_of_the_queue_is_told_from_the_others(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 30, 3);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    s.sqs->remove.mode = SIM_DENIED;
    scene_set(&s, 0, 1);
    world_run(&s.world, 30 * SECOND);
    assert_true(trouble_of(&s, METRICS_DELETING).is);
    assert_int_equal(trouble_of(&s, METRICS_DELETING).cause, METRICS_DENIED);
    assert_int_equal(trouble_of(&s, METRICS_DELETING).messages, 1);
    assert_no_other_trouble(&s, METRICS_DELETING);
    s.sqs->remove.mode = SIM_UP;
    world_run(&s.world, MINUTE);
    s.sqs->send.mode = SIM_DOWN;
    scene_send(&s, "no json");
    world_run(&s.world, 30 * SECOND);
    assert_true(trouble_of(&s, METRICS_DEAD_LETTERING).is);
    assert_int_equal(trouble_of(&s, METRICS_DEAD_LETTERING).cause, METRICS_UNREACHABLE);
    assert_no_other_trouble(&s, METRICS_DEAD_LETTERING);
    s.sqs->send.mode = SIM_UP;
    world_run(&s.world, MINUTE);
    s.sqs->receive.mode = SIM_EXPIRED;
    world_run(&s.world, 2 * MINUTE);
    assert_true(trouble_of(&s, METRICS_RECEIVING).is);
    assert_int_equal(trouble_of(&s, METRICS_RECEIVING).cause, METRICS_NO_CREDENTIALS);
    assert_no_other_trouble(&s, METRICS_RECEIVING);
    s.sqs->receive.mode = SIM_UP;
    world_run(&s.world, 2 * MINUTE);
    assert_no_other_trouble(&s, METRICS_PARTS);
    scene_done(&s);
}

static void a_failure_that_cannot_be_confirmed_is_a_trouble_of_its_own(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 40, 3);
    scene_start(&s);
    s.db->get_item.mode = SIM_DENIED;
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    world_run(&s.world, 30 * SECOND);
    struct worker_trouble t = trouble_of(&s, METRICS_CONFIRMING);
    assert_true(t.is);
    assert_int_equal(t.messages, 1);
    s.db->get_item.mode = SIM_UP;
    world_run(&s.world, 2 * MINUTE);
    assert_no_other_trouble(&s, METRICS_PARTS);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_work_nothing_is_in_trouble_and_all_in_flight_is_seen),
        cmocka_unit_test(each_cause_at_the_database_has_its_name),
        cmocka_unit_test(each_part_of_the_queue_is_told_from_the_others),
        cmocka_unit_test(a_failure_that_cannot_be_confirmed_is_a_trouble_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
