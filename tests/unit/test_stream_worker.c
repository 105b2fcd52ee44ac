#include "worker_world.h"

#include "stream_worker.h"

struct stage {
    struct scene scene;
    struct stream_worker_options options;
    struct stream_worker *worker;
    struct platform platform;
    const char *input;
    size_t input_len, at, piece;
    size_t take; /* bytes taken at a time; 0: none */
    struct buf output;
    bool ended;
    struct outcome outcome;
};

static void feed(void *user) {
    struct stage *g = user;
    struct span out = stream_worker_output(g->worker);
    size_t take = out.len < g->take ? out.len : g->take;
    if (take) {
        world_enter();
        buf_append(&g->output, out.data, take);
        world_leave();
        stream_worker_took_output(g->worker, take);
    }
    while (stream_worker_wants_input(g->worker)) {
        size_t count = g->input_len - g->at < g->piece ? g->input_len - g->at : g->piece;
        if (count == 0) {
            stream_worker_end_input(g->worker);
            return;
        }
        stream_worker_feed(g->worker, span_of(g->input + g->at, count));
        g->at += count;
    }
}

static void on_done(void *user, struct outcome outcome) {
    struct stage *g = user;
    g->ended = true;
    g->outcome = outcome;
}

static void stage_init(struct stage *g, uint64_t seed, const char *input) {
    *g = (struct stage){.input = input, .input_len = strlen(input), .piece = 65536, .take = SIZE_MAX};
    scene_init(&g->scene, seed, 50);
    g->options = (struct stream_worker_options){.max_in_flight = 256, .max_attempts = 5, .shutdown_timeout = 5};
    buf_init(&g->output, (size_t)256 << 20);
}

static void stage_start(struct stage *g) {
    struct sim_worker *ready = &g->scene.worker;
    ready->context.table = &ready->facts.table;
    ready->context.audit = AUDIT_OFF;
    g->scene.invariants.unaudited = true;
    g->platform = (struct platform){.dynamodb = &ready->dynamodb,
                                    .clock = &g->scene.world.clock,
                                    .timers = &g->scene.world.timers,
                                    .random = &ready->random,
                                    .log = &g->scene.world.log};
    struct stream_worker_host host = {feed, on_done, g};
    g->worker = stream_worker_start(&g->platform, &g->options, &ready->facts, &ready->context, &host);
    assert_non_null(g->worker);
    feed(g);
}

static bool stage_ended(void *user) {
    return ((struct stage *)user)->ended;
}

static void stage_ends(struct stage *g, int64_t within, struct outcome outcome) {
    if (!world_run_until(&g->scene.world, stage_ended, g, within))
        fail_msg("not ended: %.2000s\n%.1000s", g->scene.world.log_text.data ? g->scene.world.log_text.data : "",
                 g->output.data);
    if (g->take) {
        struct span rest = stream_worker_output(g->worker);
        buf_append_span(&g->output, rest);
        stream_worker_took_output(g->worker, rest.len);
    }
    assert_int_equal(g->outcome.ending, outcome.ending);
    assert_int_equal(g->outcome.cause, outcome.cause);
}

static void stage_done(struct stage *g) {
    stream_worker_free(g->worker);
    buf_free(&g->output);
    scene_done(&g->scene);
}

static unsigned lines_of(const struct stage *g, const char *text) {
    unsigned count = 0;
    for (const char *at = g->output.data; at && (at = strstr(at, text)); at++)
        count++;
    return count;
}

static char *many(unsigned count, const char *format) {
    char *text = malloc((size_t)count * 128 + 1), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i < count; i++)
        at += snprintf(at, 128, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}}%s", i % 50, i, format);
    return text;
}

static void each_line_has_its_response_in_the_order_of_the_input(void **state) {
    (void)state;
    for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
        struct stage g;
        char *input = many(200, "\n");
        stage_init(&g, piece, input);
        g.piece = piece;
        g.scene.db->transact.jitter = SECOND;
        stage_start(&g);
        stage_ends(&g, MINUTE, outcome_of(ENDED_WELL));
        assert_int_equal(lines_of(&g, "\"success\":true"), 200);
        const char *at = g.output.data;
        for (unsigned i = 0; i < 200; i++) {
            char expected[64];
            snprintf(expected, sizeof expected, "\"updated_id\":\"k%u\"", i % 50);
            const char *end = strchr(at, '\n');
            assert_non_null(end);
            assert_non_null(memmem(at, (size_t)(end - at), expected, strlen(expected)));
            at = end + 1;
        }
        stage_done(&g);
        free(input);
    }
}

