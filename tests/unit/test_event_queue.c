#include "worker_world.h"

#include "event_queue.h"

struct stage {
    struct scene scene;
    struct platform platform;
    struct event_queue_options options;
    struct buf text;
    struct lambda_event event;
    struct event_queue *queue;
    bool ended;
    size_t left;
    char cause[64];
};

static void on_done(void *user, size_t left, const char *cause) {
    struct stage *g = user;
    assert_false(g->ended);
    g->ended = true;
    g->left = left;
    (void)snprintf(g->cause, sizeof g->cause, "%s", cause);
}

/* queue: the name that the records came from. Records are added to its text, then it runs. */
static void stage_init(struct stage *g, uint64_t seed, bool fifo, bool dlq) {
    *g = (struct stage){.ended = false};
    if (fifo) {
        scene_init_fifo(&g->scene, seed, 50);
    } else {
        scene_init(&g->scene, seed, 50);
    }
    struct sim_worker *ready = &g->scene.worker;
    ready->context.table = &ready->facts.table;
    ready->facts.queue = (struct queue_facts){.url = ""};
    if (!dlq) {
        ready->facts.dlq = (struct queue_facts){.url = ""};
    }
    g->options = (struct event_queue_options){
        .max_in_flight = 256, .max_attempts = 5, .until = g->scene.world.now + 30 * SECOND, .patience = 10 * SECOND};
    g->platform = (struct platform){.sqs = dlq ? &ready->sqs : NULL,
                                    .dynamodb = &ready->dynamodb,
                                    .clock = &g->scene.world.clock,
                                    .timers = &g->scene.world.timers,
                                    .random = &ready->random,
                                    .log = &g->scene.world.log};
    buf_init(&g->text, (size_t)1 << 24);
    assert_true(buf_append_cstr(&g->text, "{\"Records\":["));
}

static unsigned record_count(const struct stage *g) {
    unsigned count = 0;
    for (const char *at = g->text.data; (at = strstr(at, "aws:sqs\"")); at++) {
        count++;
    }
    return count;
}

static void add(struct stage *g, const char *group, const char *body) {
    unsigned number = record_count(g);
    assert_true(buf_printf(&g->text,
                           "%s{\"messageId\":\"m%u\",\"eventSource\":\"aws:sqs\",\"eventSourceARN\":"
                           "\"arn:aws:sqs:r:1:updates%s\",\"attributes\":{\"SentTimestamp\":\"%u\"%s%s%s},\"body\":\"",
                           number ? "," : "", number, group ? ".fifo" : "", 1000 + number,
                           group ? ",\"MessageGroupId\":\"" : "", group ? group : "", group ? "\"" : ""));
    for (const char *at = body; *at; at++) {
        assert_true((*at != '"' || buf_append_char(&g->text, '\\')) && buf_append_char(&g->text, *at));
    }
    assert_true(buf_append_cstr(&g->text, "\"}"));
}

static void add_set(struct stage *g, const char *group, unsigned record, unsigned n) {
    char body[80];
    (void)snprintf(body, sizeof body, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}}", record, n);
    add(g, group, body);
}

static bool has_ended(void *ctx) {
    const struct stage *g = ctx;
    return g->ended;
}

static void stage_start(struct stage *g) {
    struct sim_worker *ready = &g->scene.worker;
    if (!strstr(g->text.data, "]}")) {
        assert_true(buf_append_cstr(&g->text, "]}"));
    }
    lambda_event_read(buf_span(&g->text), &g->event);
    assert_int_equal(g->event.kind, LAMBDA_SQS);
    g->ended = false;
    g->queue = event_queue_start(&g->platform, &ready->facts, &ready->context, &g->options, &g->event, on_done, g);
    assert_non_null(g->queue);
    assert_false(g->ended);
}

static void stage_run(struct stage *g, int64_t within) {
    stage_start(g);
    assert_true(world_run_until(&g->scene.world, has_ended, g, within));
}

/* What is left, as Lambda hears it. */
static void assert_left(const struct stage *g, const char *expected) {
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    assert_true(event_queue_append_left(g->queue, &out));
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

#define NONE_LEFT "{\"batchItemFailures\":[]}"
#define LEFT(id) "{\"itemIdentifier\":\"" id "\"}"
#define GONE "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}"

static void stage_done(struct stage *g) {
    event_queue_free(g->queue);
    buf_free(&g->text);
    scene_done(&g->scene);
}

static void many_records_are_applied_and_no_time_is_lost(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 1, false, true);
    for (unsigned i = 0; i < 1000; i++) {
        add_set(&g, NULL, i % 50, i);
    }
    int64_t began = g.scene.world.now;
    stage_run(&g, 30 * SECOND);
    assert_int_equal(g.left, 0);
    assert_left(&g, NONE_LEFT);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(scene_n(&g.scene, i), 950 + i); /* in the order of each record */
    }
    assert_true(g.scene.db->transact.most_running > 40 && g.scene.db->transact.most_running <= 256);
    assert_true(g.scene.world.now - began < 2 * SECOND);
    assert_int_equal(g.scene.dlq->count, 0);
    stage_done(&g);
}

static void one_record_waits_for_no_company(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 2, false, true);
    g.scene.db->transact.latency = 5 * MILLISECOND;
    g.scene.db->transact.jitter = 0;
    add_set(&g, NULL, 0, 5);
    int64_t began = g.scene.world.now;
    stage_run(&g, SECOND);
    assert_true(g.scene.world.now - began <= 6 * MILLISECOND);
    stage_done(&g);
}

