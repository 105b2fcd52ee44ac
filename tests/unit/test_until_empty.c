#include "group_world.h"

static void begin(struct scene *s, uint64_t seed, unsigned seconds) {
    scene_init(s, seed, 20);
    s->worker.options.until_empty = true;
    s->worker.options.until_empty_seconds = seconds;
}

static void it_ends_about_three_seconds_after_the_last_message(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 1, 0);
    for (unsigned i = 0; i < 20; i++)
        scene_set(&s, i, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    int64_t emptied = s.world.now;
    scene_ends(&s, 10 * SECOND, outcome_of(ENDED_WELL));
    assert_in_range(s.world.now - emptied, 2 * SECOND, 4 * SECOND);
    scene_done(&s);
}

static void told_to_stop_before_it_was_seen_to_be_empty_it_ends_with_1(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 1, 0);
    s.worker.options.max_rate = 5;
    for (unsigned i = 0; i < 200; i++)
        scene_set(&s, i % 20, 1);
    scene_start(&s);
    world_run(&s.world, 3 * SECOND);
    sim_worker_stop(&s.worker);
    scene_ends(&s, MINUTE, outcome_of(ENDED_SOME_FAILED));
    assert_true(s.queue->count > 0);
    scene_done(&s);
}

static void the_queue_is_to_have_been_empty_for_the_seconds_given(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 2, 60);
    scene_start(&s);
    world_run(&s.world, 50 * SECOND);
    scene_set(&s, 0, 1); /* counts anew */
    scene_empties(&s, 10 * SECOND);
    int64_t emptied = s.world.now;
    scene_ends(&s, 90 * SECOND, outcome_of(ENDED_WELL));
    assert_in_range(s.world.now - emptied, 60 * SECOND, 66 * SECOND);
    scene_done(&s);
}

static void messages_in_flight_elsewhere_are_waited_for(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 3, 0);
    struct sim_message *m = scene_set(&s, 0, 1);
    m->visible_at = s.world.now + 5 * MINUTE;
    scene_start(&s);
    world_run(&s.world, 4 * MINUTE);
    assert_false(s.worker.ended);
    scene_ends(&s, 2 * MINUTE, outcome_of(ENDED_WELL));
    assert_true(m->deleted);
    scene_done(&s);
}

static void a_token_is_waited_out(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 4, 0);
    s.worker.context.audit = AUDIT_OFF;
    struct scripted script = {.record = "k0", .status = 400, .code = "IdempotentParameterMismatchException", .left = 1};
    scene_script(&s, &script);
    struct sim_message *m = scene_set(&s, 0, 1);
    scene_start(&s);
    scene_ends(&s, 11 * MINUTE, outcome_of(ENDED_WELL));
    assert_true(m->deleted && s.world.now > 10 * MINUTE);
    s.invariants.unaudited = true;
    scene_done(&s);
}

static void messages_that_fail_for_good_with_nothing_else_left_end_it_with_1_and_a_line_each(void **state) {
    (void)state;
    for (unsigned count = 1; count <= 3; count++) {
        struct scene s;
        begin(&s, 5, 0);
        struct scripted script = {.record = "", .status = 500, .code = "InternalServerError", .left = FOR_EVER};
        scene_script(&s, &script);
        for (unsigned i = 0; i < count; i++)
            scene_set(&s, i, 1);
        scene_start(&s);
        scene_ends(&s, 40 * MINUTE, outcome_of(ENDED_SOME_FAILED));
        assert_int_equal(world_logged(&s.world, "Left on the queue"), count);
        /* Before, each time that they went back for another delivery was a line, and nothing was said to work. */
        assert_int_equal(world_logged(&s.world, "it is given back, and tried again messages="), 4);
        assert_int_equal(world_logged(&s.world, "works again; going on"), 0);
        assert_int_equal(s.queue->count, count);
        assert_int_equal(s.dlq->sent, 0);
        for (unsigned i = 0; i < count; i++)
            assert_true(s.sqs->all[i]->receive_count >= 5);
        world_run(&s.world, 100 * MILLISECOND);
        assert_int_equal(sim_queue_visible(s.queue), count);
        scene_done(&s);
    }
}

