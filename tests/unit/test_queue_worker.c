#include "worker_world.h"

static void a_hundred_updates_are_applied_and_deleted(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 100);
    for (unsigned i = 0; i < 100; i++)
        scene_set(&s, i, i + 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(scene_n(&s, i), i + 1);
    assert_int_equal(s.db->committed, 100);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_status(&s).applied, 100);
    scene_done(&s);
}

static void a_failed_update_goes_to_the_dlq_and_leaves_its_record_there(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 2, 1);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 7\"}");
    scene_send(&s, "no json");
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    world_run(&s.world, SECOND);
    assert_int_equal(s.dlq->count, 3);
    assert_int_equal(s.db->committed, 0);
    assert_int_equal(s.db->records_put, 2); /* what can't be parsed has none */
    scene_done(&s);
}

static void fault_01_lost_delete_answers_cost_no_second_effect(void **state) {
    (void)state;
    for (unsigned lost = 10; lost <= 500; lost += 70) {
        struct scene s;
        scene_init(&s, lost, 40);
        s.sqs->remove.lost_answers = lost;
        s.sqs->remove.lost_requests = lost / 2;
        s.queue->attributes.visibility_timeout = s.worker.facts.visibility = 10;
        scene_start(&s);
        for (unsigned version = 0; version < 8; version++) {
            for (unsigned i = 0; i < 40; i++)
                scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\"}", i, version + 1, version);
            scene_empties(&s, 10 * MINUTE);
        }
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(scene_n(&s, i), 8);
        assert_int_equal(s.db->committed, 8 * 40);
        assert_int_equal(sim_table_count(s.audit), 8 * 40); /* success records alone: nothing failed */
        assert_int_equal(s.dlq->count, 0);
        scene_done(&s);
    }
}

struct cuts {
    struct scene *s;
    unsigned left;
};

static enum sim_fate cut(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct cuts *cuts = ctx;
    (void)t, (void)result;
    if (cuts->left == 0)
        return SIM_RUN;
    cuts->left--;
    return SIM_COMMIT_AND_CUT;
}

static void fault_02_a_commit_whose_answer_is_cut_has_one_effect(void **state) {
    (void)state;
    for (unsigned cut_count = 1; cut_count < 12; cut_count++) {
        struct scene s;
        scene_init(&s, cut_count, 1);
        struct cuts cuts = {&s, cut_count};
        s.db->hook = cut;
        s.db->hook_ctx = &cuts;
        scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}");
        scene_start(&s);
        scene_empties(&s, 5 * MINUTE);
        assert_int_equal(s.db->committed, 1);
        assert_int_equal(s.dlq->count, 0);
        scene_done(&s);
    }
}

static void fault_02_a_commit_that_is_seen_again_after_eleven_minutes_has_one_effect(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 5, 2);
    struct cuts cuts = {&s, 4};
    s.db->hook = cut;
    s.db->hook_ctx = &cuts;
    struct sim_message *m = scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}");
    scene_start(&s);
    world_run(&s.world, 200 * MILLISECOND);
    assert_int_equal(s.db->committed, 1);
    sim_worker_kill(&s.worker);
    world_run(&s.world, 11 * MINUTE);
    cuts.left = 0;
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_true(m->deleted && m->receive_count == 2);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

static void fault_04_an_update_that_falsified_its_own_condition_and_comes_again_is_a_success(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 6, 1);
    struct sim_message *m = scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}");
    s.sqs->remove.mode = SIM_DOWN;
    scene_start(&s);
    world_run(&s.world, SECOND);
    assert_int_equal(s.db->committed, 1);
    sim_worker_kill(&s.worker);
    s.sqs->remove.mode = SIM_UP;
    world_run(&s.world, 31 * SECOND);
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_true(m->deleted);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

static void fault_04_both_deliveries_at_once_have_one_effect(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct scene s;
        scene_init(&s, seed, 20);
        s.sqs->duplicates = 500;
        s.db->conflicts = 100;
        assert_true(sim_worker_start(&s.other));
        scene_start(&s);
        for (unsigned i = 0; i < 20; i++)
            scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}", i);
        scene_empties(&s, 20 * MINUTE);
        assert_int_equal(s.db->committed, 20);
        assert_int_equal(s.dlq->count, 0);
        scene_done(&s);
    }
}

