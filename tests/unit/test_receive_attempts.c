#include "group_world.h"

#include "receive_attempts.h"

static struct receive_attempt lose(struct receive_attempts *attempts, struct random *random, unsigned messages,
                                   int64_t at) {
    struct receive_attempt attempt = receive_attempt_new(random, messages, at);
    receive_attempts_lost(attempts, &attempt, false, at);
    return attempt;
}

static void new_attempts_have_ids_that_the_service_takes_and_no_two_alike(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1);
    struct receive_attempt a = receive_attempt_new(&random, 10, 0), b = receive_attempt_new(&random, 10, 0);
    assert_int_equal(strlen(a.id), 32);
    assert_int_equal(strspn(a.id, "0123456789abcdef"), 32);
    assert_string_not_equal(a.id, b.id);
}

static void lost_attempts_are_repeated_oldest_first_once_each(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 2);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt first = lose(&attempts, &random, 10, 0), second = lose(&attempts, &random, 10, SECOND), got;
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
    assert_string_equal(got.id, first.id);
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
    assert_string_equal(got.id, second.id);
    assert_false(receive_attempts_repeat(&attempts, 10, 30 * SECOND, 2 * SECOND, &got));
}

static void an_attempt_is_repeated_while_its_messages_are_hidden_and_for_five_minutes(void **state) {
    (void)state;
    static const struct {
        int64_t hidden, age;
        bool repeated;
    } cases[] = {{30 * SECOND, 27 * SECOND, true}, {30 * SECOND, 28 * SECOND, false}, {HOUR, 297 * SECOND, true},
                 {HOUR, 298 * SECOND, false},      {10 * SECOND, 7 * SECOND, true},   {10 * SECOND, 8 * SECOND, false}};
    struct random random;
    random_seed(&random, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct receive_attempts attempts = {.count = 0};
        struct receive_attempt got;
        lose(&attempts, &random, 10, SECOND);
        assert_int_equal(receive_attempts_repeat(&attempts, 10, cases[i].hidden, SECOND + cases[i].age, &got),
                         cases[i].repeated);
        assert_int_equal(attempts.count, 0);
    }
}

static void fault_32_an_attempt_that_is_cut_gives_way_to_others_and_is_given_up(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt first = receive_attempt_new(&random, 10, 0), got = first;
    int64_t now = SECOND, pause = 0;
    for (unsigned i = 0; i < 5; i++) {
        receive_attempts_lost(&attempts, &got, true, now);
        if (pause > 0)
            assert_false(receive_attempts_repeat(&attempts, 10, HOUR, now + pause - 1, &got));
        now += pause;
        assert_true(receive_attempts_repeat(&attempts, 10, HOUR, now, &got));
        assert_string_equal(got.id, first.id);
        pause = pause ? 2 * pause : 500 * MILLISECOND;
    }
    receive_attempts_lost(&attempts, &got, false, now); /* what was lost otherwise doesn't count */
    assert_int_equal(attempts.count, 1);
    assert_true(receive_attempts_repeat(&attempts, 10, HOUR, now + 10 * SECOND, &got));
    receive_attempts_lost(&attempts, &got, true, now);
    assert_int_equal(attempts.count, 0);
}

static void an_attempt_waits_until_there_is_room_for_all_that_it_may_bring(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 4);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt large = lose(&attempts, &random, 10, 0), small = lose(&attempts, &random, 1, 0), got;
    assert_true(receive_attempts_repeat(&attempts, 1, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, small.id);
    assert_false(receive_attempts_repeat(&attempts, 9, 30 * SECOND, SECOND, &got));
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, large.id);
}

static void of_too_many_the_oldest_is_given_up(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct receive_attempts attempts = {.count = 0};
    struct receive_attempt kept = {0}, got;
    for (int i = 0; i < RECEIVE_ATTEMPTS_MAX + 1; i++) {
        struct receive_attempt attempt = lose(&attempts, &random, 10, i);
        if (i == 1)
            kept = attempt;
    }
    assert_int_equal(attempts.count, RECEIVE_ATTEMPTS_MAX);
    assert_true(receive_attempts_repeat(&attempts, 10, 30 * SECOND, SECOND, &got));
    assert_string_equal(got.id, kept.id);
}

/* Ten groups of ten, received under all kinds of losses: each message once, and none waits until its visibility is
 * over. */
static void fault_23_what_a_lost_answer_brought_is_asked_for_again_and_counts_once(void **state) {
    (void)state;
    uint64_t repeated = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 10, 10);
        g.scene.sqs->receive.lost_answers = 300;
        grouped_send_all(&g);
        grouped_start(&g);
        scene_empties(&g.scene, 25 * SECOND);
        repeated += g.scene.queue->repeated_receives;
        for (unsigned group = 0; group < g.groups; group++)
            for (unsigned place = 0; place < g.size; place++)
                assert_int_equal(g.messages[group][place]->receive_count, 1);
        grouped_finish(&g, 0);
    }
    assert_true(repeated >= 10);
}

