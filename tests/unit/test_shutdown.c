#include "group_world.h"
#include "shutdown.h"

static void load(struct scene *s, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (i % 10 == 9)
            scene_send(s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", i);
        else
            scene_set(s, i % 50, i);
}

/* Whether all that is left on the queue is visible, so that others can have it at once; but for those that had failed
 * by themselves, which were given back for a while. */
static void assert_given_back(const struct scene *s) {
    size_t delayed = world_logged(&s->world, "A message is given back and tried again later");
    assert_in_range(s->queue->count - sim_queue_visible(s->queue), 0, delayed);
}

static void fault_25_stopped_at_any_moment_it_drains_or_gives_everything_back_in_time(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 70; seed++) {
        struct scene s;
        scene_init(&s, seed, 50);
        s.worker.options.shutdown_timeout = (unsigned)(seed % 26);
        s.db->transact.latency = seed % 3 ? 10 * MILLISECOND : 3 * SECOND;
        s.db->conflicts = seed % 5 ? 0 : 300;
        s.db->throttles = seed % 7 ? 0 : 300;
        s.db->errors = seed % 11 ? 0 : 200;
        load(&s, 300);
        scene_start(&s);
        unsigned steps = (unsigned)random_below(&s.world.random, 1500);
        for (unsigned i = 0; i < steps && s.queue->count; i++)
            world_step(&s.world);
        if (seed % 13 == 0)
            sim_dynamodb_set_mode(s.db, SIM_DOWN);
        if (seed % 17 == 0)
            s.dlq->mode = SIM_DENIED;
        int64_t stopped = s.world.now;
        sim_worker_stop(&s.worker);
        int64_t limit = (int64_t)s.worker.options.shutdown_timeout * SECOND;
        scene_ends(&s, limit > 2 * SECOND ? limit : 2 * SECOND, outcome_of(ENDED_WELL));
        (void)stopped;
        assert_int_equal(scene_status(&s).in_flight, 0);
        world_run(&s.world, 100 * MILLISECOND);
        assert_given_back(&s);
        scene_done(&s);
    }
}

/* Invariant I5: a life costs a message one receive at most. */
static void what_still_comes_is_not_given_back_into_a_receive_of_its_own(void **state) {
    (void)state;
    for (unsigned twice = 0; twice < 2; twice++) {
        struct scene s;
        scene_init(&s, twice, 50);
        s.worker.options.shutdown_timeout = 5;
        scene_start(&s);
        load(&s, 1000);
        scene_empties(&s, MINUTE);
        assert_true(s.sqs->receives_waiting > 2);
        sim_worker_stop(&s.worker);
        if (twice)
            sim_worker_stop(&s.worker);
        struct sim_message *m[10];
        for (unsigned i = 0; i < 10; i++)
            m[i] = scene_set(&s, i, 1);
        scene_ends(&s, 5 * SECOND, outcome_of(ENDED_WELL));
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(m[i]->receive_count, 1);
        assert_int_equal(sim_queue_visible(s.queue), 10);
        scene_done(&s);
    }
}

/* Nor what had failed, and would be tried anew before it goes to the DLQ. */
static void a_failure_without_its_audit_record_is_not_given_back_into_a_receive_either(void **state) {
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        struct scene s;
        scene_init(&s, i, 50);
        s.invariants.unaudited = true;
        s.dlq->mode = SIM_BROKEN;
        scene_start(&s);
        struct sim_message *m = scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1},\"enable_logging\":false}");
        world_run(&s.world, 4 * SECOND + i * 50 * MILLISECOND);
        sim_worker_stop(&s.worker);
        scene_ends(&s, 25 * SECOND, outcome_of(ENDED_WELL));
        assert_int_equal(m->receive_count, 1);
        assert_int_equal(sim_queue_visible(s.queue), 1);
        scene_done(&s);
    }
}

static void with_nothing_held_it_ends_by_its_deadline_too(void **state) {
    (void)state;
    for (unsigned timeout = 0; timeout < 12; timeout++) {
        struct scene s;
        scene_init(&s, timeout, 1);
        s.worker.options.shutdown_timeout = timeout;
        scene_start(&s);
        world_run(&s.world, 5 * MINUTE); /* its receives wait the longest by now */
        sim_worker_stop(&s.worker);
        scene_ends(&s, timeout > 1 ? (int64_t)timeout * SECOND + MILLISECOND : 1400 * MILLISECOND,
                   outcome_of(ENDED_WELL));
        scene_done(&s);
    }
}