static void fault_07_a_stale_handle_converges_on_redelivery(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 7, 1);
    s.db->transact.latency = 4 * SECOND;
    struct sim_message *m = scene_set(&s, 0, 1);
    scene_start(&s);
    world_run(&s.world, SECOND);
    assert_int_equal(m->receive_count, 1);
    sim_queue_expose(m); /* to the other worker */
    assert_true(sim_worker_start(&s.other));
    scene_empties(&s, 2 * MINUTE);
    assert_true(s.queue->stale_deletes > 0);
    assert_int_equal(s.db->committed, 1);
    scene_done(&s);
}

/* Chaos of the usual kinds at once. */
static void the_invariants_hold_in_a_storm(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        struct scene s;
        scene_init(&s, seed, 30);
        s.worker.facts.visibility = s.other.facts.visibility = 10;
        s.sqs->duplicates = 50;
        s.sqs->reorders = 100;
        s.sqs->failed_entries = 50;
        s.sqs->receive.lost_answers = s.sqs->remove.lost_answers = s.sqs->send.lost_answers = s.sqs->change.lost_answers = 50;
        s.db->transact.lost_answers = s.db->transact.lost_requests = 50;
        s.db->conflicts = s.db->throttles = s.db->errors = s.db->in_progress = 30;
        assert_true(sim_worker_start(&s.other));
        scene_start(&s);
        for (unsigned i = 0; i < 90; i++)
            scene_set(&s, i % 30, i);
        for (unsigned i = 0; i < 10; i++)
            scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", i);
        scene_empties(&s, 2 * HOUR);
        assert_true(s.dlq->count >= 10);
        assert_int_equal(s.db->committed, 90);
        scene_done(&s);
    }
}

/* A machine can vanish at any moment. */
static void the_invariants_hold_whenever_a_worker_dies(void **state) {
    (void)state;
    for (uint64_t seed = 200; seed < 240; seed++) {
        struct scene s;
        scene_init(&s, seed, 20);
        s.worker.facts.visibility = s.other.facts.visibility = 10;
        s.sqs->duplicates = 30;
        s.sqs->remove.lost_answers = s.sqs->send.lost_answers = 100;
        s.db->transact.lost_answers = 100;
        assert_true(sim_worker_start(&s.other));
        scene_start(&s);
        for (unsigned i = 0; i < 60; i++)
            scene_send(&s, "{\"id\":\"%s%u\",\"attributes\":{\"n\":%u}}", i % 6 ? "k" : "nobody", i % 20, i);
        for (unsigned deaths = 0; deaths < 10; deaths++) {
            unsigned steps = (unsigned)random_below(&s.world.random, 400);
            for (unsigned i = 0; i < steps && s.queue->count; i++)
                world_step(&s.world);
            sim_worker_kill(deaths % 2 ? &s.worker : &s.other);
            assert_true(sim_worker_start(deaths % 2 ? &s.worker : &s.other));
        }
        scene_empties(&s, HOUR);
        assert_int_equal(s.db->committed, 50);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_updates_are_applied_and_deleted),
        cmocka_unit_test(a_failed_update_goes_to_the_dlq_and_leaves_its_record_there),
        cmocka_unit_test(fault_01_lost_delete_answers_cost_no_second_effect),
        cmocka_unit_test(fault_02_a_commit_whose_answer_is_cut_has_one_effect),
        cmocka_unit_test(fault_02_a_commit_that_is_seen_again_after_eleven_minutes_has_one_effect),
        cmocka_unit_test(fault_04_an_update_that_falsified_its_own_condition_and_comes_again_is_a_success),
        cmocka_unit_test(fault_04_both_deliveries_at_once_have_one_effect),
        cmocka_unit_test(fault_07_a_stale_handle_converges_on_redelivery),
        cmocka_unit_test(the_invariants_hold_in_a_storm),
        cmocka_unit_test(the_invariants_hold_whenever_a_worker_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
