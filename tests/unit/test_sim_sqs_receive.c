/* What the simulated queues may do to a receive, and to what was received. */
#include "sim_queue_fixture.h"

static struct sim_queue *begin(struct world *w, unsigned messages) {
    world_init(w, 7);
    struct sim_queue *q = sim_sqs_add_queue(&w->sqs, "updates");
    for (unsigned i = 0; i < messages; i++)
        sim_queue_send(q, "x");
    return q;
}

static size_t receive(struct sim_queue *q, unsigned wait) {
    struct sim_received r = sim_client_receive(q, 10, 30, wait, NULL);
    size_t count = r.count;
    sim_received_free(&r);
    return count;
}

static void too_much_in_flight_is_said_only_to_who_does_not_wait(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 20);
    q->in_flight_max = 12;
    assert_int_equal(receive(q, 0), 10);
    assert_int_equal(receive(q, 0), 2);
    struct sim_received r = sim_client_receive(q, 10, 30, 0, NULL);
    assert_string_equal(r.result.code, "OverLimit");
    int64_t before = w.now;
    assert_int_equal(receive(q, 20), 0);
    assert_in_range(w.now - before, 20 * SECOND, 21 * SECOND);
    assert_true(delete (w.sqs.all[0]));
    assert_int_equal(receive(q, 20), 1);
    world_done(&w);
}

static void a_visibility_ends_twelve_hours_after_the_receive(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 1);
    struct sim_message *m = w.sqs.all[0];
    char handle[48];
    struct sim_received r = sim_client_receive(q, 1, 3600, 0, NULL);
    sim_received_free(&r);
    handle_of(m, handle, sizeof handle);
    world_run(&w, 1800 * SECOND);
    struct sqs_visibility_entry entry = {span_cstr(handle), SQS_VISIBILITY_MAX - 1795};
    struct sqs_entry_result result = sim_client_change(q, &entry, 1).entries[0];
    assert_string_equal(result.code, "InvalidParameterValue");
    entry.visibility_seconds = SQS_VISIBILITY_MAX - 1801;
    assert_true(sim_client_change(q, &entry, 1).entries[0].ok);
    world_run(&w, (SQS_VISIBILITY_MAX - 1800) * SECOND);
    assert_string_equal(sim_client_change(q, &entry, 1).entries[0].code, "MessageNotInflight");
    assert_int_equal(sim_queue_visible(q), 1);
    world_done(&w);
}

static void a_stale_handle_is_answered_with_200_and_deletes_nothing(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 1);
    char handle[48];
    assert_int_equal(receive(q, 0), 1);
    handle_of(w.sqs.all[0], handle, sizeof handle);
    world_run(&w, 31 * SECOND);
    assert_int_equal(receive(q, 0), 1);
    assert_true(delete_with(q, handle).ok);
    assert_int_equal(q->count, 1);
    assert_int_equal(q->stale_deletes, 1);
    world_done(&w);
}

static void chance_makes_duplicates_growing_counts_and_deletes_that_are_ignored(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 1);
    w.sqs.duplicates = w.sqs.counts_grow = w.sqs.ignored_deletes = 1000;
    assert_int_equal(receive(q, 0), 1);
    assert_int_equal(receive(q, 0), 1);
    assert_int_equal(w.sqs.all[0]->receive_count, 4);
    assert_true(delete (w.sqs.all[0]));
    assert_int_equal(q->count, 1);
    assert_int_equal(w.sqs.happened.duplicates, 2);
    assert_int_equal(w.sqs.happened.counts_grow, 2);
    assert_int_equal(w.sqs.happened.ignored_deletes, 1);
    world_done(&w);
}

static void a_short_receive_finds_less_than_there_is_and_nothing_only_where_it_does_not_wait(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 200);
    bool none = false, some = false;
    w.sqs.short_receives = 1000;
    for (int i = 0; i < 20; i++) {
        size_t count = receive(q, 0);
        assert_in_range(count, 0, 9);
        none = none || count == 0;
        some = some || count > 0;
        assert_in_range(receive(q, 1), 1, 10);
    }
    assert_true(none && some);
    world_done(&w);
}

