#include "poisoned_path.h"

static struct poisoned_path way;

static const char *const ANSWERS[POISONED_ANSWERS] = {"reset", "silent", "503", "413", "403", "foreign"};

static void send_failing(struct scene *s, const char *name) {
    scene_send(s, "{\"id\":\"nobody-%s\",\"attributes\":{\"n\":1}}", name);
}

/* Nine that fail go to the DLQ beside one that the path never lets through, and so do those that follow. */
static void fault_32_one_message_that_cannot_reach_the_dlq_keeps_no_other_from_it(void **state) {
    (void)state;
    for (enum poisoned_answer answer = 0; answer < POISONED_ANSWERS; answer++) {
        struct scene s;
        scene_init(&s, 1 + answer, 40);
        s.worker.options.max_in_flight = 16;
        poisoned_path_init(&way, &s, answer);
        way.sends[way.send_count++] = "nobody-poison";
        scene_start(&s);
        for (unsigned i = 0; i < 4; i++)
            send_failing(&s, "a");
        send_failing(&s, "poison");
        for (unsigned i = 0; i < 5; i++)
            send_failing(&s, "b");
        world_run(&s.world, 45 * SECOND);
        if (s.dlq->count != 9)
            fail_msg("%s: %zu of 9 are in the DLQ\n%.3000s", ANSWERS[answer], s.dlq->count, s.world.log_text.data);
        /* Later ones pay nothing for it, and healthy ones never did. */
        for (unsigned i = 0; i < 30; i++) {
            send_failing(&s, "c");
            scene_set(&s, i, 7);
            world_run(&s.world, SECOND);
            assert_true(s.dlq->count >= 9 + i); /* but the one that came this moment */
            assert_int_equal(scene_n(&s, i), 7);
        }
        assert_int_equal(s.queue->count, 1);
        if (world_logged(&s.world, "A message fails by itself, while others get through") != 1)
            fail_msg("%s: it is not named once\n%.3000s", ANSWERS[answer], s.world.log_text.data);
        assert_non_null(strstr(s.world.log_text.data, "00000000-0000-4000-8000-000000000004"));
        /* It gets through when the path lets it. */
        way.send_count = 0;
        scene_empties(&s, 16 * MINUTE);
        assert_int_equal(s.dlq->count, 40);
        scene_done(&s);
    }
}

static void fault_32_one_that_is_set_aside_is_tried_ever_more_rarely_and_named_every_ten_minutes_at_most(void **state) {
    (void)state;
    for (enum poisoned_answer answer = 0; answer < POISONED_ANSWERS; answer++) {
        struct scene s;
        scene_init(&s, 20 + answer, 4);
        poisoned_path_init(&way, &s, answer);
        way.sends[way.send_count++] = "nobody-poison";
        scene_start(&s);
        struct sim_message *poison = scene_send(&s, "{\"id\":\"nobody-poison\",\"attributes\":{\"n\":1}}");
        unsigned struck[3], named[3];
        for (unsigned third = 0; third < 3; third++) {
            for (unsigned i = 0; i < 120; i++) {
                send_failing(&s, "other");
                world_run(&s.world, 10 * SECOND);
            }
            struck[third] = way.struck;
            named[third] = world_logged(&s.world, "A message fails by itself");
        }
        assert_in_range(struck[0], 6, 60);
        assert_in_range(struck[2] - struck[1], 1, 9);
        assert_in_range(named[2], 3, 7); /* in an hour */
        assert_in_range(poison->receive_count, 5, 12);
        assert_int_equal(s.queue->count, 1);
        assert_int_equal(s.dlq->count, 360);
        scene_done(&s);
    }
}

static void fault_32_several_at_once_are_told_from_a_dlq_that_is_down(void **state) {
    (void)state;
    static const char *const names[] = {"nobody-p0", "nobody-p1", "nobody-p2", "nobody-p3", "nobody-p4", "nobody-p5"};
    for (enum poisoned_answer answer = 0; answer < POISONED_ANSWERS; answer++) {
        struct scene s;
        scene_init(&s, 40 + answer, 4);
        s.worker.options.max_in_flight = 32; /* a quarter is eight */
        poisoned_path_init(&way, &s, answer);
        for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
            way.sends[way.send_count++] = names[i];
        scene_start(&s);
        for (unsigned i = 0; i < ARRAY_LENGTH(names); i++) {
            scene_send(&s, "{\"id\":\"%s\",\"attributes\":{\"n\":1}}", names[i]);
            send_failing(&s, "x");
        }
        world_run(&s.world, 90 * SECOND);
        assert_int_equal(s.dlq->count, ARRAY_LENGTH(names));
        for (unsigned i = 0; i < 30; i++) {
            send_failing(&s, "y");
            world_run(&s.world, 2 * SECOND);
        }
        assert_int_equal(s.dlq->count, ARRAY_LENGTH(names) + 30);
        assert_int_equal(world_logged(&s.world, "A message fails by itself"), ARRAY_LENGTH(names));
        scene_done(&s);
    }
}

