#include "worker_world.h"

#include "single_worker.h"

struct stage {
    struct scene scene;
    struct single_worker_options options;
    struct single_worker *worker;
    struct platform platform;
    bool ended;
    struct single_outcome outcome;
};

static void on_done(void *user, const struct single_outcome *outcome) {
    struct stage *g = user;
    g->ended = true;
    g->outcome = *outcome;
}

static void stage_init(struct stage *g, uint64_t seed, const char *body) {
    *g = (struct stage){.ended = false};
    scene_init(&g->scene, seed, 3);
    g->options = (struct single_worker_options){
        .body = span_cstr(body), .key = SPAN("default-key"), .until = g->scene.world.now + 10 * SECOND};
    struct sim_worker *ready = &g->scene.worker;
    ready->context.table = &ready->facts.table;
    g->platform = (struct platform){.dynamodb = &ready->dynamodb,
                                    .clock = &g->scene.world.clock,
                                    .timers = &g->scene.world.timers,
                                    .random = &ready->random,
                                    .log = &g->scene.world.log};
}

static bool has_ended(void *ctx) {
    const struct stage *g = ctx;
    return g->ended;
}

static void stage_run(struct stage *g, int64_t within) {
    struct sim_worker *ready = &g->scene.worker;
    g->worker = single_worker_start(&g->platform, &ready->facts, &ready->context, &g->options, on_done, g);
    assert_non_null(g->worker);
    assert_false(g->ended); /* never from within */
    assert_true(world_run_until(&g->scene.world, has_ended, g, within));
}

static void stage_done(struct stage *g) {
    single_worker_free(g->worker);
    scene_done(&g->scene);
}

static bool response_has(const struct stage *g, const char *text) {
    return memmem(g->outcome.response.data, g->outcome.response.len, text, strlen(text)) != NULL;
}

#define UPDATE "{\"id\":\"k0\",\"attributes\":{\"n\":5}}"

static void a_message_is_applied_under_its_default_key(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 1, UPDATE);
    stage_run(&g, SECOND);
    assert_int_equal(g.outcome.type, ERROR_NONE);
    assert_string_equal(g.outcome.code, "");
    assert_true(response_has(&g, "\"success\":true") && response_has(&g, "\"updated_id\":\"k0\""));
    assert_int_equal(scene_n(&g.scene, 0), 5);
    single_worker_free(g.worker);
    g.ended = false;
    stage_run(&g, SECOND); /* the same key once more */
    assert_int_equal(g.outcome.type, ERROR_NONE);
    assert_int_equal(g.scene.db->committed, 1);
    stage_done(&g);
}

static void a_verdict_is_the_messages_own(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum error_type type;
    } cases[] = {
        {"rubbish", ERROR_INVALID_INPUT},
        {"{\"id\":\"k0\",\"attributes\":{\"id\":\"x\"}}", ERROR_VALIDATION},
        {"{\"id\":\"nobody\",\"attributes\":{\"n\":1}}", ERROR_RECORD_NOT_FOUND},
        {"{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 9\"}", ERROR_CONDITIONAL_CHECK},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        stage_init(&g, i, cases[i].body);
        stage_run(&g, SECOND);
        assert_int_equal(g.outcome.type, cases[i].type);
        assert_string_equal(g.outcome.code, "");
        assert_true(response_has(&g, error_type_name(cases[i].type)) && g.outcome.message.len > 0);
        assert_int_equal(g.scene.db->committed, 0);
        stage_done(&g);
    }
}

static void what_waiting_may_mend_is_tried_again(void **state) {
    (void)state;
    struct stage g;
    struct scripted script = {.record = "", .status = 500, .code = "InternalServerError", .left = 2};
    stage_init(&g, 4, UPDATE);
    scene_script(&g.scene, &script);
    stage_run(&g, 10 * SECOND);
    assert_int_equal(g.outcome.type, ERROR_NONE);
    assert_int_equal(script.answered, 2);
    stage_done(&g);
}

static void an_environment_that_fails_is_named_and_what_waiting_cannot_mend_is_told_at_once(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        const char *code;
        int64_t least, most;
    } cases[] = {
        {SIM_DENIED, "\"code\":\"AccessDeniedException\"", 0, SECOND},
        {SIM_EXPIRED, "\"code\":\"ExpiredTokenException\"", 0, SECOND},
        {SIM_BROKEN, "\"code\":\"InternalServerError\"", 10 * SECOND, 10 * SECOND},
        {SIM_THROTTLED, "\"code\":\"ThrottlingException\"", 10 * SECOND, 10 * SECOND},
        {SIM_DOWN, "\"code\":\"ConnectionError\"", 10 * SECOND, 10 * SECOND},
        {SIM_PROXY, "\"code\":\"ConnectionError\"", 10 * SECOND, 10 * SECOND},
        {SIM_SILENT, "\"code\":\"Timeout\"", 10 * SECOND, 10 * SECOND},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        stage_init(&g, 5, UPDATE);
        g.scene.db->transact.mode = cases[i].mode;
        int64_t began = g.scene.world.now;
        stage_run(&g, 11 * SECOND);
        int64_t took = g.scene.world.now - began;
        assert_int_equal(g.outcome.type, ERROR_DATABASE);
        assert_true(g.outcome.code[0]);
        if (!response_has(&g, cases[i].code)) {
            fail_msg("not %s: %.*s", cases[i].code, (int)g.outcome.response.len, g.outcome.response.data);
        }
        assert_true(took >= cases[i].least && took <= cases[i].most);
        stage_done(&g);
    }
}

