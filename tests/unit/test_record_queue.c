#include "worker_world.h"

#include "record_queue.h"

struct fake {
    struct job job;
    struct update update;
};

static void make(struct fake *f, const char *record, int64_t sent_at, uint64_t arrival, enum job_state state) {
    *f = (struct fake){.update = {.record = span_cstr(record)}};
    f->job = (struct job){.update = &f->update, .sent_at = sent_at, .arrival = arrival, .state = state};
}

static void enter(struct record_queues *records, struct fake *f, bool first, const struct fake *displaced) {
    bool is_first = false;
    struct job *who = NULL;
    assert_true(record_queue_enter(records, &f->job, &is_first, &who));
    assert_int_equal(is_first, first);
    assert_ptr_equal(who, displaced ? &displaced->job : NULL);
}

static void one_that_is_older_goes_before_one_that_has_not_begun(void **state) {
    (void)state;
    struct record_queues records;
    struct fake young, old, other;
    record_queue_init(&records, 1, 2);
    make(&young, "r", 20, 0, JOB_READY);
    make(&old, "r", 10, 1, JOB_READY);
    make(&other, "s", 5, 2, JOB_READY);
    enter(&records, &young, true, NULL);
    enter(&records, &other, true, NULL);
    enter(&records, &old, true, &young);
    assert_ptr_equal(record_queue_leave(&records, &old.job), &young.job);
    assert_null(record_queue_leave(&records, &young.job));
    assert_null(record_queue_leave(&records, &other.job));
    assert_int_equal(records.queues.count, 0);
    record_queue_free(&records);
}

static void one_that_has_begun_keeps_its_place(void **state) {
    (void)state;
    static const enum job_state begun[] = {JOB_RUNNING, JOB_PAUSED, JOB_STALLED, JOB_LOOKING, JOB_CONFIRMING};
    for (size_t i = 0; i < ARRAY_LENGTH(begun); i++) {
        struct record_queues records;
        struct fake first, middle, old;
        record_queue_init(&records, 1, 2);
        make(&first, "r", 30, 0, begun[i]);
        make(&middle, "r", 20, 1, JOB_BLOCKED);
        make(&old, "r", 10, 2, JOB_BLOCKED);
        enter(&records, &first, true, NULL);
        enter(&records, &middle, false, NULL);
        enter(&records, &old, false, NULL);
        assert_ptr_equal(record_queue_leave(&records, &first.job), &old.job);
        assert_null(record_queue_leave(&records, &middle.job)); /* from the middle: the first stays */
        assert_null(record_queue_leave(&records, &old.job));
        record_queue_free(&records);
    }
}

static void thousands_of_records_keep_their_own_lines(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct record_queues records;
    struct fake *fakes = calloc(2 * COUNT, sizeof *fakes);
    char(*names)[16] = calloc(COUNT, sizeof *names);
    assert_true(fakes && names);
    record_queue_init(&records, 3, 4);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "r%u", i);
        make(&fakes[i], names[i], 1, i, JOB_RUNNING);
        make(&fakes[COUNT + i], names[i], 2, i, JOB_BLOCKED);
        enter(&records, &fakes[i], true, NULL);
    }
    for (unsigned i = 0; i < COUNT; i++)
        enter(&records, &fakes[COUNT + i], false, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_ptr_equal(record_queue_leave(&records, &fakes[i].job), &fakes[COUNT + i].job);
        assert_null(record_queue_leave(&records, &fakes[COUNT + i].job));
    }
    assert_int_equal(records.queues.count, 0);
    record_queue_free(&records);
    free(names);
    free(fakes);
}

static void next_permutation(unsigned *p, unsigned n) {
    unsigned i = n - 1;
    while (i > 0 && p[i - 1] >= p[i])
        i--;
    if (i == 0)
        return;
    unsigned j = n - 1;
    while (p[j] <= p[i - 1])
        j--;
    unsigned swap = p[i - 1];
    p[i - 1] = p[j];
    p[j] = swap;
    for (unsigned a = i, b = n - 1; a < b; a++, b--) {
        swap = p[a];
        p[a] = p[b];
        p[b] = swap;
    }
}

