#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "random.h"
#include "timers.h"

#include <string.h>

#define COUNT 6

/* Timers that write down in which order they fire, and may do something to another one when they do. */
struct bench {
    struct timers all;
    struct item {
        struct timer timer;
        struct bench *bench;
        struct item *stop, *start;
        int64_t start_due;
    } items[COUNT];
    char fired[64];
    size_t fired_count;
};

static void fire(void *user) {
    struct item *item = user;
    struct bench *bench = item->bench;
    assert_false(item->timer.running);
    assert_true(bench->fired_count < sizeof bench->fired - 1);
    bench->fired[bench->fired_count++] = (char)('a' + (item - bench->items));
    bench->fired[bench->fired_count] = '\0';
    if (item->stop)
        timer_stop(&bench->all, &item->stop->timer);
    if (item->start)
        timer_start(&bench->all, &item->start->timer, item->start_due);
    assert_int_equal(timers_run(&bench->all, NEVER), 0);
}

static void bench_init(struct bench *bench) {
    *bench = (struct bench){0};
    for (size_t i = 0; i < COUNT; i++) {
        bench->items[i].bench = bench;
        timer_init(&bench->items[i].timer, fire, &bench->items[i]);
    }
}

static void start(struct bench *bench, size_t i, int64_t due) {
    timer_start(&bench->all, &bench->items[i].timer, due);
}

/* Runs at now, and says what fired. */
static const char *run(struct bench *bench, int64_t now) {
    bench->fired_count = 0;
    bench->fired[0] = '\0';
    unsigned count = timers_run(&bench->all, now);
    assert_int_equal(count, strlen(bench->fired));
    assert_null(bench->all.firing);
    return bench->fired;
}

static void nothing_is_due_where_nothing_runs(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b);
    assert_true(timers_next(&b.all) == NEVER);
    assert_string_equal(run(&b, NEVER), "");
}

static void the_earliest_fires_first_and_only_what_is_due(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b);
    start(&b, 0, 30);
    start(&b, 1, 10);
    start(&b, 2, 20);
    start(&b, 3, 40);
    assert_int_equal(timers_next(&b.all), 10);
    assert_string_equal(run(&b, 9), "");
    assert_string_equal(run(&b, 30), "bca");
    assert_int_equal(timers_next(&b.all), 40);
    assert_string_equal(run(&b, 30), "");
    assert_string_equal(run(&b, 100), "d");
    assert_true(timers_next(&b.all) == NEVER);
}

static void those_due_at_one_time_fire_as_they_were_started(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b);
    for (size_t i = 0; i < COUNT; i++)
        start(&b, COUNT - 1 - i, 10);
    start(&b, 3, 10);
    assert_string_equal(run(&b, 10), "fecbad");
}

static void a_restart_replaces_the_time(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b);
    start(&b, 0, 10);
    start(&b, 1, 20);
    start(&b, 0, 30);
    assert_int_equal(timers_next(&b.all), 20);
    start(&b, 0, 5);
    assert_int_equal(timers_next(&b.all), 5);
    assert_string_equal(run(&b, 40), "ab");
}

static void a_stopped_timer_does_not_fire(void **state) {
    (void)state;
    for (size_t stopped = 0; stopped < COUNT; stopped++) {
        struct bench b;
        bench_init(&b);
        char expected[COUNT] = "";
        for (size_t i = 0, n = 0; i < COUNT; i++) {
            start(&b, i, (int64_t)i);
            if (i != stopped)
                expected[n++] = (char)('a' + i);
        }
        timer_stop(&b.all, &b.items[stopped].timer);
        timer_stop(&b.all, &b.items[stopped].timer);
        assert_false(b.items[stopped].timer.running);
        assert_memory_equal(run(&b, 100), expected, COUNT);
    }
}

static void a_callback_may_stop_others_that_are_due(void **state) {
    (void)state;
    for (size_t stopped = 1; stopped < COUNT; stopped++) {
        struct bench b;
        bench_init(&b);
        for (size_t i = 0; i < COUNT; i++)
            start(&b, i, 10);
        b.items[0].stop = &b.items[stopped];
        assert_int_equal(strlen(run(&b, 10)), COUNT - 1);
        assert_null(strchr(b.fired, (int)('a' + stopped)));
    }
}