static void failures_are_envelopes_in_their_place_and_end_it_with_1(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 2,
               "{\"id\":\"k0\",\"attributes\":{\"n\":1}}\nrubbish\n\n{\"id\":\"nobody\",\"attributes\":{\"n\":1}}\n{"
               "\"id\":\"k1\",\"attributes\":{\"n\":1}}");
    stage_start(&g);
    stage_ends(&g, MINUTE, outcome_of(ENDED_SOME_FAILED));
    assert_int_equal(lines_of(&g, "\n"), 4);
    assert_int_equal(lines_of(&g, "\"success\":true"), 2);
    assert_true(strstr(g.output.data, "InvalidInputError") < strstr(g.output.data, "RecordNotFoundError"));
    stage_done(&g);
}

/* What would make it true comes after it. */
static void a_line_whose_condition_is_false_fails_before_later_lines_of_its_record_run(void **state) {
    (void)state;
    for (unsigned audited = 0; audited < 2; audited++) {
        struct stage g;
        stage_init(&g, 3,
                   audited ? "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = "
                             "5\",\"enable_logging\":true}\n"
                             "{\"id\":\"k0\",\"attributes\":{\"n\":5},\"enable_logging\":true}\n"
                           : "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 5\"}\n"
                             "{\"id\":\"k0\",\"attributes\":{\"n\":5}}\n");
        stage_start(&g);
        stage_ends(&g, MINUTE, outcome_of(ENDED_SOME_FAILED));
        assert_int_equal(scene_n(&g.scene, 0), 5);
        assert_int_equal(lines_of(&g, "\"error\":\"ConditionalCheckFailed\""), 1);
        assert_int_equal(g.scene.db->committed, 1);
        stage_done(&g);
    }
}

static void an_empty_input_is_fine(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 3, "\n\n");
    stage_start(&g);
    stage_ends(&g, SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(g.output.len, 0);
    stage_done(&g);
}

static void one_object_over_several_lines_is_one_message(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 4, "{\n  \"id\": \"k0\",\n  \"attributes\": {\"n\": 5}\n}\n");
    g.piece = 3;
    stage_start(&g);
    stage_ends(&g, SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(scene_n(&g.scene, 0), 5);
    stage_done(&g);
}

static void who_takes_little_at_a_time_gets_all_and_the_room_is_bounded(void **state) {
    (void)state;
    struct stage g;
    char *input = many(8000, "\n");
    stage_init(&g, 5, input);
    g.take = 300;
    stage_start(&g);
    while (!g.ended) {
        feed(&g);
        assert_true(world_step(&g.scene.world));
        assert_true(stream_worker_output(g.worker).len < (size_t)2 << 20);
    }
    stage_ends(&g, MINUTE, outcome_of(ENDED_WELL));
    assert_int_equal(lines_of(&g, "\n"), 8000);
    stage_done(&g);
    free(input);
}

static void a_fault_of_the_environment_ends_it_within_a_minute_at_a_line(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        enum cause cause;
    } cases[] = {{SIM_DOWN, CAUSE_UNREACHABLE},
                 {SIM_DENIED, CAUSE_DENIED},
                 {SIM_EXPIRED, CAUSE_CREDENTIALS},
                 {SIM_SILENT, CAUSE_UNREACHABLE}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        char *input = many(500, "\n");
        stage_init(&g, 7, input);
        g.options.max_in_flight = 20;
        stage_start(&g);
        STEP_WHILE(&g.scene.world, g.scene.db->committed < 100);
        g.scene.db->transact.mode = cases[i].mode;
        stage_ends(&g, MINUTE, outcome_by(cases[i].cause));
        unsigned line = lines_of(&g, "\n") + 1;
        char expected[32];
        snprintf(expected, sizeof expected, "line=%u", line);
        assert_true(world_logged(&g.scene.world, expected) == 1);
        stage_done(&g);
        free(input);
    }
}

static void a_line_that_alone_fails_twice_is_a_database_error(void **state) {
    (void)state;
    struct stage g;
    char *input = many(2000, "\n");
    stage_init(&g, 8, input);
    g.options.max_in_flight = 20;
    struct scripted script = {.record = "k7\"", .status = 400, .code = "AccessDeniedException", .left = 2};
    scene_script(&g.scene, &script);
    stage_start(&g);
    stage_ends(&g, MINUTE, outcome_of(ENDED_SOME_FAILED));
    assert_int_equal(lines_of(&g, "\"error\":\"DatabaseError\""), 1);
    assert_int_equal(lines_of(&g, "\"success\":true"), 1999);
    stage_done(&g);
    free(input);
}

static size_t line_logged(const struct stage *g) {
    assert_non_null(g->scene.world.log_text.data);
    const char *at = strstr(g->scene.world.log_text.data, " line=");
    assert_non_null(at);
    return strtoul(at + 6, NULL, 10);
}

