/* What the way to a simulated service may do to single calls. */
#include "sim_queue_fixture.h"
#include "sim_sqs_private.h"

struct way {
    enum sim_path path;
    bool executed; /* where: on the way back */
    const char *marked; /* only batches with such an entry; NULL: all */
};

static enum sim_path on_the_way(void *ctx, const struct sim_call *call, bool executed) {
    const struct way *way = ctx;
    const struct sqs_call *batch = (const struct sqs_call *)call;
    if (executed != way->executed)
        return SIM_PATH_CLEAR;
    for (size_t i = 0; way->marked && i < batch->count; i++)
        if (batch->sends[i] && strstr(batch->sends[i]->body, way->marked))
            return way->path;
    return way->marked ? SIM_PATH_CLEAR : way->path;
}

static void begin(struct sim_operation *of, struct way *way) {
    of->path = on_the_way;
    of->path_ctx = way;
    of->latency = of->jitter = 0;
}

static void what_a_box_says_is_not_the_services(void **state) {
    (void)state;
    static const int statuses[SIM_PATHS_BEFORE] = {[SIM_PATH_TOO_LARGE] = 413,
                                                   [SIM_PATH_BAD_REQUEST] = 400,
                                                   [SIM_PATH_FORBIDDEN] = 403,
                                                   [SIM_PATH_UNAVAILABLE] = 503,
                                                   [SIM_PATH_FOREIGN] = 200};
    struct world w;
    world_init(&w, 7);
    struct sim_queue *q = sim_sqs_add_queue(&w.sqs, "dlq");
    struct way way = {0};
    begin(&w.sqs.send, &way);
    for (way.path = SIM_PATH_TOO_LARGE; way.path < SIM_PATHS_BEFORE; way.path++) {
        struct sqs_send_entry entry = {.body = SPAN("x")};
        struct sim_batch b = sim_client_send(q, &entry, 1);
        assert_int_equal(b.result.class, CALL_RETRY);
        assert_int_equal(b.result.status, statuses[way.path]);
        assert_false(b.result.from_service);
        assert_int_equal(b.count, 0);
        assert_true(strlen(sim_path_name(way.path)) > 0);
    }
    assert_int_equal(q->sent, 0);
    assert_int_equal(w.sqs.send.stopped_on_the_way, SIM_PATHS_BEFORE - 1);
    world_done(&w);
}

static void one_entry_stops_its_batch_and_no_other(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *q = sim_sqs_add_queue(&w.sqs, "dlq");
    struct way way = {.path = SIM_PATH_RESET, .marked = "bad"};
    begin(&w.sqs.send, &way);
    struct sqs_send_entry entries[] = {{.body = SPAN("good")}, {.body = SPAN("bad")}};
    assert_int_equal(sim_client_send(q, entries, 2).result.class, CALL_RETRY);
    assert_int_equal(q->sent, 0);
    assert_true(sim_client_send(q, entries, 1).entries[0].ok);
    assert_int_equal(sim_client_send(q, entries + 1, 1).result.class, CALL_RETRY);
    assert_int_equal(q->sent, 1);
    world_done(&w);
}

static void silence_lasts_ten_seconds_beyond_the_wait(void **state) {
    (void)state;
    for (unsigned wait = 0; wait <= 20; wait += 20) {
        struct world w;
        world_init(&w, 7);
        struct sim_queue *q = sim_sqs_add_queue(&w.sqs, "updates");
        struct way way = {.path = SIM_PATH_SILENT, .executed = wait > 0};
        begin(&w.sqs.receive, &way);
        int64_t before = w.now;
        struct sim_received r = sim_client_receive(q, 10, 30, wait, NULL);
        assert_int_equal(r.result.class, CALL_RETRY);
        assert_int_equal(r.result.status, 0);
        assert_int_equal(w.now - before, (wait + 10) * SECOND);
        world_done(&w);
    }
}

static void an_answer_that_is_stopped_was_given(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *q = sim_sqs_add_queue(&w.sqs, "updates");
    struct way way = {.path = SIM_PATH_OVER_CEILING, .executed = true};
    begin(&w.sqs.receive, &way);
    sim_queue_send(q, "x");
    struct sim_received r = sim_client_receive(q, 10, 30, 0, NULL);
    assert_int_equal(r.result.class, CALL_RETRY);
    assert_int_equal(r.count, 0);
    assert_int_equal(w.sqs.all[0]->receive_count, 1);
    assert_int_equal(sim_queue_visible(q), 0);
    way.path = SIM_PATH_CLEAR;
    world_run(&w, 31 * SECOND);
    expect_received(q, 10, 30, NULL, "x");
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_box_says_is_not_the_services),
        cmocka_unit_test(one_entry_stops_its_batch_and_no_other),
        cmocka_unit_test(silence_lasts_ten_seconds_beyond_the_wait),
        cmocka_unit_test(an_answer_that_is_stopped_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
