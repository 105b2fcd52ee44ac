#include "verdict.h"
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
                scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\"}", i,
                           version + 1, version);
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

/* The message is received and its transaction commits, but no answer comes. */
static struct sim_message *commits_unheard(struct scene *s, struct cuts *cuts, const char *body) {
    scene_init(s, 5, 2);
    *cuts = (struct cuts){s, 4};
    s->db->hook = cut;
    s->db->hook_ctx = cuts;
    struct sim_message *m = scene_send(s, "%s", body);
    scene_start(s);
    world_run(&s->world, 200 * MILLISECOND);
    return m;
}

/* By another process, which hears all answers. */
static void comes_again_after_eleven_minutes(struct scene *s, struct cuts *cuts, const struct sim_message *m) {
    sim_worker_kill(&s->worker);
    world_run(&s->world, 11 * MINUTE);
    cuts->left = 0;
    scene_start(s);
    scene_empties(s, MINUTE);
    assert_true(m->deleted && m->receive_count == 2);
}

static void fault_02_a_commit_that_is_seen_again_after_eleven_minutes_has_one_effect(void **state) {
    (void)state;
    struct scene s;
    struct cuts cuts;
    struct sim_message *m =
        commits_unheard(&s, &cuts, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}");
    assert_int_equal(s.db->committed, 1);
    comes_again_after_eleven_minutes(&s, &cuts, m);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

/* By then DynamoDB has forgotten the token: the audit record alone keeps it from counting twice. */
static void fault_02_a_count_that_is_seen_again_after_eleven_minutes_counts_once(void **state) {
    (void)state;
    struct scene s;
    struct cuts cuts;
    struct sim_message *m = commits_unheard(
        &s, &cuts, "{\"id\":\"k0\",\"increment\":{\"n\":7},\"append\":{\"l\":[1]},\"enable_logging\":true}");
    assert_int_equal(scene_n(&s, 0), 7);
    comes_again_after_eleven_minutes(&s, &cuts, m);
    assert_int_equal(scene_n(&s, 0), 7);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

static void fault_04_an_update_that_falsified_its_own_condition_and_comes_again_is_a_success(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 6, 1);
    struct sim_message *m =
        scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\"}");
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
        s.sqs->receive.lost_answers = s.sqs->remove.lost_answers = s.sqs->send.lost_answers =
            s.sqs->change.lost_answers = 50;
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

/* Messages that stand in nobody's way: what is measured is what others do to them. */
enum { CROWD = 400 };
struct crowd {
    struct scene s;
    unsigned left; /* messages that the test doesn't wait for */
};

static bool crowd_is_through(void *ctx) {
    const struct crowd *c = ctx;
    return c->s.queue->count <= c->left;
}

/* Microseconds until all but `left` messages are gone. */
static int64_t crowd_time(struct crowd *c, unsigned left) {
    int64_t began = c->s.world.now;
    c->left = left;
    scene_start(&c->s);
    assert_true(world_run_until(&c->s.world, crowd_is_through, c, 10 * MINUTE));
    return c->s.world.now - began;
}

/* Records k0, which others may have, and k1 to k<CROWD>; room for twenty messages at a time. */
static void crowd_init(struct crowd *c) {
    scene_init(&c->s, 1, CROWD + 1);
    c->s.worker.options.max_in_flight = 20;
}

static int64_t time_without_others(void) {
    struct crowd c;
    crowd_init(&c);
    for (unsigned i = 1; i <= CROWD; i++)
        scene_set(&c.s, i, i);
    int64_t time = crowd_time(&c, 0);
    scene_done(&c.s);
    return time;
}

struct slow_answer {
    struct crowd crowd;
    struct timer usual_again;
    int64_t usual;
};

static void on_usual_again(void *user) {
    struct slow_answer *slow = user;
    slow->crowd.s.db->transact.latency = slow->usual;
}

/* Its answer takes eight seconds, and no other's. */
static enum sim_fate answer_the_first_record_late(void *ctx, const struct sim_transaction *t,
                                                  struct transact_result *result) {
    struct slow_answer *slow = ctx;
    struct scene *s = &slow->crowd.s;
    (void)result;
    if (strstr(t->record, "\"k0\"")) {
        s->db->transact.latency = 16 * SECOND;
        timer_start(&s->world.timers, &slow->usual_again, s->world.now);
    }
    return SIM_RUN;
}

static void one_slow_transaction_keeps_nobody_waiting(void **state) {
    (void)state;
    struct slow_answer slow;
    struct crowd *c = &slow.crowd;
    crowd_init(c);
    slow.usual = c->s.db->transact.latency;
    timer_init(&slow.usual_again, on_usual_again, &slow);
    c->s.db->hook = answer_the_first_record_late;
    c->s.db->hook_ctx = &slow;
    for (unsigned i = 1; i <= CROWD; i++) {
        if (i == CROWD / 2)
            scene_set(&c->s, 0, 1);
        scene_set(&c->s, i, i);
    }
    /* It takes one place of twenty. */
    int64_t alone = time_without_others(), time = crowd_time(c, 1);
    assert_int_equal(c->s.db->transact.running, 1);
    assert_int_equal(c->s.db->committed, CROWD + 1);
    assert_true(time < alone + alone / 5);
    assert_true(time < 8 * SECOND);
    scene_empties(&c->s, MINUTE);
    scene_done(&c->s);
}

static void one_large_message_keeps_nobody_waiting(void **state) {
    (void)state;
    enum { LARGE = 300 << 10 };
    struct crowd c;
    crowd_init(&c);
    c.s.queue->attributes.max_message_size = c.s.worker.facts.queue.attributes.max_message_size = SQS_MESSAGE_SIZE_MAX;
    static char body[LARGE + 64];
    int head = snprintf(body, sizeof body, "{\"id\":\"k0\",\"attributes\":{\"n\":1,\"s\":\"");
    assert_true(head > 0);
    memset(body + head, 's', LARGE);
    memcpy(body + head + LARGE, "\"}}", sizeof "\"}}");
    sim_queue_send(c.s.queue, body);
    for (unsigned i = 1; i <= CROWD; i++)
        scene_set(&c.s, i, i);
    int64_t alone = time_without_others(), time = crowd_time(&c, 0);
    assert_true(time < alone + alone / 5);
    assert_int_equal(c.s.db->committed, CROWD + 1);
    assert_int_equal(c.s.dlq->count, 0);
    scene_done(&c.s);
}

/* As many that fail as succeed, in turns, and a DLQ that takes ten times as long as all else: a quarter of the places
 * may wait for it, one batch; they cost the time of their batches and no more. */
static void a_burst_of_dead_letters_keeps_nobody_waiting(void **state) {
    (void)state;
    struct crowd c;
    crowd_init(&c);
    c.s.worker.options.max_in_flight = 40;
    c.s.sqs->send.latency = 100 * MILLISECOND;
    for (unsigned i = 1; i <= CROWD; i++) {
        scene_send(&c.s, "no json %u", i);
        scene_set(&c.s, i, i);
    }
    int64_t alone = time_without_others(), time = crowd_time(&c, 0);
    assert_int_equal(c.s.db->committed, CROWD);
    assert_int_equal(c.s.dlq->count, CROWD);
    assert_true(time < CROWD / 10 * c.s.sqs->send.latency + alone);
    scene_done(&c.s);
}

static void other_limits_hold_from_their_moment_on(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 31, 1000);
    s.worker.options.max_in_flight = 200;
    s.db->transact.latency = SECOND;
    for (unsigned i = 0; i < 3000; i++)
        scene_set(&s, i % 1000, i);
    scene_start(&s);
    STEP_WHILE(&s.world, s.db->transact.running < 150); /* a start begins with fewer */
    struct queue_worker_options fewer = s.worker.options;
    fewer.max_in_flight = 20;
    queue_worker_set_limits(s.worker.worker, &fewer);
    world_run(&s.world, 5 * SECOND);
    assert_in_range(scene_status(&s).in_flight, 1, 20);
    uint64_t before = scene_status(&s).applied;
    fewer.max_in_flight = 200;
    fewer.max_rate = 10;
    queue_worker_set_limits(s.worker.worker, &fewer);
    world_run(&s.world, 20 * SECOND);
    assert_in_range(scene_status(&s).applied - before, 180, 240);
    fewer.max_rate = 0;
    queue_worker_set_limits(s.worker.worker, &fewer);
    scene_empties(&s, 60 * SECOND);
    scene_done(&s);
}

