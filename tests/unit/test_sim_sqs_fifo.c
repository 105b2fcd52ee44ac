/* The simulated FIFO queues: what the worker's tests rely on. */
#include "sim_queue_fixture.h"

static struct sim_queue *begin(struct world *w) {
    world_init(w, 7);
    return sim_sqs_add_fifo_queue(&w->sqs, "orders.fifo");
}

static void a_group_with_a_message_in_flight_gives_no_other(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sim_message *a1 = sim_queue_send_fifo(q, "a1", "a", "1"), *a2 = sim_queue_send_fifo(q, "a2", "a", "2");
    sim_queue_send_fifo(q, "b1", "b", "3");
    expect_received(q, 1, 30, NULL, "a1");
    expect_received(q, 10, 30, NULL, "b1");
    expect_received(q, 10, 30, NULL, "");
    assert_true(delete (a1));
    expect_received(q, 10, 30, NULL, "a2");
    assert_true(delete (a2));
    world_run(&w, 31 * SECOND);
    expect_received(q, 10, 30, NULL, "b1");
    world_done(&w);
}

static void one_receive_hands_out_a_group_in_order_before_others(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    sim_queue_send_fifo(q, "a1", "a", "1");
    sim_queue_send_fifo(q, "b1", "b", "2");
    struct sim_message *a2 = sim_queue_send_fifo(q, "a2", "a", "3");
    sim_queue_send_fifo(q, "a3", "a", "4");
    sim_queue_send_fifo(q, "b2", "b", "5");
    expect_received(q, 4, 5, NULL, "a1 a2 a3 b1");
    assert_true(delete (a2));
    world_run(&w, 6 * SECOND);
    expect_received(q, 10, 5, NULL, "a1 a3 b1 b2");
    world_done(&w);
}

static void the_group_waits_for_the_last_of_its_messages_in_flight(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sim_message *a1 = sim_queue_send_fifo(q, "a1", "a", "1"), *a2 = sim_queue_send_fifo(q, "a2", "a", "2");
    char handle[48];
    expect_received(q, 10, 30, NULL, "a1 a2");
    handle_of(a1, handle, sizeof handle);
    struct sqs_visibility_entry now = {span_cstr(handle), 0};
    assert_true(sim_client_change(q, &now, 1).entries[0].ok);
    expect_received(q, 10, 30, NULL, "");
    assert_true(delete (a2));
    expect_received(q, 10, 30, NULL, "a1");
    world_done(&w);
}

static void a_waiting_receive_gets_the_next_of_a_group_when_it_is_free(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    sim_queue_send_fifo(q, "a1", "a", "1");
    sim_queue_send_fifo(q, "a2", "a", "2");
    expect_received(q, 1, 5, NULL, "a1");
    struct sim_received r = sim_client_receive(q, 10, 30, 20, NULL);
    assert_int_equal(r.count, 2); /* a1 once more, when its 5 seconds are over */
    assert_in_range(w.now, 6 * SECOND, 7 * SECOND);
    sim_received_free(&r);
    world_done(&w);
}

static void a_duplicate_is_answered_with_the_first_and_dropped_for_five_minutes(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sqs_send_entry entry = {.body = SPAN("x"), .group_id = SPAN("a"), .deduplication_id = SPAN("same")};
    assert_true(sim_client_send(q, &entry, 1).entries[0].ok);
    char first[SIM_MESSAGE_ID_SIZE];
    memcpy(first, w.sqs.last_sent[0], sizeof first);
    expect_received(q, 10, 30, NULL, "x");
    assert_true(delete (w.sqs.all[0])); /* being gone changes nothing */
    world_run(&w, 299 * SECOND);
    entry.group_id = SPAN("b"); /* nor does another group */
    assert_true(sim_client_send(q, &entry, 1).entries[0].ok);
    assert_string_equal(w.sqs.last_sent[0], first);
    assert_int_equal(q->count, 0);
    world_run(&w, SECOND);
    assert_true(sim_client_send(q, &entry, 1).entries[0].ok);
    assert_string_not_equal(w.sqs.last_sent[0], first);
    assert_int_equal(q->count, 1);
    world_done(&w);
}

static void the_body_stands_in_for_a_deduplication_id_where_the_queue_says_so(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sqs_send_entry entries[] = {
        {.body = SPAN("x"), .group_id = SPAN("a")}, {.body = SPAN("x")}, {.body = SPAN("x"), .group_id = SPAN("b")}};
    struct sim_batch b = sim_client_send(q, entries, 2);
    assert_string_equal(b.entries[0].code, "InvalidParameterValue");
    assert_string_equal(b.entries[1].code, "MissingParameter");
    q->content_based_deduplication = true;
    b = sim_client_send(q, entries, 3);
    assert_true(b.entries[0].ok && !b.entries[1].ok && b.entries[2].ok);
    assert_int_equal(q->count, 1);
    world_done(&w);
}

static void an_attempt_id_gets_the_same_messages_again(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sim_message *a1 = sim_queue_send_fifo(q, "a1", "a", "1");
    sim_queue_send_fifo(q, "a2", "a", "2");
    sim_queue_send_fifo(q, "a3", "a", "3");
    expect_received(q, 2, 30, "one", "a1 a2");
    world_run(&w, 20 * SECOND);
    expect_received(q, 10, 30, "two", "");
    expect_received(q, 2, 30, "one", "a1 a2");
    assert_int_equal(a1->handle, 1);
    assert_int_equal(a1->receive_count, 1);
    world_run(&w, 20 * SECOND); /* visibility began anew */
    expect_received(q, 10, 30, NULL, "");
    assert_true(delete (a1));
    world_done(&w);
}

