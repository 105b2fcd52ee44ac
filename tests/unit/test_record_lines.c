#include "worker_world.h"

#include "record_lines.h"

struct fake {
    struct job job;
    struct update update;
};

static void make(struct fake *f, const char *record, int64_t sent_at, uint64_t arrival, enum job_state state) {
    *f = (struct fake){.update = {.record = span_cstr(record)}};
    f->job = (struct job){.update = &f->update, .sent_at = sent_at, .arrival = arrival, .state = state};
}

static void enter(struct record_lines *lines, struct fake *f, bool first, const struct fake *displaced) {
    bool is_first = false;
    struct job *who = NULL;
    assert_true(record_lines_enter(lines, &f->job, &is_first, &who));
    assert_int_equal(is_first, first);
    assert_ptr_equal(who, displaced ? &displaced->job : NULL);
}

static void one_that_is_older_goes_before_one_that_has_not_begun(void **state) {
    (void)state;
    struct record_lines lines;
    struct fake young, old, other;
    record_lines_init(&lines, 1, 2);
    make(&young, "r", 20, 0, JOB_READY);
    make(&old, "r", 10, 1, JOB_READY);
    make(&other, "s", 5, 2, JOB_READY);
    enter(&lines, &young, true, NULL);
    enter(&lines, &other, true, NULL);
    enter(&lines, &old, true, &young);
    assert_ptr_equal(record_lines_leave(&lines, &old.job), &young.job);
    assert_null(record_lines_leave(&lines, &young.job));
    assert_null(record_lines_leave(&lines, &other.job));
    assert_int_equal(lines.lines.count, 0);
    record_lines_free(&lines);
}

static void one_that_has_begun_keeps_its_place(void **state) {
    (void)state;
    static const enum job_state begun[] = {JOB_RUNNING, JOB_PAUSED, JOB_HELD, JOB_LOOKING, JOB_CONFIRMING};
    for (size_t i = 0; i < ARRAY_LENGTH(begun); i++) {
        struct record_lines lines;
        struct fake first, middle, old;
        record_lines_init(&lines, 1, 2);
        make(&first, "r", 30, 0, begun[i]);
        make(&middle, "r", 20, 1, JOB_BLOCKED);
        make(&old, "r", 10, 2, JOB_BLOCKED);
        enter(&lines, &first, true, NULL);
        enter(&lines, &middle, false, NULL);
        enter(&lines, &old, false, NULL);
        assert_ptr_equal(record_lines_leave(&lines, &first.job), &old.job);
        assert_null(record_lines_leave(&lines, &middle.job)); /* from the middle: the first stays */
        assert_null(record_lines_leave(&lines, &old.job));
        record_lines_free(&lines);
    }
}

static void thousands_of_records_keep_their_own_lines(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct record_lines lines;
    struct fake *fakes = calloc(2 * COUNT, sizeof *fakes);
    char (*names)[16] = calloc(COUNT, sizeof *names);
    assert_true(fakes && names);
    record_lines_init(&lines, 3, 4);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "r%u", i);
        make(&fakes[i], names[i], 1, i, JOB_RUNNING);
        make(&fakes[COUNT + i], names[i], 2, i, JOB_BLOCKED);
        enter(&lines, &fakes[i], true, NULL);
    }
    for (unsigned i = 0; i < COUNT; i++)
        enter(&lines, &fakes[COUNT + i], false, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_ptr_equal(record_lines_leave(&lines, &fakes[i].job), &fakes[COUNT + i].job);
        assert_null(record_lines_leave(&lines, &fakes[COUNT + i].job));
    }
    assert_int_equal(lines.lines.count, 0);
    record_lines_free(&lines);
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
            struct sim_message *m = scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":%u},\"condition_expression\":\"n = %u\"}", order[at] + 1,
                                               order[at]);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_older_goes_before_one_that_has_not_begun),
        cmocka_unit_test(one_that_has_begun_keeps_its_place),
        cmocka_unit_test(thousands_of_records_keep_their_own_lines),
        cmocka_unit_test(fault_08_updates_of_one_record_run_oldest_first_one_at_a_time_however_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