static void what_a_callback_starts_waits_for_the_next_call(void **state) {
    (void)state;
    struct bench b;
    bench_init(&b);
    for (size_t i = 0; i < 3; i++)
        start(&b, i, 10);
    b.items[0].start = &b.items[0]; /* itself */
    b.items[0].start_due = 0;
    b.items[1].start = &b.items[2]; /* one that is due already */
    b.items[1].start_due = 5;
    assert_string_equal(run(&b, 10), "ab");
    assert_int_equal(timers_next(&b.all), 0);
    b.items[0].start = b.items[1].start = NULL;
    assert_string_equal(run(&b, 10), "ac");
}

struct expectation {
    struct timers all;
    int64_t next;
};

static void look_at_next(void *user) {
    struct expectation *e = user;
    assert_true(timers_next(&e->all) == e->next);
    e->next = NEVER;
}

static void the_next_time_counts_those_about_to_fire(void **state) {
    (void)state;
    struct expectation e = {.next = 7};
    struct timer first, second;
    timer_init(&first, look_at_next, &e);
    timer_init(&second, look_at_next, &e);
    timer_start(&e.all, &first, 6);
    timer_start(&e.all, &second, 7);
    assert_int_equal(timers_run(&e.all, 10), 2);
}

#define MANY 300

struct model {
    struct timers all;
    struct timer timers[MANY];
    int64_t due[MANY];
    uint64_t order[MANY];
    uint64_t started;
    int64_t last_due;
    uint64_t last_order;
    unsigned fired;
};

struct model_timer {
    struct model *model;
    size_t index;
};

static void fire_in_model(void *user) {
    struct model_timer *t = user;
    struct model *m = t->model;
    assert_true(m->due[t->index] >= 0);
    assert_true(m->due[t->index] > m->last_due ||
                (m->due[t->index] == m->last_due && m->order[t->index] > m->last_order));
    m->last_due = m->due[t->index];
    m->last_order = m->order[t->index];
    m->due[t->index] = -1;
    m->fired++;
}

static int64_t earliest(const struct model *m) {
    int64_t least = NEVER;
    for (size_t i = 0; i < MANY; i++)
        if (m->due[i] >= 0 && m->due[i] < least)
            least = m->due[i];
    return least;
}

static unsigned count_due(const struct model *m, int64_t now) {
    unsigned n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += m->due[i] >= 0 && m->due[i] <= now;
    return n;
}

static void any_sequence_agrees_with_a_plain_list(void **state) {
    (void)state;
    static struct model m;
    static struct model_timer users[MANY];
    struct random r;
    random_seed(&r, 2024);
    m = (struct model){0};
    for (size_t i = 0; i < MANY; i++) {
        users[i] = (struct model_timer){&m, i};
        m.due[i] = -1;
        timer_init(&m.timers[i], fire_in_model, &users[i]);
    }
    int64_t now = 0;
    for (unsigned step = 0; step < 20000; step++) {
        size_t i = random_below(&r, MANY);
        uint64_t what = random_below(&r, 100);
        if (what < 60) {
            m.due[i] = now + (int64_t)random_below(&r, 50);
            m.order[i] = m.started++;
            timer_start(&m.all, &m.timers[i], m.due[i]);
        } else if (what < 90) {
            m.due[i] = -1;
            timer_stop(&m.all, &m.timers[i]);
        } else {
            now += (int64_t)random_below(&r, 10);
            unsigned expected = count_due(&m, now);
            m.fired = 0;
            m.last_due = -1;
            assert_int_equal(timers_run(&m.all, now), expected);
            assert_int_equal(m.fired, expected);
        }
        assert_true(timers_next(&m.all) == earliest(&m));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_where_nothing_runs),
        cmocka_unit_test(the_earliest_fires_first_and_only_what_is_due),
        cmocka_unit_test(those_due_at_one_time_fire_as_they_were_started),
        cmocka_unit_test(a_restart_replaces_the_time),
        cmocka_unit_test(a_stopped_timer_does_not_fire),
        cmocka_unit_test(a_callback_may_stop_others_that_are_due),
        cmocka_unit_test(what_a_callback_starts_waits_for_the_next_call),
        cmocka_unit_test(the_next_time_counts_those_about_to_fire),
        cmocka_unit_test(any_sequence_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
