#include "worker_world.h"

#include "queue_worker_private.h"
#include "sim_memory.h"

static void fill(struct scene *s) {
    for (unsigned i = 0; i < 6; i++)
        scene_set(s, i % 5, i + 1);
    scene_send(s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_send(s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 99 OR n = 98\"}");
    scene_send(s, "{\"id\":\"\"}");
    scene_send(s, "{\"id\":\"k2\",\"attributes\":{\"n\":8},\"enable_logging\":false}");
}

static void fault_26_whichever_allocation_fails_no_message_is_lost(void **state) {
    (void)state;
    bool failed = true;
    unsigned long k = 1;
    for (; failed; k++) {
        struct scene s;
        scene_init(&s, 1, 5);
        s.db->conflicts = 200;
        fill(&s);
        sim_memory_count = 0;
        sim_memory_fail_at = k;
        while (!sim_worker_start(&s.worker))
            assert_true(sim_memory_count >= k);
        if (!world_run_until(&s.world, scene_is_idle, &s, 5 * MINUTE))
            fail_msg("allocation %lu: %zu messages are left", k, s.queue->count);
        world_run(&s.world, SECOND);
        failed = sim_memory_count >= k;
        sim_memory_fail_at = 0;
        assert_int_equal(s.dlq->count, 3);
        assert_int_equal(s.db->committed, 7);
        sim_worker_stop(&s.worker);
        scene_ends(&s, 26 * SECOND, EXIT_FINE);
        s.invariants.unaudited = true;
        scene_done(&s);
        assert_true(k < 5000);
    }
    assert_in_range(k, 100, 4999); /* it did fail */
}

static void fault_26_without_any_memory_for_a_minute_nothing_is_lost_either(void **state) {
    (void)state;
    for (unsigned long k = 1; k < 600; k += 13) {
        struct scene s;
        scene_init(&s, 2, 5);
        fill(&s);
        assert_true(sim_worker_start(&s.worker));
        sim_memory_count = 0;
        sim_memory_fail_at = k;
        sim_memory_all_after = true;
        world_run(&s.world, MINUTE);
        sim_memory_fail_at = 0;
        sim_memory_all_after = false;
        scene_empties(&s, 10 * MINUTE);
        assert_int_equal(s.db->committed, 7);
        s.invariants.unaudited = true;
        scene_done(&s);
    }
}

static void what_is_done_with_holds_no_update_while_it_waits_to_be_deleted(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 5);
    s.sqs->remove.latency = 10 * SECOND;
    fill(&s);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    const struct queue_worker *w = s.worker.worker;
    assert_int_equal(w->held_counts[HELD_DELETING], 10);
    const struct held *h;
    TAILQ_FOREACH(h, &w->held[HELD_DELETING], in_state) {
        assert_null(h->update);
    }
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->committed, 7);
    s.invariants.unaudited = true;
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_with_holds_no_update_while_it_waits_to_be_deleted),
        cmocka_unit_test(fault_26_whichever_allocation_fails_no_message_is_lost),
        cmocka_unit_test(fault_26_without_any_memory_for_a_minute_nothing_is_lost_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
