#include "fleet.h"

static void assert_calls_fit(const struct fleet_counts *c, double capacity, double seconds) {
    if ((double)c->attempts > 1.1 * (double)c->admitted || (double)c->admitted < 0.95 * capacity * seconds)
        fail_msg("%llu calls for %llu admitted of %.0f", (unsigned long long)c->attempts,
                 (unsigned long long)c->admitted, capacity * seconds);
}

/* A thousand with room for two a second each, and with room for one. */
static void fault_17_a_thousand_workers_make_no_more_than_a_tenth_of_their_calls_in_vain(void **state) {
    (void)state;
    static const double capacities[] = {2000, 1000};
    for (size_t i = 0; i < ARRAY_LENGTH(capacities); i++) {
        struct fleet f;
        fleet_init(&f, 17 + i, 1000, SECOND, 0);
        fleet_run(&f, 5 * SECOND);
        uint64_t free_rate = fleet_count(&f, 5 * SECOND).admitted;
        capacity_set(&f.table, capacities[i], 0.1, f.now);
        fleet_run(&f, 30 * SECOND);
        for (unsigned minute = 0; minute < 3; minute++) {
            struct fleet_counts c = fleet_count(&f, MINUTE);
            assert_calls_fit(&c, capacities[i], 60);
        }
        capacity_set(&f.table, 0, 0, f.now);
        fleet_run(&f, 55 * SECOND);
        assert_true(10 * fleet_count(&f, 5 * SECOND).admitted >= 9 * free_rate);
        fleet_done(&f);
    }
}

static void
fault_17_where_nothing_is_admitted_a_thousand_workers_probe_apart_and_come_back_within_a_minute(void **state) {
    (void)state;
    struct fleet f;
    fleet_init(&f, 3, 1000, SECOND, 0);
    fleet_run(&f, 5 * SECOND);
    uint64_t free_rate = fleet_count(&f, 5 * SECOND).admitted;
    f.down = true;
    uint64_t beginning = fleet_count(&f, 20 * SECOND).attempts;
    assert_true(beginning < 30 * 1000);
    memset(f.per_millisecond, 0, sizeof f.per_millisecond);
    uint64_t probes = fleet_count(&f, 10 * MINUTE).attempts;
    assert_in_range(probes, 1000 * 600 / 15, 1000 * 600);
    for (size_t i = 0; i < ARRAY_LENGTH(f.per_millisecond); i++)
        assert_true(f.per_millisecond[i] < 2 * probes / 1000 + 20); /* whenever they began */
    f.down = false;
    fleet_run(&f, 55 * SECOND);
    assert_true(10 * fleet_count(&f, 5 * SECOND).admitted >= 9 * free_rate);
    fleet_done(&f);
}

static void fault_17_one_worker_uses_what_there_is_and_is_back_when_it_ends(void **state) {
    (void)state;
    static const struct { double capacity, burst; } cases[] = {{5, 1}, {20, 0.5}, {100, 0.1}, {300, 0.05}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct fleet f;
            fleet_init(&f, seed, 1, 5 * MILLISECOND, 0);
            fleet_run(&f, 5 * SECOND);
            uint64_t free_rate = fleet_count(&f, 5 * SECOND).admitted;
            struct fleet_counts all = {0}; /* at five a second one window in fifty is above by chance */
            for (unsigned turn = 0; turn < 3; turn++) {
                capacity_set(&f.table, cases[i].capacity, cases[i].burst, f.now);
                fleet_run(&f, 30 * SECOND);
                struct fleet_counts c = fleet_count(&f, 3 * MINUTE);
                all.attempts += c.attempts;
                all.admitted += c.admitted;
                capacity_set(&f.table, 0, 0, f.now);
                fleet_run(&f, 55 * SECOND);
                assert_true(10 * fleet_count(&f, 5 * SECOND).admitted >= 9 * free_rate);
            }
            assert_calls_fit(&all, cases[i].capacity, 3 * 180);
            fleet_done(&f);
        }
}