static void a_second_stop_gives_everything_back_at_once(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 50);
    s.worker.options.shutdown_timeout = 3600;
    scene_start(&s);
    load(&s, 10);
    scene_empties(&s, 10 * SECOND);
    s.db->transact.latency = 100 * SECOND;
    load(&s, 100);
    world_run(&s.world, 2 * SECOND);
    sim_worker_stop(&s.worker);
    world_run(&s.world, 20 * SECOND);
    assert_false(s.worker.ended);
    sim_worker_stop(&s.worker);
    scene_ends(&s, 2 * SECOND, outcome_of(ENDED_WELL));
    world_run(&s.world, 100 * MILLISECOND);
    assert_given_back(&s);
    scene_done(&s);
}

static void in_a_drain_what_fails_for_now_is_given_back_without_waiting_for_the_deadline(void **state) {
    (void)state;
    static const char *const codes[] = {"ThrottlingException", "TransactionInProgressException",
                                        "AccessDeniedException"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        struct scene s;
        scene_init(&s, 2, 50);
        struct scripted script = {.record = "", .status = 400, .code = codes[i], .left = 0};
        scene_script(&s, &script);
        s.worker.options.shutdown_timeout = 600;
        s.db->transact.latency = 2 * SECOND;
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 10 * SECOND);
        script.left = FOR_EVER;
        scene_set(&s, 1, 1);
        world_run(&s.world, 500 * MILLISECOND);
        sim_worker_stop(&s.worker);
        scene_ends(&s, 30 * SECOND, outcome_of(ENDED_WELL));
        world_run(&s.world, 100 * MILLISECOND);
        assert_given_back(&s);
        assert_int_equal(s.queue->count, 1);
        scene_done(&s);
    }
}

static void with_sqs_down_it_ends_by_its_deadline_all_the_same(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 50);
    scene_start(&s);
    load(&s, 100);
    world_run(&s.world, 100 * MILLISECOND);
    sim_sqs_set_mode(s.sqs, SIM_SILENT);
    sim_worker_stop(&s.worker);
    scene_ends(&s, 26 * SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(world_logged(&s.world, "could not be given back in time"), 1);
    scene_done(&s);
}

static void a_letter_that_is_under_way_at_the_end_is_acknowledged_or_its_source_given_back(void **state) {
    (void)state;
    for (unsigned acknowledged = 0; acknowledged < 2; acknowledged++) {
        struct scene s;
        scene_init(&s, 4, 1);
        s.worker.options.shutdown_timeout = 8;
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 10 * SECOND);
        s.sqs->send.latency = 7 * SECOND;
        s.dlq->mode = acknowledged ? SIM_UP : SIM_BROKEN;
        s.sqs->send.default_attempts = 1;
        scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
        world_run(&s.world, 300 * MILLISECOND);
        sim_worker_stop(&s.worker);
        scene_ends(&s, 8 * SECOND, outcome_of(ENDED_WELL));
        world_run(&s.world, 100 * MILLISECOND);
        assert_int_equal(s.dlq->count, acknowledged);
        assert_int_equal(s.queue->count, !acknowledged);
        assert_given_back(&s);
        scene_done(&s);
    }
}

static void fault_25_what_is_given_back_on_sigterm_is_received_in_order(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 6, 20);
        g.scene.db->transact.latency = 20 * MILLISECOND;
        g.scene.db->transact.jitter = 300 * MILLISECOND;
        g.scene.db->conflicts = 200;
        g.scene.sqs->failed_entries = seed % 2 ? 200 : 0;
        g.scene.sqs->change.lost_requests = seed % 3 ? 0 : 200;
        g.scene.worker.options.shutdown_timeout = (unsigned)(seed % 4);
        g.fates[2][7] = g.fates[3][8] = FATE_REFUSED;
        grouped_send_all(&g);
        grouped_start(&g);
        world_run(&g.scene.world, (int64_t)seed * 40 * MILLISECOND);
        assert_true(sim_worker_start(&g.scene.other));
        sim_worker_stop(&g.scene.worker);
        scene_ends(&g.scene, 30 * SECOND, outcome_of(ENDED_WELL));
        grouped_finish(&g, 10 * MINUTE);
    }
}

/* With all that is given back in time, nobody waits for a visibility timeout. */
static void fault_25_a_group_that_was_given_back_goes_on_at_once_elsewhere(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 3, 2, 30);
    g.scene.db->transact.latency = 200 * MILLISECOND;
    grouped_send_all(&g);
    grouped_start(&g);
    world_run(&g.scene.world, SECOND);
    assert_true(sim_worker_start(&g.scene.other));
    sim_worker_stop(&g.scene.worker);
    scene_ends(&g.scene, 3 * SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(scene_status(&g.scene).in_flight, 0);
    grouped_finish(&g, 10 * SECOND); /* of 30 s visibility */
}

