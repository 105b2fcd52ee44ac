#include "worker_world.h"

static void fault_06_an_update_slower_than_its_visibility_has_one_effect(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 5);
    s.worker.facts.visibility = s.other.facts.visibility = 10;
    s.db->transact.latency = 25 * SECOND;
    struct sim_message *m[5];
    for (unsigned i = 0; i < 5; i++)
        m[i] = scene_set(&s, i, 1);
    assert_true(sim_worker_start(&s.other));
    scene_start(&s);
    scene_empties(&s, 10 * MINUTE);
    assert_int_equal(s.db->committed, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(m[i]->receive_count, 1);
        assert_true(m[i]->visibility_changes >= 3 && m[i]->visibility_changes < 9);
    }
    scene_done(&s);
}

static enum sim_fate watch_the_lease(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct scene *s = ctx;
    (void)t, (void)result;
    const struct sim_message *m = TAILQ_FIRST(&s->queue->messages);
    if (m && m->visible_at < s->world.now)
        world_violated(&s->world, "an update started without a lease");
    return SIM_RUN;
}

static void fault_06_nothing_starts_without_time_left(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 2, 2);
    s.worker.facts.visibility = 10;
    s.db->hook = watch_the_lease;
    s.db->hook_ctx = &s;
    s.sqs->change.mode = SIM_DOWN; /* no lease can be extended */
    s.db->transact.mode = SIM_DOWN;
    scene_start(&s);
    world_run(&s.world, SECOND);
    struct sim_message *m = scene_set(&s, 0, 1);
    world_run(&s.world, 8500 * MILLISECOND);
    assert_int_equal(m->receive_count, 1);
    s.db->transact.mode = SIM_UP;
    world_run(&s.world, 1400 * MILLISECOND); /* it is let go, and not yet visible */
    assert_int_equal(s.db->committed, 0);
    assert_int_equal(scene_status(&s).in_flight, 0);
    s.sqs->change.mode = SIM_UP;
    scene_empties(&s, 2 * MINUTE);
    scene_done(&s);
}

static void a_lease_lost_while_the_update_ran_is_let_go_when_it_did_not_succeed(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 2);
    s.worker.facts.visibility = 10;
    s.sqs->change.mode = SIM_DOWN;
    s.db->transact.latency = 30 * SECOND;
    struct scripted script = {.record = "k0", .status = 400, .code = "ThrottlingException", .left = FOR_EVER};
    scene_script(&s, &script);
    struct sim_message *m = scene_set(&s, 0, 1);
    scene_start(&s);
    world_run(&s.world, 40 * SECOND);
    m->visible_at = HOUR; /* someone else has it */
    m->handle++;
    world_run(&s.world, 5 * MINUTE);
    assert_int_equal(scene_status(&s).in_flight, 0);
    scene_done(&s);
}

static void fault_06_a_held_message_is_let_go_at_twelve_hours_and_asked_for_anew(void **state) {
    (void)state;
    static const unsigned visibilities[] = {10, 30, 600, 43200};
    for (size_t i = 0; i < ARRAY_LENGTH(visibilities); i++) {
        struct scene s;
        scene_init(&s, 4, 2);
        s.worker.facts.visibility = visibilities[i];
        s.db->transact.mode = SIM_DOWN;
        struct sim_message *m = scene_set(&s, 0, 1);
        scene_start(&s);
        world_run(&s.world, 12 * HOUR - 30 * SECOND);
        assert_int_equal(m->receive_count, 1);
        assert_true(m->visible_at > s.world.now || visibilities[i] == 43200);
        world_run(&s.world, 5 * MINUTE);
        assert_int_equal(m->receive_count <= 2, 1);
        uint64_t least = visibilities[i] == 43200 ? 1 : 86400 / visibilities[i];
        assert_in_range(s.sqs->change.calls, least / 2, 2 * least + 6);
        s.db->transact.mode = SIM_UP;
        scene_empties(&s, 13 * HOUR);
        assert_int_equal(s.db->committed, 1);
        assert_int_equal(s.dlq->count, 0);
        scene_done(&s);
    }
}