/* Capacity that comes and goes: neither is much lost of it, nor asked in vain. */
static void fault_17_it_follows_a_capacity_that_changes(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct fleet f;
        fleet_init(&f, seed, 20, 50 * MILLISECOND, 0);
        fleet_run(&f, 10 * SECOND);
        double offered = 0;
        struct fleet_counts before = {f.attempts, f.admitted, 0};
        for (unsigned i = 0; i < 20; i++) {
            double capacity = i % 2 ? 200 : 400;
            capacity_set(&f.table, capacity, 0.2, f.now);
            fleet_run(&f, 30 * SECOND);
            offered += 30 * capacity;
        }
        assert_true((double)(f.admitted - before.admitted) >= 0.95 * offered);
        assert_true((double)(f.attempts - before.attempts) <= 1.1 * (double)(f.admitted - before.admitted));
        fleet_done(&f);
    }
}

static void fault_18_a_hot_records_throttles_slow_nobody_else(void **state) {
    (void)state;
    uint64_t others[2];
    for (unsigned hot = 0; hot < 2; hot++) {
        struct fleet f;
        fleet_init(&f, 18, 20, 20 * MILLISECOND, 1);
        capacity_set(&f.hot, hot ? 5 : 0, 1, f.now);
        fleet_run(&f, 5 * SECOND);
        others[hot] = fleet_count(&f, 2 * MINUTE).others;
        fleet_done(&f);
    }
    assert_true(100 * others[1] >= 97 * others[0]);
}

/* A hot record in a table that throttles too: each for itself. */
static void fault_18_a_hot_record_takes_nothing_of_the_tables_capacity(void **state) {
    (void)state;
    struct fleet f;
    fleet_init(&f, 19, 20, 20 * MILLISECOND, 1);
    capacity_set(&f.hot, 5, 1, f.now);
    capacity_set(&f.table, 500, 0.1, f.now);
    fleet_run(&f, 30 * SECOND);
    struct fleet_counts c = fleet_count(&f, 2 * MINUTE);
    assert_true((double)c.others >= 0.9 * 500 * 120);
    fleet_done(&f);
}

static void without_throttles_nothing_is_ever_waited_for(void **state) {
    (void)state;
    struct adaptive_rate g;
    struct random random;
    random_seed(&random, 1);
    adaptive_rate_init(&g, SECOND);
    for (uint64_t i = 1; i < 100000; i++) {
        struct rated_attempt answer = {.record = i * 7919, .attempt = i, .attempts = i};
        assert_int_equal(adaptive_rate_wait(&g, SECOND), 0);
        assert_int_equal(adaptive_rate_record_wait(&g, answer.record, SECOND), 0);
        adaptive_rate_started(&g, &random, SECOND);
        adaptive_rate_admitted(&g, &answer, &random, SECOND);
    }
    assert_int_equal(adaptive_rate_now(&g), 0);
}

static void a_few_throttles_among_many_answers_are_no_limit(void **state) {
    (void)state;
    struct adaptive_rate g;
    struct random random;
    int64_t now = SECOND;
    random_seed(&random, 1);
    adaptive_rate_init(&g, now);
    for (uint64_t i = 1; i < 100000; i++, now += MILLISECOND) {
        struct rated_attempt answer = {.record = i * 7919, .attempt = i, .attempts = i};
        if (i % 100 == 0)
            assert_in_range(adaptive_rate_throttled(&g, &answer, &random, now), 1, 100 * MILLISECOND);
        else
            adaptive_rate_admitted(&g, &answer, &random, now);
        assert_int_equal(adaptive_rate_now(&g), 0);
    }
}

