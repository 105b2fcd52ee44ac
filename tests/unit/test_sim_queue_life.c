/* How the simulated queues lose messages that nobody deleted. */
#include "sim_queue_fixture.h"

static void messages_vanish_at_their_age_wherever_they_are(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *q = sim_sqs_add_queue(&w.sqs, "updates");
    q->attributes.retention = 60;
    struct sim_message *held = sim_queue_send(q, "held");
    expect_received(q, 1, 600, NULL, "held");
    world_run(&w, 30 * SECOND);
    sim_queue_send(q, "young");
    world_run(&w, 31 * SECOND);
    assert_int_equal(sim_client_attributes(q).in_flight, 0);
    assert_true(held->expired && !held->deleted);
    assert_true(delete (held)); /* nothing is there to be deleted, and SQS doesn't mind */
    assert_int_equal(q->deleted, 0);
    expect_received(q, 10, 0, NULL, "young");
    world_run(&w, 60 * SECOND);
    expect_received(q, 10, 30, NULL, "");
    assert_int_equal(q->expired, 2);
    world_done(&w);
}

static struct sim_queue *with_policy(struct sim_queue *q, struct sim_queue *dlq, unsigned count) {
    q->attributes.max_receive_count = count;
    memcpy(q->attributes.dead_letter_target_arn, dlq->attributes.arn, sizeof dlq->attributes.arn);
    return q;
}

static void the_redrive_policy_moves_what_was_received_often_enough(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *dlq = sim_sqs_add_queue(&w.sqs, "dlq"),
                     *q = with_policy(sim_sqs_add_queue(&w.sqs, "updates"), dlq, 2);
    struct sim_message *m = sim_queue_send(q, "x");
    int64_t sent_at = m->sent_at;
    char id[SIM_MESSAGE_ID_SIZE], handle[48];
    memcpy(id, m->id, sizeof id);
    for (int i = 0; i < 2; i++) {
        expect_received(q, 10, 5, NULL, "x");
        world_run(&w, 6 * SECOND);
    }
    handle_of(m, handle, sizeof handle);
    expect_received(q, 10, 5, NULL, "");
    assert_int_equal(q->moved, 1);
    assert_ptr_equal(m->queue, dlq);
    assert_string_equal(m->id, id);
    assert_int_equal(m->sent_at, sent_at);
    assert_true(delete_with(q, handle).ok); /* too late: it is elsewhere */
    expect_received(dlq, 10, 5, NULL, "x");
    world_done(&w);
}

static void a_fifo_message_moves_with_its_group_and_lets_the_next_go(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *dlq = sim_sqs_add_fifo_queue(&w.sqs, "dlq.fifo");
    struct sim_queue *q = with_policy(sim_sqs_add_fifo_queue(&w.sqs, "updates.fifo"), dlq, 1);
    struct sim_message *m = sim_queue_send_fifo(q, "a1", "a", "1");
    int64_t sent_at = m->sent_at;
    expect_received(q, 1, 5, NULL, "a1");
    sim_queue_send_fifo(q, "a2", "a", "2");
    expect_received(q, 10, 5, NULL, "");
    world_run(&w, 6 * SECOND);
    expect_received(q, 10, 5, NULL, "a2");
    assert_ptr_equal(m->queue, dlq);
    assert_string_equal(m->group->id, "a");
    assert_true(m->sent_at > sent_at); /* its age begins anew, on a FIFO queue alone */
    world_done(&w);
}

static void a_move_task_makes_new_messages_of_all_that_is_visible(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 7);
    struct sim_queue *dlq = sim_sqs_add_fifo_queue(&w.sqs, "dlq.fifo"),
                     *q = sim_sqs_add_fifo_queue(&w.sqs, "updates.fifo");
    sim_queue_send_fifo(dlq, "b1", "b", "1");
    expect_received(dlq, 1, 30, NULL, "b1");
    struct sim_message *m = sim_queue_send_fifo(dlq, "a1", "a", "2");
    sim_queue_send_fifo(dlq, "a2", "a", "3");
    assert_int_equal(sim_queue_redrive(dlq, q), 2);
    assert_int_equal(dlq->count, 1);
    const struct sim_message *moved = TAILQ_FIRST(&q->messages);
    assert_string_not_equal(moved->id, m->id);
    assert_string_equal(moved->group_id, "a");
    assert_int_equal(moved->receive_count, 0);
    expect_received(q, 10, 30, NULL, "a1 a2");
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_vanish_at_their_age_wherever_they_are),
        cmocka_unit_test(the_redrive_policy_moves_what_was_received_often_enough),
        cmocka_unit_test(a_fifo_message_moves_with_its_group_and_lets_the_next_go),
        cmocka_unit_test(a_move_task_makes_new_messages_of_all_that_is_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
