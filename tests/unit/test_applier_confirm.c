/* Verdicts that are confirmed before they go to the DLQ: what they wait for, and what they don't. */
#include "worker_world.h"

static void fault_32_a_verdict_does_not_wait_for_what_fails_for_another_message_alone(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
    } ways[] = {{403, ""}, {503, ""}, {400, "ProvisionedThroughputExceededException"}, {400, "ValidationException"}};
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct scene s;
        struct scripted script = {.record = "k0\"", .status = ways[i].status, .code = ways[i].code, .left = FOR_EVER};
        scene_init(&s, 5 + i, 4);
        scene_start(&s);
        scene_set(&s, 1, 1);
        scene_empties(&s, MINUTE);
        scene_script(&s, &script);
        s.db->get_item.mode = SIM_PROXY;
        scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
        world_run(&s.world, 3 * SECOND);
        scene_set(&s, 0, 1);
        world_run(&s.world, 2 * MINUTE);
        assert_int_equal(s.dlq->count, 0);
        s.db->get_item.mode = SIM_UP;
        world_run(&s.world, 2 * MINUTE);
        assert_int_equal(s.dlq->count, 1);
        assert_string_equal(scene_dead(&s, 0)->error_type, "RecordNotFoundError");
        assert_true(script.left > 0 && script.answered > 5);
        scene_done(&s);
    }
}

static void fault_16_in_an_outage_reads_wait_for_its_end(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 9, 4);
    scene_start(&s);
    s.db->get_item.mode = SIM_PROXY;
    for (unsigned i = 0; i < 5; i++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", i);
    world_run(&s.world, 3 * SECOND);
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    scene_set(&s, 0, 1);
    world_run(&s.world, 2 * MINUTE);
    uint64_t before = s.db->get_item.calls;
    world_run(&s.world, HOUR);
    assert_int_equal(s.db->get_item.calls, before);
    sim_dynamodb_set_mode(s.db, SIM_UP);
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->count, 5);
    scene_done(&s);
}

static void fault_16_where_everything_gets_no_answer_reads_go_out_once_a_second_at_most(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 10, 4);
    s.worker.options.max_in_flight = 200;
    scene_start(&s);
    s.db->get_item.mode = SIM_PROXY;
    for (unsigned i = 0; i < 40; i++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", i);
    world_run(&s.world, 3 * SECOND);
    sim_dynamodb_set_mode(s.db, SIM_PROXY);
    scene_set(&s, 0, 1);
    world_run(&s.world, 2 * MINUTE);
    uint64_t before = s.db->get_item.calls;
    world_run(&s.world, 10 * MINUTE);
    assert_in_range(s.db->get_item.calls - before, 1, 600);
    sim_dynamodb_set_mode(s.db, SIM_UP);
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->count, 40);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_32_a_verdict_does_not_wait_for_what_fails_for_another_message_alone),
        cmocka_unit_test(fault_16_in_an_outage_reads_wait_for_its_end),
        cmocka_unit_test(fault_16_where_everything_gets_no_answer_reads_go_out_once_a_second_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