/* Nothing was admitted lately, since there was nothing to do: that tells nothing of what there is room for. */
static void a_short_throttle_after_a_quiet_time_costs_few_messages_little_time(void **state) {
    (void)state;
    enum { MESSAGES = 20, THROTTLED = 6 };
    struct adaptive_rate g;
    struct random random;
    random_seed(&random, 3);
    adaptive_rate_init(&g, SECOND);
    int64_t began = HOUR, now = began;
    for (uint64_t i = 1; i <= MESSAGES; i++) {
        struct rated_attempt answer = {.record = i * 7919, .attempt = i, .attempts = MESSAGES};
        assert_int_equal(adaptive_rate_wait(&g, now), 0);
        if (i <= THROTTLED)
            (void)adaptive_rate_throttled(&g, &answer, &random, now);
    }
    for (uint64_t i = 1; i <= THROTTLED; i++) {
        struct rated_attempt answer = {.record = i * 7919, .attempt = MESSAGES + i, .attempts = MESSAGES + i};
        int64_t paced = adaptive_rate_wait(&g, now), own = adaptive_rate_record_wait(&g, answer.record, now);
        now += paced > own ? paced : own;
        adaptive_rate_started(&g, &random, now);
        adaptive_rate_admitted(&g, &answer, &random, now);
    }
    assert_true(now - began < 8 * SECOND);
}

static void a_record_waits_the_longer_the_more_often_it_is_throttled_and_not_for_ever(void **state) {
    (void)state;
    struct adaptive_rate g;
    struct random random;
    int64_t now = SECOND, most = 0;
    random_seed(&random, 1);
    adaptive_rate_init(&g, now);
    for (uint64_t i = 1; i < 50; i++) {
        struct rated_attempt answer = {.record = 42, .attempt = i, .attempts = i};
        int64_t wait = adaptive_rate_throttled(&g, &answer, &random, now);
        assert_int_equal(adaptive_rate_record_wait(&g, 42, now), wait);
        assert_int_equal(adaptive_rate_record_wait(&g, 43, now), 0);
        most = wait > most ? wait : most;
        now += wait;
    }
    assert_in_range(most, 2 * SECOND, 5 * SECOND);
    assert_int_equal(adaptive_rate_record_wait(&g, 42, now + 30 * SECOND), 0);
}

/* A fresh worker's first message is of a throttled record, and it is tried ever more rarely before anything else is. */
static void fault_37_what_one_record_meets_before_all_others_limits_nobody(void **state) {
    (void)state;
    struct adaptive_rate g;
    struct random random;
    int64_t now = SECOND;
    random_seed(&random, 1);
    adaptive_rate_init(&g, now);
    for (uint64_t i = 1; i <= 20; i++, now += (int64_t)(i < 14 ? i : 14) * SECOND) {
        struct rated_attempt answer = {.record = 42, .attempt = i, .attempts = i};
        adaptive_rate_throttled(&g, &answer, &random, now);
    }
    assert_int_equal(adaptive_rate_now(&g), 0);
}

/* Where little is allowed a hot record has its next turn late, and it is the same hot record still. */
static void fault_18_a_hot_record_keeps_no_low_rate_low(void **state) {
    (void)state;
    struct adaptive_rate g;
    struct random random;
    int64_t now = SECOND;
    random_seed(&random, 1);
    adaptive_rate_init(&g, now);
    adaptive_rate_suspend(&g, 0, now);
    now += HOUR;
    adaptive_rate_resume(&g, 0, now);
    int64_t end = now + 5 * MINUTE;
    for (uint64_t i = 1; now < end && adaptive_rate_now(&g) > 0; i++) {
        struct rated_attempt answer = {.record = i * 7919, .attempt = i, .attempts = i};
        now += adaptive_rate_wait(&g, now);
        adaptive_rate_started(&g, &random, now);
        if (i % 3 || adaptive_rate_record_wait(&g, 42, now) > 0) {
            adaptive_rate_admitted(&g, &answer, &random, now);
        } else {
            answer.record = 42;
            adaptive_rate_throttled(&g, &answer, &random, now);
        }
    }
    assert_true(adaptive_rate_now(&g) == 0 || adaptive_rate_now(&g) > 100);
}

/* A bucket of tokens before the simulated tables. */
struct small_table {
    struct world *world;
    struct capacity capacity;
    bool by_reason;
    unsigned admitted;
};