static void a_stop_finishes_what_was_begun_and_names_the_line_to_go_on_with(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct stage g;
        char *input = many(500, "\n");
        stage_init(&g, seed, input);
        g.options.max_in_flight = 60;
        g.scene.db->transact.jitter = SECOND;
        stage_start(&g);
        STEP_WHILE(&g.scene.world, g.scene.db->committed < 100 + seed);
        stream_worker_stop(g.worker);
        stage_ends(&g, 10 * SECOND, outcome_of(ENDED_STOPPED));
        /* No gap, and nothing applied behind the line. */
        assert_int_equal(lines_of(&g, "\"success\":true"), line_logged(&g) - 1);
        assert_int_equal(g.scene.db->committed, line_logged(&g) - 1);
        assert_int_equal(world_logged(&g.scene.world, "go on with it"), 1);
        stage_done(&g);
        free(input);
    }
}

/* What has failed may pass, and lines behind it were applied: it gets its time. */
static void a_stop_waits_for_a_line_that_others_have_overtaken(void **state) {
    (void)state;
    struct stage g;
    char *input = many(500, "\n");
    stage_init(&g, 9, input);
    struct scripted script = {
        .record = "k7\"", .status = 400, .code = "TransactionConflictException", .left = FOR_EVER};
    scene_script(&g.scene, &script);
    stage_start(&g);
    STEP_WHILE(&g.scene.world, g.scene.db->committed < 30);
    stream_worker_stop(g.worker);
    script.left = 0;
    stage_ends(&g, 10 * SECOND, outcome_of(ENDED_STOPPED));
    assert_int_equal(g.scene.db->committed, line_logged(&g) - 1);
    stage_done(&g);
    free(input);
}

static void a_stop_in_an_outage_ends_in_its_time_and_says_what_may_have_been_applied(void **state) {
    (void)state;
    static const char *const codes[] = {"ThrottlingException", "TransactionInProgressException"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        for (unsigned twice = 0; twice < 2; twice++) {
            struct stage g;
            char *input = many(500, "\n");
            stage_init(&g, 9, input);
            g.options.max_in_flight = 20;
            g.scene.db->transact.jitter = SECOND;
            struct scripted script = {.record = "k", .status = 400, .code = codes[i], .left = 0};
            scene_script(&g.scene, &script);
            stage_start(&g);
            STEP_WHILE(&g.scene.world, g.scene.db->committed < 110);
            script.left = FOR_EVER;
            stream_worker_stop(g.worker);
            if (twice)
                stream_worker_stop(g.worker);
            stage_ends(&g, twice ? SECOND : 7 * SECOND, outcome_of(ENDED_STOPPED));
            assert_int_equal(lines_of(&g, "\"success\":true"), line_logged(&g) - 1);
            assert_int_equal(world_logged(&g.scene.world, "last_begun="), 1);
            assert_int_equal(world_logged(&g.scene.world, " done="), 1);
            stage_done(&g);
            free(input);
        }
    }
}

/* They are numbered, so that they can't be taken for the responses of the lines before them; and the log names them in
 * any case. */
static void what_is_known_behind_the_line_is_answered_where_lines_are_numbered(void **state) {
    (void)state;
    for (unsigned given_up = 0; given_up < 2; given_up++) {
        struct stage g;
        char *input = many(40, "\n");
        stage_init(&g, 13, input);
        g.options.max_in_flight = 20;
        g.options.line_numbers = true;
        struct scripted script = {.record = "k7\"", .status = 400, .code = "ThrottlingException", .left = FOR_EVER};
        scene_script(&g.scene, &script);
        stage_start(&g);
        STEP_WHILE(&g.scene.world, g.scene.db->committed < 15);
        script.record = "k";
        if (!given_up)
            stream_worker_stop(g.worker);
        stage_ends(&g, 2 * MINUTE, given_up ? outcome_by(CAUSE_UNREACHABLE) : outcome_of(ENDED_STOPPED));
        char unanswered[32];
        snprintf(unanswered, sizeof unanswered, "{\"line\":%zu,", line_logged(&g));
        assert_non_null(g.output.data);
        assert_null(strstr(g.output.data, unanswered));
        assert_int_equal(lines_of(&g, "\"success\":true"), g.scene.db->committed);
        assert_true(g.scene.db->committed > line_logged(&g) - 1);
        assert_int_equal(world_logged(&g.scene.world, " done=none"), 0);
        stage_done(&g);
        free(input);
    }
}