static void what_fails_for_good_is_in_the_dlq_before_it_is_done_with(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 3, false, true);
    add_set(&g, NULL, 0, 5);
    add(&g, NULL, GONE);
    add(&g, NULL, "");
    stage_run(&g, 10 * SECOND);
    assert_int_equal(g.left, 0);
    assert_int_equal(g.scene.dlq->count, 2);
    assert_non_null(strstr(scene_dead(&g.scene, 0)->body, "\"queue\":\"updates\""));
    assert_int_equal(g.scene.db->put_item.executed, 1); /* the failure's audit record is waited for */
    stage_done(&g);
}

static void without_a_dlq_what_fails_for_good_is_left(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 4, false, false);
    add(&g, NULL, GONE);
    add_set(&g, NULL, 0, 5);
    add(&g, NULL, "rubbish");
    stage_run(&g, SECOND);
    assert_int_equal(g.left, 2);
    assert_string_equal(g.cause, "");
    assert_left(&g, "{\"batchItemFailures\":[" LEFT("m0") "," LEFT("m2") "]}");
    assert_int_equal(world_logged(&g.scene.world, "there is no DLQ_URL"), 2);
    stage_done(&g);
}

static void a_groups_rest_is_left_behind_a_failure_unless_the_dlq_has_it(void **state) {
    (void)state;
    for (unsigned dlq = 0; dlq < 2; dlq++) {
        struct stage g;
        stage_init(&g, 5, true, dlq);
        add_set(&g, "a", 0, 1);
        add_set(&g, "b", 1, 1);
        add(&g, "a", GONE);
        add_set(&g, "a", 0, 2);
        add_set(&g, "b", 1, 2);
        stage_run(&g, 10 * SECOND);
        assert_left(&g, dlq ? NONE_LEFT : "{\"batchItemFailures\":[" LEFT("m2") "," LEFT("m3") "]}");
        assert_int_equal(scene_n(&g.scene, 0), dlq ? 2 : 1);
        assert_int_equal(scene_n(&g.scene, 1), 2);
        stage_done(&g);
    }
}

static void what_isnt_known_when_time_runs_out_is_left(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        int64_t until, took;
        const char *cause;
    } cases[] = {{SIM_SILENT, 3 * SECOND, 3 * SECOND, "Timeout"},
                 {SIM_THROTTLED, 3 * SECOND, 3 * SECOND, "ThrottlingException"},
                 {SIM_DOWN, 60 * SECOND, 10 * SECOND, "no connection"},
                 {SIM_DENIED, 60 * SECOND, 10 * SECOND, "AccessDeniedException"},
                 {SIM_DENIED, SECOND, SECOND, "AccessDeniedException"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        stage_init(&g, 6, false, true);
        int64_t began = g.scene.world.now;
        g.scene.db->transact.mode = cases[i].mode;
        g.options.until = began + cases[i].until;
        add_set(&g, NULL, 0, 5);
        add_set(&g, NULL, 1, 5);
        stage_run(&g, 61 * SECOND);
        assert_int_equal(g.left, 2);
        if (!strstr(g.cause, cases[i].cause)) {
            fail_msg("case %zu: not %s: %s", i, cases[i].cause, g.cause);
        }
        assert_int_equal(g.scene.world.now - began, cases[i].took);
        assert_int_equal(g.scene.dlq->count, 0);
        stage_done(&g);
    }
}

static void a_dlq_that_is_down_leaves_what_failed(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 7, false, true);
    g.scene.sqs->send.mode = SIM_DOWN;
    add_set(&g, NULL, 0, 5);
    add(&g, NULL, GONE);
    stage_run(&g, 31 * SECOND);
    assert_left(&g, "{\"batchItemFailures\":[" LEFT("m1") "]}");
    assert_int_equal(scene_n(&g.scene, 0), 5);
    stage_done(&g);
}

/* However it ends: what isn't left was applied, or is in the DLQ. */
static void it_can_be_freed_at_any_moment(void **state) {
    (void)state;
    for (int64_t after = 0; after < 200 * MILLISECOND; after += 3 * MILLISECOND) {
        struct stage g;
        stage_init(&g, (uint64_t)after, after % 2, true);
        for (unsigned i = 0; i < 30; i++) {
            add_set(&g, after % 2 ? "a" : NULL, i, i);
        }
        add(&g, after % 2 ? "b" : NULL, GONE);
        stage_start(&g);
        world_run(&g.scene.world, after);
        struct buf out;
        buf_init(&out, (size_t)1 << 20);
        assert_true(event_queue_append_left(g.queue, &out));
        for (unsigned i = 0; i < 30; i++) {
            char id[32];
            (void)snprintf(id, sizeof id, "\"m%u\"", i);
            assert_true(strstr(out.data, id) || scene_n(&g.scene, i) == i);
        }
        assert_true(strstr(out.data, "\"m30\"") || g.scene.dlq->count == 1);
        buf_free(&out);
        stage_done(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_records_are_applied_and_no_time_is_lost),
        cmocka_unit_test(one_record_waits_for_no_company),
        cmocka_unit_test(what_fails_for_good_is_in_the_dlq_before_it_is_done_with),
        cmocka_unit_test(without_a_dlq_what_fails_for_good_is_left),
        cmocka_unit_test(a_groups_rest_is_left_behind_a_failure_unless_the_dlq_has_it),
        cmocka_unit_test(what_isnt_known_when_time_runs_out_is_left),
        cmocka_unit_test(a_dlq_that_is_down_leaves_what_failed),
        cmocka_unit_test(it_can_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