/* Nothing comes at all: it is missed while the messages are hidden. */
static void fault_23_an_answer_that_never_comes_is_missed_before_its_messages_are_seen_again(void **state) {
    (void)state;
    static const unsigned visibilities[] = {10, 30, 60, 900};
    for (size_t i = 0; i < ARRAY_LENGTH(visibilities); i++) {
        struct grouped g;
        grouped_init(&g, i, 1, 10);
        g.scene.worker.facts.visibility = visibilities[i];
        sim_queue_send_fifo(g.scene.queue, "{\"id\":\"k9\",\"attributes\":{\"n\":0}}", "another", "proof");
        grouped_start(&g);
        scene_empties(&g.scene, 5 * SECOND);
        world_run(&g.scene.world, 2 * MINUTE); /* receives wait as long as they ever do */
        grouped_send_all(&g); /* into one that is open */
        g.scene.sqs->receive.latency = 10 * MINUTE;
        world_run(&g.scene.world, 100 * MILLISECOND);
        assert_int_equal(g.messages[0][0]->receive_count, 1);
        g.scene.sqs->receive.latency = 10 * MILLISECOND;
        scene_empties(&g.scene, (int64_t)visibilities[i] * SECOND);
        assert_int_equal(g.scene.queue->repeated_receives, 1);
        for (unsigned place = 0; place < g.size; place++)
            assert_int_equal(g.messages[0][place]->receive_count, 1);
        grouped_finish(&g, 0);
    }
}

struct ids {
    struct sqs_api real;
    char last[64];
    unsigned same, other, absent;
};

static struct call *note_id(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user) {
    struct ids *ids = ctx;
    if (!request->attempt_id) {
        ids->absent++;
    } else {
        ids->same += !strcmp(ids->last, request->attempt_id);
        ids->other += strcmp(ids->last, request->attempt_id) != 0;
        snprintf(ids->last, sizeof ids->last, "%s", request->attempt_id);
    }
    return ids->real.receive(ids->real.ctx, request, options, done, user);
}

static struct call *pass_delete(void *ctx, const char *queue_url, const struct span *handles, size_t count,
                                const struct call_options *options, sqs_batch_done *done, void *user) {
    const struct ids *ids = ctx;
    return ids->real.delete_batch(ids->real.ctx, queue_url, handles, count, options, done, user);
}

static void pass_cancel(void *ctx, struct call *call) {
    const struct ids *ids = ctx;
    ids->real.cancel(ids->real.ctx, call);
}

static void fault_23_an_attempt_that_was_answered_is_never_repeated(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        bool repeated;
    } cases[] = {{SIM_DOWN, true}, {SIM_BROKEN, true}, {SIM_THROTTLED, false}, {SIM_DENIED, false}, {SIM_UP, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init_fifo(&s, i, 1);
        struct ids ids = {.real = s.worker.sqs};
        s.worker.sqs.ctx = &ids;
        s.worker.sqs.receive = note_id;
        s.worker.sqs.delete_batch = pass_delete;
        s.worker.sqs.cancel = pass_cancel;
        s.sqs->receive.mode = cases[i].mode;
        scene_start(&s);
        world_run(&s.world, 10 * SECOND);
        assert_int_equal(ids.absent, 0);
        assert_true(cases[i].repeated ? ids.same > 0 && ids.other == 1 : ids.same == 0 && ids.other > 1);
        scene_done(&s);
    }
}

static void a_standard_queue_has_no_attempt_ids(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 1);
    struct ids ids = {.real = s.worker.sqs};
    s.worker.sqs.ctx = &ids;
    s.worker.sqs.receive = note_id;
    s.worker.sqs.cancel = pass_cancel;
    s.sqs->receive.mode = SIM_DOWN;
    scene_start(&s);
    world_run(&s.world, 10 * SECOND);
    assert_true(ids.absent > 1 && ids.same + ids.other == 0);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_attempts_have_ids_that_the_service_takes_and_no_two_alike),
        cmocka_unit_test(lost_attempts_are_repeated_oldest_first_once_each),
        cmocka_unit_test(an_attempt_is_repeated_while_its_messages_are_hidden_and_for_five_minutes),
        cmocka_unit_test(fault_32_an_attempt_that_is_cut_gives_way_to_others_and_is_given_up),
        cmocka_unit_test(an_attempt_waits_until_there_is_room_for_all_that_it_may_bring),
        cmocka_unit_test(of_too_many_the_oldest_is_given_up),
        cmocka_unit_test(fault_23_what_a_lost_answer_brought_is_asked_for_again_and_counts_once),
        cmocka_unit_test(fault_23_an_answer_that_never_comes_is_missed_before_its_messages_are_seen_again),
        cmocka_unit_test(fault_23_an_attempt_that_was_answered_is_never_repeated),
        cmocka_unit_test(a_standard_queue_has_no_attempt_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