static void what_went_to_the_dlq_is_counted_in_the_last_line(void **state) {
    (void)state;
    for (unsigned bad = 0; bad < 4; bad += 3) {
        struct scene s;
        begin(&s, 9, 0);
        for (unsigned i = 0; i < 10; i++)
            scene_set(&s, i, 1);
        for (unsigned i = 0; i < bad; i++)
            scene_send(&s, "no JSON");
        scene_start(&s);
        scene_ends(&s, MINUTE, outcome_of(ENDED_WELL));
        const char *line = strstr(s.world.log_text.data, "Messages went to the DLQ");
        assert_int_equal(line != NULL, bad > 0);
        if (line) {
            assert_non_null(strstr(line, "messages=3 dlq=" SIM_DLQ));
            assert_ptr_equal(strchr(line, '\n'), strrchr(line, '\n'));
            assert_true(strstr(s.world.log_text.data, "Stopped") < line);
        }
        scene_done(&s);
    }
}

static void dynamodb_fails(struct scene *s, enum sim_mode mode) {
    sim_dynamodb_set_mode(s->db, mode);
}
static void receives_fail(struct scene *s, enum sim_mode mode) {
    s->sqs->receive.mode = mode;
}
static void counts_fail(struct scene *s, enum sim_mode mode) {
    s->sqs->attributes.mode = mode;
}

static void what_is_waited_for_is_said_within_five_seconds(void **state) {
    (void)state;
    static void (*const faults[])(struct scene *, enum sim_mode) = {dynamodb_fails, receives_fail, counts_fail};
    static const enum sim_mode modes[] = {SIM_DOWN,   SIM_BROKEN,  SIM_PROXY,  SIM_THROTTLED,
                                          SIM_DENIED, SIM_EXPIRED, SIM_STRANGE};
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++)
        for (size_t mode = 0; mode < ARRAY_LENGTH(modes); mode++) {
            struct scene s;
            begin(&s, i, 0);
            if (faults[i] != counts_fail) /* the queue is counted when it seems to be empty */
                for (unsigned n = 0; n < 20; n++)
                    scene_set(&s, n, 1);
            faults[i](&s, modes[mode]);
            scene_start(&s);
            world_run(&s.world, i == 2 ? 8 * SECOND : 5200 * MILLISECOND);
            if (!world_logged(&s.world, "WARNING"))
                fail_msg("fault %zu, mode %d: nothing is said", i, (int)modes[mode]);
            assert_true(world_run_until(&s.world, scene_has_ended, &s.worker, 11 * MINUTE));
            assert_int_equal(s.worker.outcome.ending, ENDED_BY_CAUSE);
            assert_int_equal(world_logged(&s.world, "Giving up: the environment has failed for ten minutes what="), 1);
            scene_done(&s);
        }
}

/* Something worked since it first failed, and now nothing else is there: no hold, and yet a wait. */
static void a_message_that_is_left_alone_with_its_failure_is_told_of(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 12, 0);
    struct scripted script = {.record = "k1\"", .status = 400, .code = "AccessDeniedException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"enable_logging\":false}");
    scene_start(&s);
    world_run(&s.world, 2 * SECOND);
    scene_set(&s, 2, 1); /* of the other kind */
    world_run(&s.world, 15 * SECOND);
    assert_int_equal(scene_n(&s, 2), 1);
    unsigned waits = world_logged(&s.world, "Waiting: what is left fails");
    assert_true(waits <= 2 && waits + world_logged(&s.world, "Holding: every message held fails") >= 1);
    s.invariants.unaudited = true;
    scene_done(&s);
}

struct environment_case {
    enum sim_mode mode;
    enum cause cause;
};

static void a_fault_of_the_environment_that_lasts_ten_minutes_ends_it(void **state) {
    (void)state;
    static const struct environment_case cases[] = {{SIM_DOWN, CAUSE_UNREACHABLE},
                                                    {SIM_THROTTLED, CAUSE_THROTTLED},
                                                    {SIM_EXPIRED, CAUSE_CREDENTIALS},
                                                    {SIM_DENIED, CAUSE_DENIED}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        begin(&s, 6 + i, 0);
        sim_dynamodb_set_mode(s.db, cases[i].mode);
        for (unsigned n = 0; n < 50; n++)
            scene_set(&s, n % 20, n);
        scene_start(&s);
        world_run(&s.world, 595 * SECOND);
        assert_false(s.worker.ended);
        scene_ends(&s, MINUTE, outcome_by(cases[i].cause));
        world_run(&s.world, 100 * MILLISECOND);
        assert_int_equal(sim_queue_visible(s.queue), 50);
        scene_done(&s);
    }
}