static void ten_thousand_held_messages_are_extended_in_tens_without_a_rush(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 5, 2500);
    s.worker.options.max_in_flight = 10000;
    s.worker.facts.queue.attributes.max_message_size = 4096;
    s.worker.facts.visibility = 60;
    scene_start(&s);
    for (unsigned i = 0; i < 2500; i++)
        scene_set(&s, i, 1);
    scene_empties(&s, MINUTE); /* now the worker knows that DynamoDB admits many */
    s.db->transact.latency = 20 * MINUTE; /* longer than any deadline */
    for (unsigned i = 0; i < 10000; i++)
        scene_send(&s, "{\"id\":\"x%u\",\"attributes\":{\"n\":1}}", i);
    world_run(&s.world, 20 * SECOND);
    assert_true(scene_status(&s).in_flight > 9900);
    uint64_t before = s.sqs->change.calls;
    s.sqs->change.most_running = 0;
    world_run(&s.world, 10 * MINUTE);
    uint64_t calls = s.sqs->change.calls - before;
    /* Twenty rounds of a thousand calls; a third more where a batch isn't full. */
    assert_in_range(calls, 18000, 28000);
    assert_true(s.sqs->change.most_running <= 32);
    struct sim_message *m;
    TAILQ_FOREACH(m, &s.queue->messages, link) {
        assert_true(m->receive_count <= 1);
    }
    scene_done(&s);
}

static void what_is_done_with_is_extended_only_while_it_cannot_be_deleted(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 6, 1);
    s.worker.facts.visibility = 10;
    s.sqs->remove.mode = SIM_DOWN;
    struct sim_message *m = scene_set(&s, 0, 1);
    scene_start(&s);
    world_run(&s.world, 14 * SECOND);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(m->visibility_changes, 2);
    s.sqs->remove.mode = SIM_UP;
    scene_empties(&s, 30 * SECOND);
    assert_int_equal(m->receive_count, 1);
    uint64_t changes = s.sqs->change.calls;
    scene_set(&s, 0, 2);
    scene_empties(&s, SECOND);
    world_run(&s.world, MINUTE);
    assert_int_equal(s.sqs->change.calls, changes);
    scene_done(&s);
}

static void an_extension_does_not_wait_behind_one_that_keeps_failing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 7, 50);
    s.worker.facts.visibility = 10;
    s.db->transact.latency = 60 * SECOND;
    s.sqs->failed_entries = 100;
    struct sim_message *m[40];
    for (unsigned i = 0; i < 40; i++)
        m[i] = scene_set(&s, i, 1);
    scene_start(&s);
    scene_empties(&s, 10 * MINUTE);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(m[i]->receive_count, 1);
    scene_done(&s);
}

static void an_answer_that_nobody_knows_costs_no_message_its_lease(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 8, 20);
    s.worker.facts.visibility = 60;
    scene_start(&s);
    scene_set(&s, 0, 0);
    scene_empties(&s, 5 * SECOND);
    s.db->transact.latency = 100 * SECOND;
    struct sim_message *m[20];
    for (unsigned i = 0; i < 20; i++)
        m[i] = scene_set(&s, i, 1);
    world_run(&s.world, 25 * SECOND);
    s.sqs->change.mode = SIM_STRANGE;
    world_run(&s.world, 15 * SECOND); /* the extensions fall due */
    assert_in_range(s.sqs->change.attempts, 1, 20);
    assert_int_equal(scene_status(&s).in_flight, 20);
    s.sqs->change.mode = SIM_UP;
    scene_empties(&s, 10 * MINUTE);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(m[i]->receive_count, 1);
    scene_done(&s);
}

static void many_leases_that_cannot_be_extended_are_a_line_a_minute(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 9, 200);
    s.worker.facts.visibility = 10;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 10 * SECOND);
    s.db->transact.latency = HOUR;
    s.sqs->change.mode = SIM_DENIED;
    for (unsigned i = 0; i < 200; i++)
        scene_set(&s, i, 7);
    world_run(&s.world, 5 * MINUTE);
    assert_in_range(world_logged(&s.world, "visibility timeout could not be extended"), 1, 6);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_06_an_update_slower_than_its_visibility_has_one_effect),
        cmocka_unit_test(fault_06_nothing_starts_without_time_left),
        cmocka_unit_test(a_lease_lost_while_the_update_ran_is_let_go_when_it_did_not_succeed),
        cmocka_unit_test(fault_06_a_held_message_is_let_go_at_twelve_hours_and_asked_for_anew),
        cmocka_unit_test(ten_thousand_held_messages_are_extended_in_tens_without_a_rush),
        cmocka_unit_test(what_is_done_with_is_extended_only_while_it_cannot_be_deleted),
        cmocka_unit_test(an_answer_that_nobody_knows_costs_no_message_its_lease),
        cmocka_unit_test(an_extension_does_not_wait_behind_one_that_keeps_failing),
        cmocka_unit_test(many_leases_that_cannot_be_extended_are_a_line_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