static void without_time_nothing_is_begun(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 6, UPDATE);
    g.options.until = g.scene.world.now;
    stage_run(&g, SECOND);
    assert_true(g.outcome.code[0] && response_has(&g, "\"code\":\"Timeout\""));
    assert_int_equal(g.scene.db->transact.calls, 0);
    stage_done(&g);
    /* What is wrong with it is known all the same. */
    stage_init(&g, 6, "rubbish");
    g.options.until = g.scene.world.now - SECOND;
    stage_run(&g, SECOND);
    assert_int_equal(g.outcome.type, ERROR_INVALID_INPUT);
    stage_done(&g);
}

static void a_callers_key_that_was_used_for_another_message_is_the_callers_mistake(void **state) {
    (void)state;
    for (unsigned callers = 0; callers < 2; callers++) {
        struct stage g;
        stage_init(&g, 7, "{\"id\":\"k0\",\"attributes\":{\"n\":5},\"enable_logging\":false}");
        g.scene.invariants.unaudited = true;
        stage_run(&g, SECOND);
        single_worker_free(g.worker);
        g.ended = false;
        g.options.body = SPAN("{\"id\":\"k0\",\"attributes\":{\"n\":6},\"enable_logging\":false}");
        g.options.key_is_the_callers = callers;
        stage_run(&g, SECOND);
        assert_int_equal(g.outcome.type, callers ? ERROR_VALIDATION : ERROR_DATABASE);
        assert_int_equal(scene_n(&g.scene, 0), 5);
        stage_done(&g);
    }
}

static void a_reason_for_the_log_has_no_name_of_the_messages_author(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 9, "{\"id\":\"k0\",\"typed_attributes\":{\"secret\":{\"N\":\"x\"}}}");
    stage_run(&g, SECOND);
    assert_int_equal(g.outcome.type, ERROR_VALIDATION);
    assert_true(g.outcome.reason.len > 0 && g.outcome.message.len > 0);
    assert_non_null(memmem(g.outcome.message.data, g.outcome.message.len, "secret", 6));
    assert_null(memmem(g.outcome.reason.data, g.outcome.reason.len, "secret", 6));
    stage_done(&g);
}

static void a_verdict_that_cannot_be_confirmed_is_the_environments(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 8, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    g.scene.db->get_item.mode = SIM_DENIED;
    stage_run(&g, 5 * SECOND);
    assert_string_equal(g.outcome.code, "AccessDeniedException");
    assert_true(response_has(&g, "\"code\":\"AccessDeniedException\""));
    stage_done(&g);
}

static void one_that_counts_without_a_key_of_its_own_is_warned_of(void **state) {
    (void)state;
    for (unsigned callers = 0; callers < 2; callers++) {
        struct stage g;
        stage_init(&g, 9, "{\"id\":\"k0\",\"increment\":{\"n\":1}}");
        g.options.key_is_the_callers = callers;
        stage_run(&g, SECOND);
        assert_int_equal(g.outcome.type, ERROR_NONE);
        assert_int_equal(world_logged(&g.scene.world, "counts, appends"), !callers);
        stage_done(&g);
    }
}

static void it_can_be_freed_at_any_moment(void **state) {
    (void)state;
    for (int64_t after = 0; after < 300 * MILLISECOND; after += 7 * MILLISECOND) {
        struct stage g;
        stage_init(&g, 10, UPDATE);
        g.scene.db->transact.mode = after % 2 ? SIM_BROKEN : SIM_UP;
        struct sim_worker *ready = &g.scene.worker;
        g.worker = single_worker_start(&g.platform, &ready->facts, &ready->context, &g.options, on_done, &g);
        assert_non_null(g.worker);
        world_run(&g.scene.world, after);
        stage_done(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_applied_under_its_default_key),
        cmocka_unit_test(a_verdict_is_the_messages_own),
        cmocka_unit_test(what_waiting_may_mend_is_tried_again),
        cmocka_unit_test(an_environment_that_fails_is_named_and_what_waiting_cannot_mend_is_told_at_once),
        cmocka_unit_test(without_time_nothing_is_begun),
        cmocka_unit_test(a_callers_key_that_was_used_for_another_message_is_the_callers_mistake),
        cmocka_unit_test(a_reason_for_the_log_has_no_name_of_the_messages_author),
        cmocka_unit_test(a_verdict_that_cannot_be_confirmed_is_the_environments),
        cmocka_unit_test(one_that_counts_without_a_key_of_its_own_is_warned_of),
        cmocka_unit_test(it_can_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
