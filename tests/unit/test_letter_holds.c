#include "letter_holds.h"

#include "dlq_world.h"
#include "sim_client.h"

struct scene {
    struct dlq_world d;
    struct holds holds;
    unsigned changes;
};

static void changed(void *ctx) {
    ((struct scene *)ctx)->changes++;
}

static void scene_init(struct scene *s, bool fifo) {
    *s = (struct scene){0};
    dlq_world_init(&s->d, 3, fifo);
    holds_init(&s->holds, &s->d.platform, s->d.dlq->url, changed, s);
}

static void scene_done(struct scene *s) {
    holds_free(&s->holds);
    dlq_world_done(&s->d);
}

/* Receives all there is, and holds it. */
static void hold_all(struct scene *s) {
    for (;;) {
        struct sim_received r = sim_client_receive(s->d.dlq, 10, HOLDS_VISIBILITY, 0, NULL);
        for (size_t i = 0; i < r.count; i++)
            assert_non_null(holds_add(&s->holds, r.messages[i]->message_id, r.messages[i]->receipt_handle));
        bool more = r.count > 0;
        sim_received_free(&r);
        if (!more)
            return;
    }
}

static bool returned(void *ctx) {
    return holds_are_returned(&((struct scene *)ctx)->holds);
}

static void what_is_held_stays_hidden_for_as_long_as_it_takes(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 137);
    hold_all(&s);
    assert_int_equal(s.holds.count, 137);
    for (unsigned i = 0; i < 40; i++) {
        world_run(&s.d.w, 15 * SECOND);
        assert_int_equal(sim_queue_visible(s.d.dlq), 0);
    }
    scene_done(&s);
}

static void all_are_given_back_at_the_end(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 255);
    hold_all(&s);
    holds_return_all(&s.holds);
    assert_true(world_run_until(&s.d.w, returned, &s, 5 * SECOND));
    assert_int_equal(sim_queue_visible(s.d.dlq), 255);
    assert_int_equal(s.holds.lost, 0);
    assert_int_equal(s.holds.failure.class, CALL_OK);
    assert_int_equal(s.changes, 26);
    scene_done(&s);
}

static void one_is_known_by_its_id_until_it_is_forgotten_or_given_back(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    struct hold *holds[300];
    for (unsigned i = 0; i < 300; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%u", i);
        holds[i] = holds_add(&s.holds, span_cstr(id), SPAN("h"));
        assert_non_null(holds[i]);
    }
    assert_null(holds_find(&s.holds, SPAN("m300")));
    assert_ptr_equal(holds_find(&s.holds, SPAN("m299")), holds[299]);
    assert_true(holds_renew(&s.holds, holds[7], SPAN("other")));
    assert_true(span_is(hold_handle(holds_find(&s.holds, SPAN("m7"))), "other"));
    holds_forget(&s.holds, holds[7]);
    holds_return(&s.holds, holds[8]);
    assert_null(holds_find(&s.holds, SPAN("m7")));
    assert_null(holds_find(&s.holds, SPAN("m8")));
    assert_int_equal(s.holds.count, 298);
    scene_done(&s);
}

static void one_can_be_given_back_by_itself(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 3);
    hold_all(&s);
    holds_return(&s.holds, TAILQ_FIRST(&s.holds.held));
    assert_true(world_run_until(&s.d.w, returned, &s, 5 * SECOND));
    assert_int_equal(sim_queue_visible(s.d.dlq), 1);
    assert_int_equal(s.holds.count, 2);
    scene_done(&s);
}

static void an_outage_is_waited_for_while_they_are_given_back(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    dlq_world_fill(&s.d, 25);
    hold_all(&s);
    s.d.w.sqs.change.mode = SIM_DOWN;
    holds_return_all(&s.holds);
    world_run(&s.d.w, 3 * SECOND);
    assert_false(returned(&s));
    s.d.w.sqs.change.mode = SIM_UP;
    assert_true(world_run_until(&s.d.w, returned, &s, 5 * SECOND));
    assert_int_equal(sim_queue_visible(s.d.dlq), 25);
    assert_int_equal(s.holds.lost, 0);
    scene_done(&s);
}

static void what_cannot_be_given_back_is_counted_and_comes_by_itself(void **state) {
    (void)state;
    static const enum sim_mode modes[] = {SIM_DOWN, SIM_DENIED};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct scene s;
        scene_init(&s, false);
        dlq_world_fill(&s.d, 25);
        hold_all(&s);
        s.d.w.sqs.change.mode = modes[i];
        holds_return_all(&s.holds);
        assert_true(world_run_until(&s.d.w, returned, &s, 30 * SECOND));
        assert_int_equal(s.holds.lost, 25);
        assert_int_equal(s.holds.failure.class, modes[i] == SIM_DOWN ? CALL_RETRY : CALL_DENIED);
        world_run(&s.d.w, HOLDS_VISIBILITY * SECOND);
        assert_int_equal(sim_queue_visible(s.d.dlq), 25);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_stays_hidden_for_as_long_as_it_takes),
        cmocka_unit_test(all_are_given_back_at_the_end),
        cmocka_unit_test(one_is_known_by_its_id_until_it_is_forgotten_or_given_back),
        cmocka_unit_test(one_can_be_given_back_by_itself),
        cmocka_unit_test(an_outage_is_waited_for_while_they_are_given_back),
        cmocka_unit_test(what_cannot_be_given_back_is_counted_and_comes_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