static void while_few_may_run_at_the_start_what_could_only_wait_stays_on_the_queue(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 34, 1000);
    s.db->transact.latency = SECOND;
    for (unsigned i = 0; i < 1000; i++)
        scene_set(&s, i, i + 1);
    scene_start(&s);
    for (uint64_t applied; (applied = s.db->committed) < 100;) {
        assert_true(scene_status(&s).in_flight <= 2 * (24 + applied) + 10);
        STEP_WHILE(&s.world, s.db->committed == applied);
    }
    scene_empties(&s, 60 * SECOND);
    scene_done(&s);
}

static void what_waits_behind_a_record_at_the_start_keeps_no_other_on_the_queue(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 35, 100);
    s.db->transact.latency = SECOND;
    for (unsigned i = 0; i < 200; i++)
        scene_set(&s, 0, i + 1);
    for (unsigned i = 1; i < 30; i++)
        scene_set(&s, i, i + 1);
    scene_start(&s);
    int64_t began = s.world.now;
    STEP_WHILE(&s.world, scene_n(&s, 29) == 0);
    assert_true(s.world.now - began < 5 * SECOND);
    scene_empties(&s, 300 * SECOND);
    scene_done(&s);
}

struct opened {
    unsigned times, count;
};

static void note_opened(void *ctx, unsigned count) {
    struct sim_dynamodb *db = ctx;
    struct opened *opened = db->hook_ctx;
    assert_int_equal(db->transact.running, 1); /* the first message's transaction is not kept waiting */
    opened->times++;
    opened->count = count;
}