static void a_stop_when_all_is_done_is_no_interruption(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 11, "{\"id\":\"k0\",\"attributes\":{\"n\":1}}\n\n");
    stage_start(&g);
    STEP_WHILE(&g.scene.world, g.scene.db->committed == 0);
    stream_worker_stop(g.worker);
    stage_ends(&g, SECOND, outcome_of(ENDED_WELL));
    assert_int_equal(lines_of(&g, "\"success\":true"), 1);
    stage_done(&g);
}

static void responses_have_the_numbers_of_their_lines_where_they_are_asked_for(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 12, "\n{\"id\":\"k0\",\"attributes\":{\"n\":1}}\n\nrubbish\n");
    g.options.line_numbers = true;
    stage_start(&g);
    stage_ends(&g, SECOND, outcome_of(ENDED_SOME_FAILED));
    assert_non_null(g.output.data);
    assert_int_equal(strncmp(g.output.data, "{\"line\":2,\"success\":true,", 25), 0);
    assert_non_null(strstr(g.output.data, "\n{\"line\":4,\"success\":false,\"error\":\"InvalidInputError\","));
    stage_done(&g);
}

static void verdicts_of_audited_lines_are_confirmed_and_a_denied_confirmation_is_the_environments(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 10, "{\"id\":\"nobody\",\"attributes\":{\"n\":1},\"enable_logging\":true}\n");
    g.scene.db->get_item.mode = SIM_DENIED;
    stage_start(&g);
    stage_ends(&g, 2 * MINUTE, outcome_by(CAUSE_DENIED));
    assert_int_equal(g.output.len, 0);
    stage_done(&g);
}

struct passing {
    unsigned attempts[50];
};

/* Each record's first two attempts fail, each in another way. */
static enum sim_fate pass(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct passing *p = ctx;
    unsigned record = (unsigned)strtoul(strchr(t->record, 'k') + 1, NULL, 10) % 50;
    if (p->attempts[record]++ >= (record % 8 == 7 ? 1u : 2u))
        return SIM_RUN;
    switch (record % 8) {
    case 0: sim_answer_exception(result, 503, ""); break;
    case 1: sim_answer_exception(result, 400, "ThrottlingException"); break;
    case 2: sim_answer_cancelled(result, "TransactionConflict", NULL); break;
    case 3: return SIM_COMMIT_AND_CUT;
    case 4: sim_answer_cancelled(result, "ThrottlingError", NULL); break;
    case 5: sim_answer_exception(result, 502, ""); break;
    case 6: sim_answer_exception(result, 400, "RequestLimitExceeded"); break;
    default: sim_answer_exception(result, 500, "InternalServerError"); break;
    }
    return SIM_ANSWER;
}

static void faults_that_pass_after_two_attempts_at_each_line_take_less_than_a_minute(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct stage g;
        struct passing p = {{0}};
        char *input = many(40, "\n");
        stage_init(&g, seed, input);
        g.scene.db->hook = pass;
        g.scene.db->hook_ctx = &p;
        stage_start(&g);
        stage_ends(&g, MINUTE, outcome_of(ENDED_WELL));
        assert_int_equal(lines_of(&g, "\"success\":true"), 40);
        stage_done(&g);
        free(input);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_response_in_the_order_of_the_input),
        cmocka_unit_test(failures_are_envelopes_in_their_place_and_end_it_with_1),
        cmocka_unit_test(a_line_whose_condition_is_false_fails_before_later_lines_of_its_record_run),
        cmocka_unit_test(an_empty_input_is_fine),
        cmocka_unit_test(one_object_over_several_lines_is_one_message),
        cmocka_unit_test(who_takes_little_at_a_time_gets_all_and_the_room_is_bounded),
        cmocka_unit_test(a_fault_of_the_environment_ends_it_within_a_minute_at_a_line),
        cmocka_unit_test(a_line_that_alone_fails_twice_is_a_database_error),
        cmocka_unit_test(a_stop_finishes_what_was_begun_and_names_the_line_to_go_on_with),
        cmocka_unit_test(a_stop_waits_for_a_line_that_others_have_overtaken),
        cmocka_unit_test(a_stop_in_an_outage_ends_in_its_time_and_says_what_may_have_been_applied),
        cmocka_unit_test(what_is_known_behind_the_line_is_answered_where_lines_are_numbered),
        cmocka_unit_test(a_stop_when_all_is_done_is_no_interruption),
        cmocka_unit_test(responses_have_the_numbers_of_their_lines_where_they_are_asked_for),
        cmocka_unit_test(verdicts_of_audited_lines_are_confirmed_and_a_denied_confirmation_is_the_environments),
        cmocka_unit_test(faults_that_pass_after_two_attempts_at_each_line_take_less_than_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
