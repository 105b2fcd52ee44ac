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

static void no_retry_is_made_below_the_engine(void **state) {
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
        cmocka_unit_test(no_retry_is_made_below_the_engine),
        cmocka_unit_test(a_hot_record_is_serialised_and_the_others_keep_their_rate),
        cmocka_unit_test(a_throttle_storm_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