static void each_phase_takes_its_step(void **state) {
    (void)state;
    /* Of 8 s, two are for returning what is left: the drain ends after six. */
    static const struct {
        enum worker_phase phase;
        int64_t until;
        struct shutdown_view view;
        enum shutdown_step step;
        enum worker_phase then;
    } cases[] = {
        {PHASE_WORKING, 0, {.now = SECOND}, SHUTDOWN_WAIT, PHASE_WORKING},
        {PHASE_DRAINING, 6 * SECOND, {.in_flight = 3, .receives = 1}, SHUTDOWN_WAIT, PHASE_DRAINING},
        {PHASE_DRAINING, 6 * SECOND, {.in_flight = 3}, SHUTDOWN_RETURN_IDLE, PHASE_DRAINING},
        {PHASE_DRAINING, 6 * SECOND, {.records_wait = true}, SHUTDOWN_RETURN_IDLE, PHASE_DRAINING},
        {PHASE_DRAINING, 6 * SECOND, {0}, SHUTDOWN_END, PHASE_ENDED},
        {PHASE_DRAINING, 6 * SECOND, {.now = 6 * SECOND, .in_flight = 3}, SHUTDOWN_RETURN_ALL, PHASE_EMPTYING},
        {PHASE_LEAVING, SECOND, {.in_flight = 3, .receives = 1}, SHUTDOWN_WAIT, PHASE_LEAVING},
        {PHASE_LEAVING, SECOND, {.now = SECOND, .in_flight = 3, .receives = 1}, SHUTDOWN_RETURN_ALL, PHASE_EMPTYING},
        {PHASE_LEAVING, SECOND, {.in_flight = 3}, SHUTDOWN_RETURN_ALL, PHASE_EMPTYING},
        {PHASE_EMPTYING, SECOND, {.in_flight = 1}, SHUTDOWN_WAIT, PHASE_EMPTYING},
        {PHASE_EMPTYING, SECOND, {.now = SECOND, .in_flight = 1}, SHUTDOWN_END, PHASE_ENDED},
        {PHASE_EMPTYING, SECOND, {.records_wait = true}, SHUTDOWN_END, PHASE_ENDED},
        {PHASE_ENDED, 0, {.now = SECOND}, SHUTDOWN_WAIT, PHASE_ENDED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct shutdown s = {.phase = cases[i].phase, .seconds = 8, .until = cases[i].until};
        assert_int_equal(shutdown_step(&s, &cases[i].view), cases[i].step);
        assert_int_equal(s.phase, cases[i].then);
    }
}

static void its_time_is_shared_between_work_and_return(void **state) {
    (void)state;
    static const struct {
        unsigned seconds;
        int64_t work, leave;
    } cases[] = {{0, 0, SECOND}, {1, SECOND / 2, SECOND}, {4, 3 * SECOND, SECOND}, {25, 23 * SECOND, 2 * SECOND}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct shutdown s = {0};
        shutdown_begin(&s, cases[i].seconds, MINUTE);
        assert_int_equal(s.until, MINUTE + cases[i].work);
        shutdown_hasten(&s);
        struct shutdown_view view = {.now = 2 * MINUTE, .in_flight = 1};
        assert_int_equal(shutdown_step(&s, &view), SHUTDOWN_RETURN_ALL);
        assert_int_equal(s.until, 2 * MINUTE + cases[i].leave);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_takes_its_step),
        cmocka_unit_test(its_time_is_shared_between_work_and_return),
        cmocka_unit_test(fault_25_stopped_at_any_moment_it_drains_or_gives_everything_back_in_time),
        cmocka_unit_test(what_still_comes_is_not_given_back_into_a_receive_of_its_own),
        cmocka_unit_test(a_failure_without_its_audit_record_is_not_given_back_into_a_receive_either),
        cmocka_unit_test(with_nothing_held_it_ends_by_its_deadline_too),
        cmocka_unit_test(a_second_stop_gives_everything_back_at_once),
        cmocka_unit_test(in_a_drain_what_fails_for_now_is_given_back_without_waiting_for_the_deadline),
        cmocka_unit_test(with_sqs_down_it_ends_by_its_deadline_all_the_same),
        cmocka_unit_test(a_letter_that_is_under_way_at_the_end_is_acknowledged_or_its_source_given_back),
        cmocka_unit_test(fault_25_what_is_given_back_on_sigterm_is_received_in_order),
        cmocka_unit_test(fault_25_a_group_that_was_given_back_goes_on_at_once_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