static enum sim_fate admit(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct small_table *table = ctx;
    if (capacity_take(&table->capacity, table->world->now)) {
        table->admitted++;
        return SIM_RUN;
    }
    if (table->by_reason)
        sim_answer_cancelled(result, "ThrottlingError", t->audited ? "None" : NULL);
    else
        sim_answer_exception(result, 400, "ThrottlingException");
    return SIM_ANSWER;
}

static void fault_17_a_start_into_a_small_table_costs_few_calls_in_vain(void **state) {
    (void)state;
    static const int milliseconds[] = {2, 5, 10, 30, 100};
    for (size_t i = 0; i < ARRAY_LENGTH(milliseconds); i++)
        for (unsigned seed = 0; seed < 5; seed++) {
            struct scene s;
            scene_init(&s, seed, 300);
            struct small_table table = {.world = &s.world, .by_reason = seed % 2};
            capacity_set(&table.capacity, 20, 0.2, s.world.now);
            s.db->hook = admit;
            s.db->hook_ctx = &table;
            s.db->transact.latency = milliseconds[i] * MILLISECOND;
            s.db->transact.jitter = s.db->transact.latency / 4;
            for (unsigned n = 0; n < 300; n++)
                scene_set(&s, n, 1);
            int64_t began = s.world.now;
            scene_start(&s);
            scene_empties(&s, 5 * MINUTE);
            if (4 * s.db->transact.attempts > 5 * table.admitted)
                fail_msg("%llu calls for %u admitted", (unsigned long long)s.db->transact.attempts, table.admitted);
            assert_true(s.world.now - began < 20 * SECOND);
            scene_done(&s);
        }
}

static void run_until_committed(struct scene *s, uint64_t count) {
    STEP_WHILE(&s->world, s->db->committed < count);
}

/* Within three round trips of what a start without any bound took: 117 and 671 ms at 20 ms, 330 and 1,858 at 100. */
static void a_start_into_a_large_table_takes_three_round_trips_more_at_most(void **state) {
    (void)state;
    static const struct { int latency, first, all; /* milliseconds */ } cases[] = {{20, 117, 671}, {100, 330, 1858}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 1, 3000);
        s.db->transact.latency = cases[i].latency * MILLISECOND;
        s.db->transact.jitter = s.db->transact.latency / 4;
        for (unsigned n = 0; n < 3000; n++)
            scene_set(&s, n, 1);
        int64_t began = s.world.now, round_trip = s.db->transact.latency + s.db->transact.jitter;
        scene_start(&s);
        run_until_committed(&s, 256);
        assert_true(s.world.now - began < cases[i].first * MILLISECOND + 3 * round_trip);
        run_until_committed(&s, 3000);
        assert_true(s.world.now - began < cases[i].all * MILLISECOND + 3 * round_trip);
        scene_empties(&s, MINUTE);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_17_a_thousand_workers_make_no_more_than_a_tenth_of_their_calls_in_vain),
        cmocka_unit_test(
            fault_17_where_nothing_is_admitted_a_thousand_workers_probe_apart_and_come_back_within_a_minute),
        cmocka_unit_test(fault_17_one_worker_uses_what_there_is_and_is_back_when_it_ends),
        cmocka_unit_test(fault_17_it_follows_a_capacity_that_changes),
        cmocka_unit_test(fault_18_a_hot_records_throttles_slow_nobody_else),
        cmocka_unit_test(fault_18_a_hot_record_takes_nothing_of_the_tables_capacity),
        cmocka_unit_test(fault_18_a_hot_record_keeps_no_low_rate_low),
        cmocka_unit_test(fault_37_what_one_record_meets_before_all_others_limits_nobody),
        cmocka_unit_test(without_throttles_nothing_is_ever_waited_for),
        cmocka_unit_test(a_few_throttles_among_many_answers_are_no_limit),
        cmocka_unit_test(a_short_throttle_after_a_quiet_time_costs_few_messages_little_time),
        cmocka_unit_test(fault_17_a_start_into_a_small_table_costs_few_calls_in_vain),
        cmocka_unit_test(a_start_into_a_large_table_takes_three_round_trips_more_at_most),
        cmocka_unit_test(a_record_waits_the_longer_the_more_often_it_is_throttled_and_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