static void an_attempt_id_is_worth_nothing_once_its_messages_were_touched(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    sim_queue_send_fifo(q, "a1", "a", "1");
    sim_queue_send_fifo(q, "b1", "b", "2");
    sim_queue_send_fifo(q, "b2", "b", "3");
    expect_received(q, 2, 30, "deleted", "a1 b1");
    assert_true(delete (w.sqs.all[0]));
    expect_received(q, 10, 30, "deleted", "");
    world_run(&w, 31 * SECOND);
    expect_received(q, 1, 30, "expired", "b1");
    world_run(&w, 31 * SECOND);
    expect_received(q, 10, 400, "expired", "b1 b2");
    assert_int_equal(w.sqs.all[1]->handle, 3);
    world_run(&w, 300 * SECOND);
    expect_received(q, 10, 400, "expired", ""); /* five minutes later it is another receive */
    world_done(&w);
}

static void an_attempt_id_takes_nothing_from_who_has_it_now(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sim_message *m = sim_queue_send_fifo(q, "a1", "a", "1");
    expect_received(q, 1, 5, "one", "a1");
    world_run(&w, 6 * SECOND);
    expect_received(q, 1, 60, NULL, "a1"); /* by another */
    expect_received(q, 1, 60, "one", "");
    assert_true(delete (m));
    m = sim_queue_send_fifo(q, "a2", "a", "2");
    expect_received(q, 1, 60, "two", "a2");
    char handle[48];
    handle_of(m, handle, sizeof handle);
    struct sqs_visibility_entry longer = {span_cstr(handle), 120};
    assert_true(sim_client_change(q, &longer, 1).entries[0].ok);
    expect_received(q, 1, 60, "two", "");
    assert_int_equal(q->repeated_receives, 0);
    world_done(&w);
}

static void an_expired_receipt_handle_deletes_nothing_and_says_so(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    struct sim_message *m = sim_queue_send_fifo(q, "a1", "a", "1");
    char old[48];
    expect_received(q, 1, 5, NULL, "a1");
    handle_of(m, old, sizeof old);
    world_run(&w, 6 * SECOND);
    struct sqs_entry_result r = delete_with(q, old);
    assert_false(r.ok);
    assert_string_equal(r.code, "InvalidParameterValue");
    expect_received(q, 1, 5, NULL, "a1");
    assert_false(delete_with(q, old).ok);
    assert_true(delete (m));
    assert_true(delete (m)); /* twice is fine */
    assert_string_equal(delete_with(q, "nonsense").code, "ReceiptHandleIsInvalid");
    world_done(&w);
}

static void messages_name_their_group_and_their_place(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    sim_queue_send_fifo(q, "a1", "orders of 7", "1");
    sim_queue_send_fifo(q, "b1", "b", "2");
    struct sim_received r = sim_client_receive(q, 10, 30, 0, NULL);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.messages[0]->group_id.len, strlen("orders of 7"));
    assert_memory_equal(r.messages[0]->group_id.data, "orders of 7", r.messages[0]->group_id.len);
    assert_int_equal(r.messages[0]->sequence_number.len, 20);
    assert_true(memcmp(r.messages[0]->sequence_number.data, r.messages[1]->sequence_number.data, 20) < 0);
    sim_received_free(&r);
    world_done(&w);
}

static void calls_beyond_the_queues_rate_are_throttled_by_action(void **state) {
    (void)state;
    struct world w;
    struct sim_queue *q = begin(&w);
    q->calls_per_second = 3;
    w.sqs.receive.latency = w.sqs.receive.jitter = 0;
    w.now = 10 * SECOND;
    for (int i = 0; i < 5; i++) {
        struct sim_received r = sim_client_receive(q, 1, 30, 0, NULL);
        assert_int_equal(r.result.class, i < 3 ? CALL_OK : CALL_THROTTLED);
    }
    assert_int_equal(sim_client_delete(q, &SPAN("nonsense"), 1).result.class, CALL_OK);
    world_run(&w, SECOND);
    assert_int_equal(sim_client_receive(q, 1, 30, 0, NULL).result.class, CALL_OK);
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_with_a_message_in_flight_gives_no_other),
        cmocka_unit_test(one_receive_hands_out_a_group_in_order_before_others),
        cmocka_unit_test(the_group_waits_for_the_last_of_its_messages_in_flight),
        cmocka_unit_test(a_waiting_receive_gets_the_next_of_a_group_when_it_is_free),
        cmocka_unit_test(a_duplicate_is_answered_with_the_first_and_dropped_for_five_minutes),
        cmocka_unit_test(the_body_stands_in_for_a_deduplication_id_where_the_queue_says_so),
        cmocka_unit_test(an_attempt_id_gets_the_same_messages_again),
        cmocka_unit_test(an_attempt_id_is_worth_nothing_once_its_messages_were_touched),
        cmocka_unit_test(an_attempt_id_takes_nothing_from_who_has_it_now),
        cmocka_unit_test(an_expired_receipt_handle_deletes_nothing_and_says_so),
        cmocka_unit_test(messages_name_their_group_and_their_place),
        cmocka_unit_test(calls_beyond_the_queues_rate_are_throttled_by_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
