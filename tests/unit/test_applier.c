#include "worker_world.h"

enum { SECONDS_MAX = 4000 };
struct pace {
    struct scene *s;
    unsigned per_second[SECONDS_MAX];
    unsigned failing; /* per mille */
};

static enum sim_fate count_attempt(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct pace *p = ctx;
    (void)t;
    int64_t second = p->s->world.now / SECOND;
    if (second < SECONDS_MAX)
        p->per_second[second]++;
    if (random_below(&p->s->world.random, 1000) >= p->failing)
        return SIM_RUN;
    sim_answer_exception(result, 500, "InternalServerError");
    return SIM_ANSWER;
}

static void no_second_has_more_attempts_than_max_rate_retries_and_probes_included(void **state) {
    (void)state;
    static const unsigned rates[] = {1, 3, 10, 50};
    for (size_t i = 0; i < ARRAY_LENGTH(rates); i++)
        for (unsigned failing = 0; failing <= 1000; failing += 250) {
            struct scene s;
            scene_init(&s, failing, 50);
            static struct pace pace;
            pace = (struct pace){.s = &s, .failing = failing};
            s.db->hook = count_attempt;
            s.db->hook_ctx = &pace;
            s.db->transact.latency = s.db->transact.jitter = 0;
            s.worker.options.max_rate = rates[i];
            for (unsigned n = 0; n < 600; n++)
                scene_set(&s, n % 50, n);
            scene_start(&s);
            world_run(&s.world, MINUTE);
            unsigned all = 0;
            for (size_t second = 0; second < SECONDS_MAX; second++) {
                all += pace.per_second[second];
                if (pace.per_second[second] > rates[i] + rates[i] / 10 + 1)
                    fail_msg("%u attempts in a second at MAX_RATE %u", pace.per_second[second], rates[i]);
            }
            assert_true(all <= rates[i] * 60 + rates[i] / 10 + 1);
            if (failing == 0 && rates[i] < 10)
                assert_true(all >= rates[i] * 58);
            assert_int_equal(s.dlq->sent, 0);
            assert_true(s.db->transact.attempts == s.db->transact.calls);
            scene_done(&s);
        }
}

static void under_max_rate_one_failed_attempt_is_no_outage(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
    } cases[] = {{500, "InternalServerError"}, {400, "ThrottlingException"}, {503, "ServiceUnavailable"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 3, 2);
        s.worker.options.max_rate = 100;
        struct scripted script = {.record = "k0", .status = cases[i].status, .code = cases[i].code, .left = 3};
        scene_script(&s, &script);
        scene_set(&s, 0, 1);
        scene_start(&s);
        scene_empties(&s, MINUTE);
        assert_int_equal(script.left, 0);
        assert_int_equal(world_logged(&s.world, "Holding"), 0);
        scene_done(&s);
    }
}

static void no_retry_is_made_below_the_applier(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 4, 2);
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    assert_int_equal(s.db->transact.last_max_attempts, 1);
    scene_done(&s);
}

static void a_hot_record_is_serialised_and_the_others_keep_their_rate(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 5, 200);
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 0; i < 1000; i++)
        scene_set(&s, i % 4 ? i % 200 : 0, i);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->most_running_of_one_record, 1);
    assert_true(s.db->transact.most_running > 50);
    scene_done(&s);
}

/* A table with room for so many transactions a second. */
struct narrow {
    struct scene *s;
    double rate, tokens;
    int64_t at;
    uint64_t attempts, admitted;
    struct json_object *bodies; /* by token */
};

static enum sim_fate admit(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct narrow *n = ctx;
    struct json_object *before = NULL;
    if (json_object_object_get_ex(n->bodies, t->token, &before))
        assert_true(span_is(t->body, json_object_get_string(before)));
    else
        json_object_object_add(n->bodies, t->token, json_object_new_string_len(t->body.data, (int)t->body.len));
    n->tokens += (double)(n->s->world.now - n->at) * n->rate / 1e6;
    n->tokens = n->tokens < n->rate / 10 ? n->tokens : n->rate / 10;
    n->at = n->s->world.now;
    n->attempts++;
    if (n->tokens < 1) {
        sim_answer_cancelled(result, "None", t->audited ? "ThrottlingError" : NULL);
        if (!t->audited)
            sim_answer_exception(result, 400, "ProvisionedThroughputExceededException");
        return SIM_ANSWER;
    }
    n->tokens--;
    n->admitted++;
    return SIM_RUN;
}

static void fault_17_two_workers_at_one_throttled_table_repeat_byte_by_byte_and_hardly_in_vain(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 17, 200);
    struct narrow n = {.s = &s, .rate = 100, .at = s.world.now, .bodies = json_object_new_object()};
    s.db->hook = admit;
    s.db->hook_ctx = &n;
    for (unsigned i = 0; i < 9000; i++)
        scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u},\"enable_logging\":%s}", i % 200, i,
                   i % 3 ? "true" : "false");
    scene_start(&s);
    assert_true(sim_worker_start(&s.other));
    world_run(&s.world, 20 * SECOND);
    uint64_t attempts = n.attempts, admitted = n.admitted;
    world_run(&s.world, MINUTE);
    assert_true((double)(n.admitted - admitted) >= 0.95 * 100 * 60);
    assert_true((double)(n.attempts - attempts) <= 1.1 * (double)(n.admitted - admitted));
    assert_int_equal(s.dlq->sent, 0);
    assert_true(s.db->transact.attempts == s.db->transact.calls); /* one layer of retries */
    json_object_put(n.bodies);
    s.invariants.unaudited = true;
    scene_done(&s);
}

static void fault_18_a_record_that_conflicts_slows_nobody_else(void **state) {
    (void)state;
    uint64_t others[2];
    for (unsigned conflicts = 0; conflicts < 2; conflicts++) {
        struct scene s;
        scene_init(&s, 18, 200);
        struct scripted script = {.record = "\"k0\"", .code = "TransactionConflict", .left = conflicts ? FOR_EVER : 0};
        scene_script(&s, &script);
        scene_set(&s, 1, 1);
        scene_start(&s);
        scene_empties(&s, 10 * SECOND);
        for (unsigned i = 0; i < 2000; i++)
            scene_set(&s, i % 50 ? i % 200 : 0, i);
        world_run(&s.world, 300 * MILLISECOND);
        others[conflicts] = s.db->committed;
        assert_int_equal(world_logged(&s.world, "Holding"), 0);
        script.left = 0;
        scene_empties(&s, 2 * MINUTE);
        scene_done(&s);
    }
    assert_true(10 * others[1] >= 9 * others[0]);
}

static void a_throttle_storm_loses_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 6, 200);
    s.db->throttles = 900;
    for (unsigned i = 0; i < 300; i++)
        scene_set(&s, i % 200, i);
    scene_start(&s);
    scene_empties(&s, 4 * HOUR);
    assert_int_equal(s.dlq->sent, 0);
    assert_int_equal(s.db->committed, 300);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_second_has_more_attempts_than_max_rate_retries_and_probes_included),
        cmocka_unit_test(under_max_rate_one_failed_attempt_is_no_outage),
        cmocka_unit_test(no_retry_is_made_below_the_applier),
        cmocka_unit_test(a_hot_record_is_serialised_and_the_others_keep_their_rate),
        cmocka_unit_test(fault_17_two_workers_at_one_throttled_table_repeat_byte_by_byte_and_hardly_in_vain),
        cmocka_unit_test(fault_18_a_record_that_conflicts_slows_nobody_else),
        cmocka_unit_test(a_throttle_storm_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