static void a_handle_whose_time_is_over_may_be_refused(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 1);
    assert_int_equal(receive(q, 0), 1);
    world_run(&w, 31 * SECOND);
    w.sqs.expired_handles = 1000;
    assert_false(delete (w.sqs.all[0]));
    assert_int_equal(q->count, 1);
    assert_int_equal(receive(q, 0), 1);
    assert_true(delete (w.sqs.all[0]));
    world_done(&w);
}

static void never(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                  size_t corrupt) {
    (void)user, (void)result, (void)messages, (void)count, (void)corrupt;
    fail_msg("a cancelled receive was answered");
}

static void a_receive_whose_client_is_gone_may_still_take_messages(void **state) {
    (void)state;
    for (unsigned ghosts = 0; ghosts <= 1000; ghosts += 1000) {
        struct world w;
        struct sim_queue *q = begin(&w, 0);
        w.sqs.ghost_receives = ghosts;
        struct sqs_api port = sim_sqs_api(&w.sqs);
        struct sqs_receive_request request = {
            .queue_url = q->url, .max_messages = 10, .wait_seconds = 20, .visibility_seconds = 30};
        struct call_options options = {.deadline = NEVER, .max_attempts = 1};
        struct call *call = port.receive(port.ctx, &request, &options, never, NULL);
        world_run(&w, SECOND);
        port.cancel(port.ctx, call);
        sim_queue_send(q, "x");
        world_run(&w, SECOND);
        assert_int_equal(w.sqs.all[0]->receive_count, ghosts > 0);
        world_run(&w, 30 * SECOND);
        assert_int_equal(receive(q, 0), 1);
        world_done(&w);
    }
}

static void counts_lag_where_they_are_told_to(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 0);
    world_run(&w, 100 * SECOND);
    q->count_lag = 60 * SECOND;
    sim_queue_send(q, "x");
    assert_int_equal(sim_client_attributes(q).visible, 0);
    world_run(&w, 59 * SECOND);
    assert_int_equal(sim_client_attributes(q).visible, 0);
    world_run(&w, SECOND);
    assert_int_equal(sim_client_attributes(q).visible, 1);
    world_done(&w);
}

static void entries_fail_by_chance_with_and_without_the_senders_fault(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w, 0);
    struct sqs_send_entry entries[2] = {{.body = SPAN("x")}, {.body = SPAN("y")}};
    w.sqs.failed_entries = 1000;
    struct sim_batch b = sim_client_send(q, entries, 2);
    assert_int_equal(b.result.class, CALL_OK);
    assert_false(b.entries[0].ok);
    assert_string_equal(b.entries[0].code, "InternalError");
    w.sqs.failed_entries = 0;
    w.sqs.refused_entries = 1000;
    b = sim_client_send(q, entries, 2);
    assert_false(b.entries[1].ok);
    assert_string_equal(b.entries[1].code, "InvalidParameterValue");
    assert_int_equal(q->count, 0);
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_much_in_flight_is_said_only_to_who_does_not_wait),
        cmocka_unit_test(a_visibility_ends_twelve_hours_after_the_receive),
        cmocka_unit_test(a_stale_handle_is_answered_with_200_and_deletes_nothing),
        cmocka_unit_test(chance_makes_duplicates_growing_counts_and_deletes_that_are_ignored),
        cmocka_unit_test(a_handle_whose_time_is_over_may_be_refused),
        cmocka_unit_test(a_short_receive_finds_less_than_there_is_and_nothing_only_where_it_does_not_wait),
        cmocka_unit_test(a_receive_whose_client_is_gone_may_still_take_messages),
        cmocka_unit_test(counts_lag_where_they_are_told_to),
        cmocka_unit_test(entries_fail_by_chance_with_and_without_the_senders_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