static void fault_08_updates_of_one_record_run_oldest_first_one_at_a_time_however_they_come(void **state) {
    (void)state;
    unsigned order[6] = {0, 1, 2, 3, 4, 5};
    struct scene s;
    scene_init(&s, 1, 2);
    scene_set(&s, 1, 9);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 0; i < 720; i++, next_permutation(order, 6)) {
        buf_reset(&s.db->applied);
        sim_table_put(s.users, "k0", "n", "0");
        /* One receive brings them in this order; when they were sent tells which is the oldest. */
        int64_t base = s.world.now;
        for (unsigned at = 0; at < 6; at++) {
            struct sim_message *m =
                scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\"}",
                           order[at] + 1, order[at]);
            m->sent_at = base - SECOND + order[at] * MILLISECOND;
        }
        scene_empties(&s, 30 * SECOND);
        if (!span_is(buf_span(&s.db->applied), "1 2 3 4 5 6 "))
            fail_msg("permutation %u ran as %s", i, s.db->applied.data);
    }
    assert_int_equal(s.db->most_running_of_one_record, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

/* Each takes a round trip: with duplicates and lost answers the sum is right all the same, and no two run at once. */
static void many_increments_of_one_record_run_one_at_a_time_and_each_counts_once(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    struct scene s;
    scene_init(&s, 2, 2);
    s.db->transact.lost_answers = 50;
    scene_set(&s, 1, 9);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 0; i < COUNT + COUNT / 10; i++) /* the last ones are sent a second time */
        scene_send(&s, "{\"id\":\"k0\",\"increment\":{\"n\":2},\"enable_logging\":true,\"idempotency_key\":\"i%u\"}",
                   i % COUNT);
    int64_t began = s.world.now;
    scene_empties(&s, 10 * MINUTE);
    print_message("%u increments of one record took %.1f s, %.1f ms each\n", (unsigned)COUNT,
                  (double)(s.world.now - began) / 1e6, (double)(s.world.now - began) / 1e3 / COUNT);
    assert_int_equal(scene_n(&s, 0), 2 * COUNT);
    assert_int_equal(s.db->most_running_of_one_record, 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

static void a_job_gives_way_to_those_that_are_older_and_to_no_other(void **state) {
    (void)state;
    struct record_queues records;
    struct fake first, older, oldest, young, tie;
    record_queue_init(&records, 1, 2);
    make(&first, "r", 30, 0, JOB_RUNNING);
    make(&young, "r", 40, 1, JOB_BLOCKED);
    enter(&records, &first, true, NULL);
    enter(&records, &young, false, NULL);
    assert_null(record_queue_give_way(&records, &first.job, false));
    make(&older, "r", 20, 2, JOB_BLOCKED);
    make(&oldest, "r", 10, 3, JOB_BLOCKED);
    make(&tie, "r", 30, 4, JOB_BLOCKED);
    enter(&records, &tie, false, NULL);
    assert_null(record_queue_give_way(&records, &first.job, false));
    assert_ptr_equal(record_queue_give_way(&records, &first.job, true), &tie.job);
    assert_ptr_equal(record_queue_leave(&records, &tie.job), &first.job);
    enter(&records, &older, false, NULL);
    enter(&records, &oldest, false, NULL);
    assert_null(record_queue_give_way(&records, &young.job, true)); /* not the first */
    oldest.job.state = JOB_CONFIRMING; /* anew: it has run, and won't again */
    assert_null(record_queue_give_way(&records, &first.job, false));
    oldest.job.state = JOB_BLOCKED;
    assert_ptr_equal(record_queue_give_way(&records, &first.job, false), &oldest.job);
    assert_int_equal(record_queue_length(&first.job), 4);
    assert_ptr_equal(record_queue_leave(&records, &oldest.job), &older.job);
    assert_ptr_equal(record_queue_leave(&records, &older.job), &first.job);
    assert_ptr_equal(record_queue_leave(&records, &first.job), &young.job);
    assert_null(record_queue_leave(&records, &young.job));
    record_queue_free(&records);
}

/* Each expects the one before; the receives that bring them are out together, and come back in any order. */
static void fault_08_a_chain_sent_in_order_holds_though_receives_overtake_each_other(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        struct scene s;
        scene_init(&s, seed, 5);
        for (unsigned k = 0; k < 5; k++)
            scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":0}}", k);
        scene_start(&s);
        scene_empties(&s, 10 * SECOND);
        s.sqs->receive.jitter = 40 * MILLISECOND;
        int64_t base = s.world.now - SECOND;
        for (unsigned i = 0; i < 300; i++) {
            unsigned n = i / 5, k = i % 5;
            struct sim_message *m = scene_send(
                &s,
                "{\"id\":\"k%u\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\",\"enable_logging\":%s}",
                k, n + 1, n, seed % 2 ? "true" : "false");
            m->sent_at = base + n / 3 * MILLISECOND; /* as batches have it */
        }
        scene_empties(&s, 5 * MINUTE);
        assert_int_equal(s.dlq->count, 0);
        for (unsigned k = 0; k < 5; k++)
            assert_int_equal(scene_n(&s, k), 60);
        s.invariants.unaudited = seed % 2 == 0;
        scene_done(&s);
    }
}

/* Given back for want of room, it would come after those that expect it. */
static void fault_08_a_long_chain_among_others_keeps_its_place(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 5, 100);
    scene_set(&s, 1, 9);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    int64_t base = s.world.now - SECOND;
    for (unsigned i = 0; i < 400; i++) {
        struct sim_message *m =
            i % 4 == 0 ? scene_set(&s, 1 + i % 99, i)
                       : scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\"}",
                                    i - i / 4, i - i / 4 - 1);
        m->sent_at = base + i * MILLISECOND;
    }
    scene_empties(&s, 5 * MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_n(&s, 0), 300);
    scene_done(&s);
}

static void a_false_condition_is_told_soon_though_a_receive_is_open(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 2);
    scene_set(&s, 1, 9);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 0; i < 40; i++)
        scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 5\"}");
    scene_empties(&s, 6 * SECOND);
    assert_int_equal(s.dlq->count, 40);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_older_goes_before_one_that_has_not_begun),
        cmocka_unit_test(one_that_has_begun_keeps_its_place),
        cmocka_unit_test(thousands_of_records_keep_their_own_lines),
        cmocka_unit_test(many_increments_of_one_record_run_one_at_a_time_and_each_counts_once),
        cmocka_unit_test(a_job_gives_way_to_those_that_are_older_and_to_no_other),
        cmocka_unit_test(fault_08_updates_of_one_record_run_oldest_first_one_at_a_time_however_they_come),
        cmocka_unit_test(fault_08_a_chain_sent_in_order_holds_though_receives_overtake_each_other),
        cmocka_unit_test(fault_08_a_long_chain_among_others_keeps_its_place),
        cmocka_unit_test(a_false_condition_is_told_soon_though_a_receive_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