/* Nobody gets through: it is an outage, whatever else it may be, and costs no message a delivery. */
static void fault_13_where_no_send_gets_through_none_is_set_aside(void **state) {
    (void)state;
    for (enum poisoned_answer answer = 0; answer < POISONED_ANSWERS; answer++) {
        if (answer == POISONED_413)
            continue; /* says of each, alone, that it is too large */
        struct scene s;
        scene_init(&s, 60 + answer, 4);
        poisoned_path_init(&way, &s, answer);
        way.sends[way.send_count++] = "nobody";
        scene_start(&s);
        for (unsigned i = 0; i < 12; i++)
            send_failing(&s, "x");
        world_run(&s.world, HOUR);
        assert_int_equal(scene_status(&s).in_flight, 12);
        assert_int_equal(s.queue->received, 12);
        assert_in_range(way.struck, 100, 1200); /* hardly more than one in three seconds */
        assert_int_equal(world_logged(&s.world, "A message fails by itself"), 0);
        assert_int_equal(world_logged(&s.world, "Sending to the DLQ fails; trying again until it works"), 1);
        way.send_count = 0;
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 12);
        scene_done(&s);
    }
}

static void fault_32_one_receipt_handle_that_cannot_be_deleted_keeps_no_other_from_it(void **state) {
    (void)state;
    for (enum poisoned_answer answer = 0; answer < POISONED_ANSWERS; answer++) {
        struct scene s;
        scene_init(&s, 80 + answer, 60);
        s.worker.options.max_in_flight = 16;
        poisoned_path_init(&way, &s, answer);
        way.deletes = scene_set(&s, 0, 7);
        for (unsigned i = 1; i < 10; i++)
            scene_set(&s, i, 7);
        scene_start(&s);
        world_run(&s.world, 70 * SECOND);
        if (s.queue->count != 1)
            fail_msg("%s: %zu are still there\n%.3000s", ANSWERS[answer], s.queue->count, s.world.log_text.data);
        for (unsigned i = 10; i < 60; i++) {
            scene_set(&s, i, 7);
            world_run(&s.world, SECOND);
            assert_int_equal(scene_n(&s, i), 7);
            assert_in_range(s.queue->count, 1, 2);
        }
        assert_int_equal(world_logged(&s.world, "A message fails by itself"), 1);
        way.deletes = NULL;
        scene_empties(&s, 16 * MINUTE);
        assert_int_equal(s.db->committed, 60);
        scene_done(&s);
    }
}

/* Its lease can't be extended, and it is left to its next delivery; those that came with it keep theirs. */
static void fault_32_one_lease_that_cannot_be_extended_costs_no_other_its_own(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2 * POISONED_ANSWERS; i++) {
        enum poisoned_answer answer = i / 2;
        struct scene s;
        scene_init(&s, 100 + i, 10);
        s.worker.facts.visibility = i % 2 ? 10 : 30;
        poisoned_path_init(&way, &s, answer);
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 10 * SECOND);
        s.db->transact.latency = 100 * SECOND;
        way.changes = scene_set(&s, 0, 7);
        for (unsigned k = 1; k < 10; k++)
            scene_set(&s, k, 7);
        world_run(&s.world, 90 * SECOND);
        for (size_t m = 0; m < s.sqs->all_count; m++)
            if (s.sqs->all[m] != way.changes && s.sqs->all[m]->receive_count != 1)
                fail_msg("%s, %u s: message %zu was received %u times\n%.3000s", ANSWERS[answer],
                         s.worker.facts.visibility, m, s.sqs->all[m]->receive_count, s.world.log_text.data);
        way.changes = NULL;
        s.db->transact.latency = 10 * MILLISECOND;
        scene_empties(&s, 10 * MINUTE);
        assert_int_equal(s.db->committed, 11);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_32_one_message_that_cannot_reach_the_dlq_keeps_no_other_from_it),
        cmocka_unit_test(fault_32_one_that_is_set_aside_is_tried_ever_more_rarely_and_named_every_ten_minutes_at_most),
        cmocka_unit_test(fault_32_several_at_once_are_told_from_a_dlq_that_is_down),
        cmocka_unit_test(fault_13_where_no_send_gets_through_none_is_set_aside),
        cmocka_unit_test(fault_32_one_receipt_handle_that_cannot_be_deleted_keeps_no_other_from_it),
        cmocka_unit_test(fault_32_one_lease_that_cannot_be_extended_costs_no_other_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