static void connections_are_opened_ahead_once_when_the_first_message_has_come(void **state) {
    (void)state;
    static const struct {
        unsigned ahead, in_flight, rate, opened;
    } cases[] = {{0, 256, 0, 0}, {32, 256, 0, 32}, {32, 10, 0, 10}, {32, 256, 5, 5}, {32, 256, 1000, 32}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        struct opened opened = {0};
        scene_init(&s, i, 20);
        s.db->hook_ctx = &opened;
        s.worker.dynamodb.open_ahead = note_opened;
        s.worker.options.opens_ahead = cases[i].ahead;
        s.worker.options.max_in_flight = cases[i].in_flight;
        s.worker.options.max_rate = cases[i].rate;
        scene_start(&s);
        world_run(&s.world, MINUTE);
        assert_int_equal(opened.times, 0);
        for (unsigned n = 0; n < 20; n++)
            scene_set(&s, n, 1);
        scene_empties(&s, MINUTE);
        assert_int_equal(opened.times, cases[i].opened > 0);
        assert_int_equal(opened.count, cases[i].opened);
        scene_done(&s);
    }
}

static void what_becomes_of_messages_is_counted_once_each(void **state) {
    (void)state;
    struct scene s;
    struct metrics m = {0};
    scene_init(&s, 41, 12);
    s.worker.metrics = &m;
    s.db->transact.latency = 20 * MILLISECOND;
    for (unsigned i = 0; i < 12; i++)
        scene_set(&s, i, i + 1);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 7\"}");
    scene_send(&s, "no json");
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    world_run(&s.world, SECOND); /* the last answers */
    assert_int_equal(m.received, 15);
    assert_int_equal(m.applied, 12);
    assert_int_equal(histogram_count(&m.received_to_applied), 12);
    assert_int_equal(histogram_count(&m.sent_to_applied), 12);
    assert_int_equal(m.dead_lettered[ERROR_INVALID_INPUT - 1], 1);
    assert_int_equal(m.dead_lettered[ERROR_RECORD_NOT_FOUND - 1], 1);
    assert_int_equal(m.dead_lettered[ERROR_CONDITIONAL_CHECK - 1], 1);
    assert_int_equal(m.dead_letters_seen, 3);
    assert_int_equal(m.transactions[VERDICT_APPLIED], 12);
    assert_int_equal(m.transactions[VERDICT_NOT_FOUND], 1);
    assert_true(m.transaction.sum >= 14 * 20 * MILLISECOND);
    assert_int_equal(m.batch_fill[METRICS_DELETES].sum, 15);
    assert_int_equal(m.batch_fill[METRICS_DEAD_LETTERS].sum, 3);
    assert_int_equal(m.batches[METRICS_DELETES][0], histogram_count(&m.batch_duration[METRICS_DELETES]));
    assert_int_equal(m.receive_fill.sum, 15);
    assert_true(m.receives[METRICS_RECEIVED_SOME] >= 2);
    scene_done(&s);
}

