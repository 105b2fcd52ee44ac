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
        scene_ends(&s, 26 * SECOND, outcome_of(ENDED_WELL));
        s.invariants.unaudited = true;
        scene_done(&s);
        assert_true(k < 5000);
    }
    assert_in_range(k, 50, 4999); /* it did fail */
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
    const struct messages *all = &s.worker.worker->intake.messages;
    assert_int_equal(all->counts[MESSAGE_DELETING], 10);
    const struct message *m;
    TAILQ_FOREACH(m, &all->in_state[MESSAGE_DELETING], in_state) {
        assert_null(m->update);
    }
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->committed, 7);
    s.invariants.unaudited = true;
    scene_done(&s);
}

struct ailment {
    enum sim_mode mode;
    const char *name;
};

static const struct ailment AILMENTS[] = {
    {SIM_DENIED, "denied"},      {SIM_BROKEN, "500"},          {SIM_SILENT, "silent"},   {SIM_PROXY, "503"},
    {SIM_DOWN, "no connection"}, {SIM_THROTTLED, "throttled"}, {SIM_STRANGE, "strange"},
};

static void check_received_once(const struct scene *s, const char *name) {
    for (size_t i = 0; i < s->sqs->all_count; i++)
        if (s->sqs->all[i]->receive_count > 1)
            fail_msg("%s: message %zu was received %u times\n%.3000s", name, i, s->sqs->all[i]->receive_count,
                     s->world.log_text.data);
}

/* 500 messages, and an hour in which nothing can be deleted. */
static void fault_34_while_deletes_fail_receiving_pauses_at_a_quarter_and_no_message_is_received_twice(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(AILMENTS); i++) {
        const struct ailment *a = &AILMENTS[i / 2];
        bool unaudited = i % 2;
        struct scene s;
        scene_init(&s, 1 + i, 100);
        s.worker.options.max_in_flight = 64;
        s.invariants.unaudited = unaudited;
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 10 * SECOND);
        s.sqs->remove.mode = a->mode;
        for (unsigned n = 0; n < 500; n++)
            scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}%s}", n % 100, n,
                       unaudited ? ",\"enable_logging\":false" : "");
        world_run(&s.world, MINUTE);
        uint64_t received = s.queue->received;
        assert_in_range(received - 1, 16, 64);
        assert_int_equal(scene_status(&s).waiting_for_delete, received - 1);
        world_run(&s.world, HOUR);
        assert_int_equal(s.queue->received, received);
        assert_int_equal(scene_status(&s).waiting_for_delete, received - 1);
        if (world_logged(&s.world, "Deleting messages fails; trying again until it works") != 1)
            fail_msg("%s:\n%.3000s", a->name, s.world.log_text.data);
        assert_int_equal(world_logged(&s.world, "Receiving pauses: a quarter of MAX_IN_FLIGHT is done with"), 1);
        assert_in_range(s.sqs->remove.attempts, 50, 1500);
        check_received_once(&s, a->name);
        s.sqs->remove.mode = SIM_UP;
        scene_empties(&s, 30 * SECOND);
        assert_int_equal(scene_status(&s).waiting_for_delete, 0);
        assert_int_equal(scene_status(&s).applied, 501);
        assert_int_equal(s.db->committed, 501);
        assert_int_equal(world_logged(&s.world, "Receiving goes on: messages can be deleted again"), 1);
        check_received_once(&s, a->name);
        scene_done(&s);
    }
}

static void fault_34_on_a_fifo_queue_as_well(void **state) {
    (void)state;
    static const enum sim_mode modes[] = {SIM_DENIED, SIM_SILENT};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct scene s;
        scene_init_fifo(&s, 50 + i, 100);
        s.worker.options.max_in_flight = 40;
        scene_start(&s);
        s.sqs->remove.mode = modes[i];
        for (unsigned n = 0; n < 100; n++) {
            char body[80], id[16];
            snprintf(body, sizeof body, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}}", n, n + 1);
            snprintf(id, sizeof id, "%u", n);
            sim_queue_send_fifo(s.queue, body, id, id);
        }
        world_run(&s.world, HOUR);
        assert_in_range(s.queue->received, 10, 40);
        check_received_once(&s, "fifo");
        s.sqs->remove.mode = SIM_UP;
        scene_empties(&s, 30 * SECOND);
        assert_int_equal(s.db->committed, 100);
        check_received_once(&s, "fifo");
        scene_done(&s);
    }
}

/* A few that can't be deleted keep nobody from coming. */
static void fault_34_below_a_quarter_receiving_goes_on(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 60, 100);
    s.worker.options.max_in_flight = 100;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 10 * SECOND);
    s.sqs->remove.mode = SIM_DENIED;
    for (unsigned n = 1; n <= 24; n++) {
        scene_set(&s, n, 7);
        world_run(&s.world, MINUTE);
        assert_int_equal(scene_n(&s, n), 7);
        assert_int_equal(scene_status(&s).waiting_for_delete, n);
    }
    assert_int_equal(world_logged(&s.world, "Receiving pauses"), 0);
    check_received_once(&s, "few");
    s.sqs->remove.mode = SIM_UP;
    scene_empties(&s, 30 * SECOND);
    scene_done(&s);
}

/* A queue as busy as it may be is not taken for one whose deletes fail. */
static void many_that_are_being_deleted_are_no_pause(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 61, 100);
    s.worker.options.max_in_flight = 100;
    s.sqs->remove.latency = 1500 * MILLISECOND;
    scene_start(&s);
    for (unsigned n = 0; n < 3000; n++)
        scene_set(&s, n % 100, n);
    scene_empties(&s, 5 * MINUTE);
    assert_int_equal(world_logged(&s.world, "Receiving pauses"), 0);
    scene_done(&s);
}

/* Twelve hours after its receive SQS lets a message go, whoever holds it. */
static void what_cannot_be_deleted_for_half_a_day_has_one_effect_all_the_same(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 62, 3);
    scene_start(&s);
    s.sqs->remove.mode = SIM_DENIED;
    for (unsigned n = 0; n < 3; n++)
        scene_set(&s, n, 7);
    world_run(&s.world, 13 * HOUR);
    s.sqs->remove.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->committed, 3);
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(s.sqs->all[n]->receive_count, 2);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_with_holds_no_update_while_it_waits_to_be_deleted),
        cmocka_unit_test(fault_26_whichever_allocation_fails_no_message_is_lost),
        cmocka_unit_test(fault_26_without_any_memory_for_a_minute_nothing_is_lost_either),
        cmocka_unit_test(fault_34_while_deletes_fail_receiving_pauses_at_a_quarter_and_no_message_is_received_twice),
        cmocka_unit_test(fault_34_on_a_fifo_queue_as_well),
        cmocka_unit_test(fault_34_below_a_quarter_receiving_goes_on),
        cmocka_unit_test(many_that_are_being_deleted_are_no_pause),
        cmocka_unit_test(what_cannot_be_deleted_for_half_a_day_has_one_effect_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
