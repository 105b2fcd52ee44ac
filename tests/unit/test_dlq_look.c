#include "dlq_look.h"

#include "dlq_world.h"
#include "letter_holds.h"

struct scene {
    struct dlq_world d;
    struct dlq_look *look;
    struct letter_choice choice;
    unsigned found;
    bool done, no_room, no_memory;
    struct dlq_look_result result;
    struct call_result failure;
};

static bool found(void *ctx, const struct letter *letter, const struct sqs_message *m) {
    struct scene *s = ctx;
    assert_non_null(letter->id.data);
    assert_true(m->message_id.len > 0);
    s->found++;
    return !s->no_memory;
}

static bool has_room(void *ctx) {
    return !((struct scene *)ctx)->no_room;
}

static void done(void *ctx, const struct dlq_look_result *result) {
    struct scene *s = ctx;
    assert_false(s->done);
    s->done = true;
    s->result = *result;
    if (result->failure)
        s->failure = *result->failure;
}

static void scene_init(struct scene *s, bool fifo) {
    *s = (struct scene){.choice = {.since = INT64_MIN}};
    dlq_world_init(&s->d, 11, fifo);
}

static void start(struct scene *s, uint64_t limit) {
    const struct dlq_look_options options = {.queue_url = s->d.dlq->url,
                                             .fifo = s->d.dlq->attributes.fifo,
                                             .counted = sim_queue_visible(s->d.dlq),
                                             .choice = &s->choice,
                                             .limit = limit};
    const struct dlq_look_host host = {found, has_room, done, s};
    s->look = dlq_look_start(&s->d.platform, &options, &host);
    assert_non_null(s->look);
}

static bool is_over(void *ctx) {
    return ((struct scene *)ctx)->done;
}

static void finish(struct scene *s) {
    assert_true(world_run_until(&s->d.w, is_over, s, 120 * SECOND));
}

static void scene_done(struct scene *s) {
    dlq_look_free(s->look);
    dlq_world_done(&s->d);
}

static void everything_is_seen_once_and_visible_again(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 314);
    start(&s, 0);
    finish(&s);
    assert_int_equal(s.found, 314);
    assert_int_equal(s.result.looked_at, 314);
    assert_int_equal(s.result.chosen, 314);
    assert_null(s.result.failure);
    assert_int_equal(sim_queue_visible(s.d.dlq), 314);
    assert_int_equal(s.d.dlq->deleted, 0);
    const struct sim_message *m;
    TAILQ_FOREACH(m, &s.d.dlq->messages, link) {
        assert_int_equal(m->receive_count, 1);
    }
    scene_done(&s);
}

static void a_slow_reader_of_the_results_is_waited_for_and_all_stays_hidden_meanwhile(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 100);
    start(&s, 0);
    world_run(&s.d.w, 1);
    s.no_room = true;
    world_run(&s.d.w, 600 * SECOND);
    assert_false(s.done);
    unsigned before = s.found;
    assert_true(before > 0 && before < 100);
    assert_int_equal(sim_queue_count(s.d.dlq).in_flight, before);
    s.no_room = false;
    dlq_look_go_on(s.look);
    finish(&s);
    assert_int_equal(s.found, 100);
    assert_int_equal(sim_queue_visible(s.d.dlq), 100);
    scene_done(&s);
}

static void a_limit_bounds_what_is_delivered(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 100);
    start(&s, 7);
    finish(&s);
    assert_int_equal(s.found, 7);
    assert_int_equal(s.result.looked_at, 7);
    assert_true(s.result.limited);
    assert_int_equal(sim_queue_visible(s.d.dlq), 100);
    assert_int_equal(s.d.dlq->received, 7);
    scene_done(&s);
}

static void with_a_filter_the_limit_counts_what_is_meant(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 50);
    sim_queue_send(s.d.dlq, "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"body\":\"{\\\"id\\\":1}\","
                            "\"idempotency_key\":\"k\"}}}");
    s.choice.error = SPAN("E");
    start(&s, 3);
    finish(&s);
    assert_int_equal(s.found, 1);
    assert_int_equal(s.result.looked_at, 51);
    assert_false(s.result.limited);
    assert_int_equal(sim_queue_visible(s.d.dlq), 51);
    scene_done(&s);
}

static void stopped_at_any_moment_nothing_stays_hidden(void **state) {
    (void)state;
    for (int64_t at = 0; at < 60; at++) {
        struct scene s;
        scene_init(&s, false);
        dlq_world_fill(&s.d, 60);
        start(&s, 0);
        world_run(&s.d.w, at * 5 * MILLISECOND);
        if (!s.done)
            dlq_look_stop(s.look);
        finish(&s);
        assert_int_equal(sim_queue_visible(s.d.dlq), 60);
        scene_done(&s);
    }
}

static void stopped_twice_it_ends_at_once_and_says_what_stays_hidden(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 60);
    start(&s, 0);
    while (s.found == 0)
        world_step(&s.d.w);
    dlq_look_stop(s.look);
    dlq_look_stop(s.look);
    assert_true(world_run_until(&s.d.w, is_over, &s, 1));
    assert_int_equal(s.result.left_hidden, s.result.looked_at);
    scene_done(&s);
}

static void of_a_fifo_group_ten_are_seen_and_all_groups_are_given_back(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, true);
    dlq_world_fill_group(&s.d, "a", 25);
    dlq_world_fill_group(&s.d, "b", 3);
    start(&s, 0);
    finish(&s);
    assert_int_equal(s.found, 13);
    assert_int_equal(sim_queue_visible(s.d.dlq), 28);
    scene_done(&s);
}

static void what_cannot_be_received_or_given_back_is_told(void **state) {
    (void)state;
    for (int what = 0; what < 2; what++) {
        struct scene s;
        scene_init(&s, false);
        dlq_world_fill(&s.d, 20);
        *(what ? &s.d.w.sqs.change.mode : &s.d.w.sqs.receive.mode) = SIM_DENIED;
        start(&s, 0);
        finish(&s);
        assert_non_null(s.result.failure);
        assert_int_equal(s.failure.class, CALL_DENIED);
        assert_int_equal(s.result.left_hidden, what ? 20 : 0);
        scene_done(&s);
    }
}

static void without_memory_for_the_results_it_ends_and_gives_all_back(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 20);
    s.no_memory = true;
    start(&s, 0);
    finish(&s);
    assert_true(s.result.no_memory);
    assert_int_equal(sim_queue_visible(s.d.dlq), 20);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_seen_once_and_visible_again),
        cmocka_unit_test(a_slow_reader_of_the_results_is_waited_for_and_all_stays_hidden_meanwhile),
        cmocka_unit_test(a_limit_bounds_what_is_delivered),
        cmocka_unit_test(with_a_filter_the_limit_counts_what_is_meant),
        cmocka_unit_test(stopped_at_any_moment_nothing_stays_hidden),
        cmocka_unit_test(stopped_twice_it_ends_at_once_and_says_what_stays_hidden),
        cmocka_unit_test(of_a_fifo_group_ten_are_seen_and_all_groups_are_given_back),
        cmocka_unit_test(what_cannot_be_received_or_given_back_is_told),
        cmocka_unit_test(without_memory_for_the_results_it_ends_and_gives_all_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