static void what_goes_wrong_is_counted_as_well(void **state) {
    (void)state;
    struct scene s;
    struct metrics m = {0};
    scene_init(&s, 42, 3);
    s.worker.metrics = &m;
    s.sqs->remove.mode = SIM_DOWN;
    scene_set(&s, 0, 1);
    scene_start(&s);
    world_run(&s.world, 20 * SECOND);
    assert_true(m.batches[METRICS_DELETES][1] > 1);
    assert_int_equal(m.batches[METRICS_DELETES][0], 0);
    assert_int_equal(m.undeleted, 0);
    s.sqs->remove.mode = SIM_UP;
    s.sqs->receive.mode = SIM_DOWN;
    world_run(&s.world, 40 * SECOND);
    assert_true(m.receives[METRICS_RECEIVE_FAILED] > 1);
    s.sqs->receive.mode = SIM_UP;
    s.db->transact.latency = 10 * MINUTE;
    scene_set(&s, 1, 1);
    world_run(&s.world, 5 * MINUTE);
    assert_true(m.extensions[0] > 1);
    sim_worker_stop(&s.worker);
    world_run(&s.world, MINUTE);
    assert_int_equal(m.returned, 1);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_updates_are_applied_and_deleted),
        cmocka_unit_test(a_failed_update_goes_to_the_dlq_and_leaves_its_record_there),
        cmocka_unit_test(fault_01_lost_delete_answers_cost_no_second_effect),
        cmocka_unit_test(fault_02_a_commit_whose_answer_is_cut_has_one_effect),
        cmocka_unit_test(fault_02_a_commit_that_is_seen_again_after_eleven_minutes_has_one_effect),
        cmocka_unit_test(fault_02_a_count_that_is_seen_again_after_eleven_minutes_counts_once),
        cmocka_unit_test(fault_04_an_update_that_falsified_its_own_condition_and_comes_again_is_a_success),
        cmocka_unit_test(fault_04_both_deliveries_at_once_have_one_effect),
        cmocka_unit_test(fault_07_a_stale_handle_converges_on_redelivery),
        cmocka_unit_test(one_slow_transaction_keeps_nobody_waiting),
        cmocka_unit_test(one_large_message_keeps_nobody_waiting),
        cmocka_unit_test(a_burst_of_dead_letters_keeps_nobody_waiting),
        cmocka_unit_test(the_invariants_hold_in_a_storm),
        cmocka_unit_test(the_invariants_hold_whenever_a_worker_dies),
        cmocka_unit_test(other_limits_hold_from_their_moment_on),
        cmocka_unit_test(while_few_may_run_at_the_start_what_could_only_wait_stays_on_the_queue),
        cmocka_unit_test(what_waits_behind_a_record_at_the_start_keeps_no_other_on_the_queue),
        cmocka_unit_test(connections_are_opened_ahead_once_when_the_first_message_has_come),
        cmocka_unit_test(what_becomes_of_messages_is_counted_once_each),
        cmocka_unit_test(what_goes_wrong_is_counted_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