static void a_missing_table_ends_it(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 10, 0);
    s.users->exists = false;
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_ends(&s, 11 * MINUTE, outcome_by(CAUSE_MISSING));
    scene_done(&s);
}

static void queues_that_fail_for_ten_minutes_end_it(void **state) {
    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        struct scene s;
        begin(&s, 11 + which, 0);
        enum cause cause = CAUSE_UNREACHABLE;
        scene_set(&s, 0, 1);
        if (which == 0)
            sim_sqs_set_mode(s.sqs, SIM_DOWN);
        if (which == 1)
            s.queue->mode = SIM_DENIED, cause = CAUSE_DENIED;
        if (which == 2)
            s.sqs->attributes.mode = SIM_DENIED, cause = CAUSE_DENIED; /* it can't be known whether it is empty */
        if (which == 3) {
            s.dlq->mode = SIM_DENIED, cause = CAUSE_DENIED;
            scene_send(&s, "{}");
        }
        scene_start(&s);
        world_run(&s.world, 590 * SECOND);
        assert_false(s.worker.ended);
        scene_ends(&s, 2 * MINUTE, outcome_by(cause));
        scene_done(&s);
    }
}

static void verdicts_that_cant_be_confirmed_for_ten_minutes_end_it(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 15, 0);
    s.db->get_item.mode = SIM_DENIED;
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_start(&s);
    scene_ends(&s, 11 * MINUTE, outcome_by(CAUSE_DENIED));
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void failures_in_the_dlq_end_it_with_0(void **state) {
    (void)state;
    struct scene s;
    begin(&s, 16, 0);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_send(&s, "{}");
    scene_start(&s);
    scene_ends(&s, 20 * SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(s.dlq->count, 2);
    scene_done(&s);
}

static void until_empty_leaves_a_group_whose_first_can_never_succeed(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 4, 2, 5);
    g.scene.worker.options.until_empty = true;
    g.script = (struct scripted){.record = "\"k2\"", .status = 500, .code = "InternalServerError", .left = FOR_EVER};
    grouped_send_all(&g);
    grouped_start(&g);
    scene_ends(&g.scene, HOUR, outcome_of(ENDED_SOME_FAILED));
    assert_int_equal(g.scene.queue->count, 3);
    assert_int_equal(sim_queue_visible(g.scene.queue), 3);
    assert_int_equal(g.messages[0][2]->receive_count, 5);
    assert_int_equal(world_logged(&g.scene.world, "Left on the queue"), 1);
    grouped_done(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ends_about_three_seconds_after_the_last_message),
        cmocka_unit_test(told_to_stop_before_it_was_seen_to_be_empty_it_ends_with_1),
        cmocka_unit_test(the_queue_is_to_have_been_empty_for_the_seconds_given),
        cmocka_unit_test(messages_in_flight_elsewhere_are_waited_for),
        cmocka_unit_test(a_token_is_waited_out),
        cmocka_unit_test(messages_that_fail_for_good_with_nothing_else_left_end_it_with_1_and_a_line_each),
        cmocka_unit_test(what_went_to_the_dlq_is_counted_in_the_last_line),
        cmocka_unit_test(what_is_waited_for_is_said_within_five_seconds),
        cmocka_unit_test(a_message_that_is_left_alone_with_its_failure_is_told_of),
        cmocka_unit_test(a_fault_of_the_environment_that_lasts_ten_minutes_ends_it),
        cmocka_unit_test(a_missing_table_ends_it),
        cmocka_unit_test(queues_that_fail_for_ten_minutes_end_it),
        cmocka_unit_test(verdicts_that_cant_be_confirmed_for_ten_minutes_end_it),
        cmocka_unit_test(failures_in_the_dlq_end_it_with_0),
        cmocka_unit_test(until_empty_leaves_a_group_whose_first_can_never_succeed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
