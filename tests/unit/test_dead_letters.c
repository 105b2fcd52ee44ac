#include "group_world.h"
#include "sim_sqs_private.h"

static void fault_11_a_source_is_deleted_only_where_the_dlq_acknowledged_it(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 12);
    scene_set(&s, 11, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (uint32_t mask = 0; mask < 1024; mask++) {
        uint64_t calls = s.sqs->send.calls;
        size_t before = s.dlq->count;
        s.sqs->fail_sends = mask;
        for (unsigned i = 0; i < 10; i++)
            scene_send(&s, "{\"id\":\"nobody%u-%u\",\"attributes\":{\"n\":1}}", mask, i);
        STEP_WHILE(&s.world, s.sqs->send.calls == calls);
        world_run(&s.world, 20 * MILLISECOND);
        assert_int_equal(s.sqs->last_send_count, 10);
        assert_int_equal(s.dlq->count - before, 10 - __builtin_popcount(mask));
        scene_empties(&s, 10 * SECOND);
        assert_int_equal(s.dlq->count - before, 10); /* none twice */
    }
    scene_done(&s);
}

static void fault_12_a_dlq_message_whose_source_could_not_be_deleted_has_at_most_a_second_copy(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 2, 1);
    s.sqs->remove.mode = SIM_DOWN;
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    assert_int_equal(s.dlq->count, 1);
    sim_worker_kill(&s.worker);
    s.sqs->remove.mode = SIM_UP;
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 2);
    /* Both redriven, once the record exists: applied once. */
    sim_table_put(s.users, "nobody", "n", "0");
    sim_queue_send(s.queue, scene_dead(&s, 0)->body);
    sim_queue_send(s.queue, scene_dead(&s, 1)->body);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 2);
    scene_done(&s);
}

static void fault_13_while_the_dlq_is_down_healthy_ones_go_on_until_a_quarter_waits(void **state) {
    (void)state;
    static const enum sim_mode modes[] = {SIM_DENIED, SIM_BROKEN};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct scene s;
        scene_init(&s, 3 + i, 100);
        s.worker.options.max_in_flight = 100;
        s.dlq->mode = modes[i];
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 10 * SECOND);
        for (unsigned n = 0; n < 24; n++) {
            scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", n);
            world_run(&s.world, 200 * MILLISECOND);
        }
        for (unsigned n = 0; n < 200; n++)
            scene_set(&s, n % 100, n);
        world_run(&s.world, 10 * SECOND);
        assert_int_equal(s.queue->count, 24); /* the healthy ones went on */
        for (unsigned n = 24; n < 60; n++)
            scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", n);
        world_run(&s.world, 45 * SECOND); /* receives that were out are over */
        for (unsigned n = 0; n < 50; n++)
            scene_set(&s, n % 100, n);
        uint64_t received = s.queue->received;
        world_run(&s.world, HOUR);
        assert_int_equal(s.queue->received, received);
        assert_int_equal(s.dlq->count, 0);
        assert_int_equal(s.dlq->sent, 0);
        s.dlq->mode = SIM_UP;
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 60);
        for (size_t m = 0; m < s.sqs->all_count; m++)
            assert_true(s.sqs->all[m]->receive_count <= 1);
        scene_done(&s);
    }
}

static void no_send_begins_when_the_lease_is_over(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 6, 2);
    s.worker.facts.visibility = 10;
    s.dlq->mode = SIM_BROKEN;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 5 * SECOND);
    s.sqs->change.mode = SIM_DOWN;
    struct sim_message *m =
        scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 5\"}");
    world_run(&s.world, 9500 * MILLISECOND);
    assert_int_equal(scene_status(&s).in_flight, 0); /* left to its next delivery */
    uint64_t attempts = s.sqs->send.executed;
    m->visible_at = s.world.now + 2 * MINUTE;
    world_run(&s.world, MINUTE);
    assert_int_equal(s.sqs->send.executed, attempts);
    assert_int_equal(m->receive_count, 1);
    s.dlq->mode = s.sqs->change.mode = SIM_UP;
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

static void with_room_for_one_a_letter_whose_lease_ran_out_makes_room_for_the_next(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct scene s;
        scene_init(&s, seed, 5);
        s.worker.options.max_in_flight = 1;
        s.worker.facts.visibility = 10;
        s.sqs->send.jitter = s.sqs->change.jitter = 2 * SECOND;
        scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
        scene_set(&s, 0, 1);
        sim_sqs_set_mode(s.sqs, SIM_DOWN);
        s.sqs->receive.mode = SIM_UP;
        scene_start(&s);
        world_run(&s.world, (int64_t)(10 + seed) * SECOND);
        sim_sqs_set_mode(s.sqs, SIM_UP);
        scene_empties(&s, 5 * MINUTE);
        scene_done(&s);
    }
}

static void fault_14_whatever_the_limit_the_envelope_fits_or_gets_plainer(void **state) {
    (void)state;
    static const char body[] = "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}";
    struct scene s;
    size_t wrapped = 0;
    for (int delta = -1; delta <= 1; delta++) {
        for (int pass = 0; pass < (wrapped ? 1 : 2); pass++) {
            scene_init(&s, 7, 1);
            size_t limit = wrapped ? wrapped + (size_t)(1 + delta) - 1 : SQS_MESSAGE_SIZE_MAX;
            s.dlq->attributes.max_message_size = s.worker.facts.dlq.attributes.max_message_size = limit;
            scene_send(&s, "%s", body);
            scene_start(&s);
            scene_empties(&s, MINUTE);
            assert_int_equal(s.dlq->count, 1);
            const struct sim_message *m = scene_dead(&s, 0);
            assert_true(s.sqs->largest_send_entry <= limit);
            if (wrapped) {
                assert_int_equal(!strcmp(m->body, body), delta < 0);
                assert_int_equal(m->error_envelope[0] != '\0', delta < 0);
            }
            wrapped = s.sqs->largest_send_entry > wrapped && !wrapped ? s.sqs->largest_send_entry : wrapped;
            scene_done(&s);
        }
    }
    /* Where nothing fits beside it: the body alone. */
    scene_init(&s, 8, 1);
    s.dlq->attributes.max_message_size = s.worker.facts.dlq.attributes.max_message_size = sizeof body + 10;
    scene_send(&s, "%s", body);
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_string_equal(scene_dead(&s, 0)->body, body);
    assert_int_equal(world_logged(&s.world, "too large for its envelope"), 1);
    scene_done(&s);
}

static void a_form_that_the_dlq_refuses_is_followed_by_a_plainer_one(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 9, 1);
    s.dlq->attributes.max_message_size = 200; /* less than it said at start */
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "RecordNotFoundError");
    assert_string_equal(scene_dead(&s, 0)->error_envelope, "");
    /* Refused in every form: it stays, and comes again in half a minute, then after ever longer. */
    s.dlq->attributes.max_message_size = 10;
    struct sim_message *m = scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    world_run(&s.world, 10 * SECOND);
    assert_int_equal(scene_status(&s).in_flight, 0);
    assert_in_range(m->visible_at - s.world.now, 15 * SECOND, 30 * SECOND);
    assert_int_equal(world_logged(&s.world, "A message fails by itself"), 1);
    assert_int_equal(world_logged(&s.world, "too large for its envelope"), 0); /* it isn't known to be */
    assert_int_equal(world_logged(&s.world, "The DLQ refuses a failed message's envelope"), 1); /* once a minute */
    world_run(&s.world, MINUTE);
    assert_int_equal(world_logged(&s.world, "The DLQ refuses a failed message's envelope"), 2);
    scene_done(&s);
}

static void an_answer_that_nobody_knows_costs_no_message_its_envelope(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 16, 1);
    s.sqs->send.mode = SIM_STRANGE;
    scene_start(&s);
    struct sim_message *m = scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    world_run(&s.world, 5 * MINUTE);
    assert_int_equal(scene_status(&s).in_flight, 1);
    assert_in_range(s.sqs->send.attempts, 5, 60);
    assert_int_equal(world_logged(&s.world, "Sending to the DLQ fails; trying again until it works"), 1);
    assert_int_equal(world_logged(&s.world, "plainer form"), 0);
    s.sqs->send.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    assert_int_equal(m->receive_count, 1);
    assert_non_null(strstr(scene_dead(&s, 0)->body, "\"success\":false"));
    scene_done(&s);
}

static void where_the_way_takes_less_than_a_batch_each_letter_goes_alone_or_in_a_plainer_form(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 17, 1);
    s.sqs->most_send_bytes = 500;
    for (unsigned i = 0; i < 3; i++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", i);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":\"%0300d\"}}", 0);
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 4);
    unsigned wrapped = 0;
    for (size_t i = 0; i < 4; i++)
        wrapped += strstr(scene_dead(&s, i)->body, "\"success\":false") != NULL;
    assert_int_equal(wrapped, 3);
    scene_done(&s);
}

/* The original's own attributes. */
static const struct message_attribute OWN[] = {{{"a", 1}, {"String", 6}, {"x", 1}, false},
                                               {{"b", 1}, {"Binary", 6}, {"AA==", 4}, true}};

static void the_originals_attributes_go_along_also_when_it_comes_back(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 18, 1);
    struct sim_message *m = scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    sim_message_set_attributes(m, OWN, 2);
    sim_message_set(&m->trace_header, SPAN("Root=1-5"));
    scene_start(&s);
    for (unsigned round = 0; round < 3; round++) {
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 1);
        m = scene_dead(&s, 0);
        assert_string_equal(m->error_type, "RecordNotFoundError");
        assert_string_equal(m->trace_header, "Root=1-5");
        assert_int_equal(m->attribute_count, 2);
        for (size_t i = 0; i < 2; i++)
            assert_true(span_equal(m->attributes[i].name, OWN[i].name) &&
                        span_equal(m->attributes[i].value, OWN[i].value));
        assert_int_equal(sim_queue_redrive(s.dlq, s.queue), 1);
    }
    scene_done(&s);
}

/* What the DLQ refuses may be over them: then they stay behind, and the envelope stays. */
static void where_the_dlq_refuses_them_the_envelope_goes_without(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 19, 1);
    sim_message_set_attributes(scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}"), OWN, 2);
    s.sqs->fail_sends = 1;
    s.sqs->fail_as_senders = true;
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    assert_int_equal(scene_dead(&s, 0)->attribute_count, 0);
    assert_non_null(strstr(scene_dead(&s, 0)->body, "\"success\":false"));
    scene_done(&s);
}

/* A group on a standard queue is a share of the consumers (fair queues): it goes along, and stays behind where the DLQ
 * refuses it. */
static void a_fair_queues_group_goes_along_where_the_dlq_takes_it(void **state) {
    (void)state;
    for (unsigned refused = 0; refused < 2; refused++) {
        struct scene s;
        scene_init(&s, 21 + refused, 1);
        struct sim_message *m = scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
        sim_message_set(&m->group_id, SPAN("tenant"));
        s.sqs->fail_sends = refused;
        s.sqs->fail_as_senders = true;
        scene_start(&s);
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 1);
        assert_string_equal(scene_dead(&s, 0)->group_id, refused ? "" : "tenant");
        assert_null(strstr(scene_dead(&s, 0)->body, "group_id"));
        assert_non_null(strstr(scene_dead(&s, 0)->body, "\"success\":false"));
        scene_done(&s);
    }
}

/* Confirming. */
static void a_verdict_is_confirmed_before_the_dlq_and_waits_while_it_cant_be(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 10, 20);
    s.worker.options.max_in_flight = 40;
    s.db->get_item.mode = SIM_DENIED;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 10 * SECOND);
    for (unsigned n = 0; n < 9; n++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", n);
    world_run(&s.world, 10 * SECOND);
    scene_set(&s, 1, 1);
    world_run(&s.world, 5 * SECOND);
    assert_int_equal(s.queue->count, 9);
    assert_int_equal(world_logged(&s.world, "can't be confirmed, and wait"), 1);
    scene_send(&s, "{\"id\":\"nobody9\",\"attributes\":{\"n\":1}}");
    world_run(&s.world, 30 * SECOND);
    scene_set(&s, 1, 2); /* a quarter waits */
    uint64_t received = s.queue->received;
    world_run(&s.world, HOUR);
    assert_in_range(s.queue->received - received, 0, 1);
    assert_int_equal(s.dlq->sent, 0);
    s.db->get_item.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 10);
    assert_int_equal(world_logged(&s.world, "can be confirmed again"), 1);
    assert_int_equal(s.db->get_item.executed, 10);
    scene_done(&s);
}

static void each_change_of_why_the_dlq_or_a_confirmation_fails_is_a_line(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 11, 20);
    s.db->get_item.mode = SIM_DENIED;
    scene_start(&s);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    world_run(&s.world, 2 * MINUTE);
    s.db->get_item.mode = SIM_THROTTLED;
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "can't be confirmed, and wait"), 2);
    s.sqs->send.mode = SIM_DENIED;
    s.db->get_item.mode = SIM_UP;
    world_run(&s.world, 2 * MINUTE);
    s.sqs->send.mode = SIM_THROTTLED;
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "Sending to the DLQ fails; trying again until it works"), 1);
    assert_int_equal(world_logged(&s.world, "Sending to the DLQ fails for another reason now"), 1);
    s.sqs->send.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

static void a_verdict_that_another_delivery_has_overtaken_is_a_success(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 11, 2);
    struct scripted script = {.record = "k1", .code = "ItemCollectionSizeLimitExceeded", .left = FOR_EVER};
    s.worker.options.max_in_flight = 1;
    struct sim_message *m = scene_set(&s, 1, 1);
    scene_start(&s);
    scene_script(&s, &script);
    s.db->get_item.mode = SIM_DENIED;
    world_run(&s.world, 5 * SECOND);
    script.left = 0; /* it works now, and a duplicate comes */
    sim_queue_expose(m);
    assert_true(sim_worker_start(&s.other));
    world_run(&s.world, 5 * SECOND);
    assert_int_equal(s.db->committed, 1);
    s.db->get_item.mode = SIM_UP;
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void I4_a_dlq_send_that_had_to_wait_is_confirmed_anew(void **state) {
    (void)state;
    static const enum sim_mode modes[] = {SIM_BROKEN, SIM_DENIED, SIM_THROTTLED};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct scene s;
        scene_init(&s, 12 + i, 3);
        s.dlq->mode = modes[i];
        scene_start(&s);
        struct sim_message *m[3];
        for (unsigned k = 0; k < 3; k++)
            m[k] = scene_send(&s, "{\"id\":\"k%u\",\"attributes\":{\"n\":8},\"condition_expression\":\"n = 7\"}", k);
        world_run(&s.world, 6 * SECOND);
        assert_int_equal(s.dlq->sent, 0);
        for (unsigned k = 0; k < 2; k++) {
            char key[32];
            snprintf(key, sizeof key, "k%u", k);
            sim_table_put(s.users, key, "n", "7"); /* somebody makes it true, and a duplicate comes to another worker */
            sim_queue_expose(m[k]);
        }
        assert_true(sim_worker_start(&s.other));
        world_run(&s.world, 2 * SECOND);
        assert_int_equal(s.db->committed, 2);
        s.dlq->mode = SIM_UP;
        scene_empties(&s, 2 * MINUTE);
        assert_int_equal(s.dlq->sent, 1); /* the third */
        assert_true(m[2]->deleted && m[2]->receive_count == 1);
        scene_done(&s);
    }
}

/* Without an audit record its token tells, also of one that came back from the DLQ. */
static void I4_an_unaudited_failure_that_had_to_wait_is_tried_anew(void **state) {
    (void)state;
    static const enum sim_mode modes[] = {SIM_BROKEN, SIM_DENIED, SIM_THROTTLED};
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(modes); i++) {
        bool wrapped = i % 2;
        struct scene s;
        scene_init(&s, 30 + i / 2, 3);
        s.invariants.unaudited = true;
        s.dlq->mode = modes[i / 2];
        scene_start(&s);
        struct sim_message *m[3];
        for (unsigned k = 0; k < 3; k++)
            m[k] = wrapped ? scene_send(&s,
                                        "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"body\":\"{"
                                        "\\\"id\\\":\\\"k%u\\\",\\\"attributes\\\":"
                                        "{\\\"n\\\":8},\\\"condition_expression\\\":\\\"n = "
                                        "7\\\",\\\"enable_logging\\\":false}\",\"idempotency_key\":\"key%u\"}}}",
                                        k, k)
                           : scene_send(&s,
                                        "{\"id\":\"k%u\",\"attributes\":{\"n\":8},\"condition_expression\":\"n = "
                                        "7\",\"enable_logging\":false}",
                                        k);
        world_run(&s.world, 6 * SECOND);
        assert_int_equal(s.dlq->sent, 0);
        sim_table_put(s.users, "k0", "n", "7"); /* a duplicate comes to another worker */
        sim_queue_expose(m[0]);
        sim_table_put(s.users, "k1", "n", "7"); /* none does: it is applied now */
        assert_true(sim_worker_start(&s.other));
        world_run(&s.world, 2 * SECOND);
        s.dlq->mode = SIM_UP;
        scene_empties(&s, 2 * MINUTE);
        assert_int_equal(s.db->committed, 2);
        assert_int_equal(s.dlq->sent, 1); /* the third */
        assert_true(m[2]->deleted && m[2]->receive_count == 1);
        scene_done(&s);
    }
}

static void I4_a_failure_whose_update_another_message_applied_here_is_not_sent(void **state) {
    (void)state;
    for (unsigned audited = 0; audited < 2; audited++) {
        struct scene s;
        scene_init(&s, 40 + audited, 3);
        s.invariants.unaudited = !audited;
        s.dlq->mode = SIM_BROKEN;
        scene_start(&s);
        char body[200];
        snprintf(body, sizeof body,
                 "{\"id\":\"k0\",\"attributes\":{\"n\":8},\"condition_expression\":\"n = "
                 "7\",\"idempotency_key\":\"key\",\"enable_logging\":%s}",
                 audited ? "true" : "false");
        scene_send(&s, "%s", body);
        STEP_WHILE(&s.world, s.sqs->send.calls == 0);
        world_run(&s.world, 100 * MILLISECOND); /* it fails, and waits for its next attempt */
        sim_table_put(s.users, "k0", "n", "7");
        scene_send(&s, "%s", body);
        world_run(&s.world, 200 * MILLISECOND);
        assert_int_equal(s.db->committed, 1);
        s.dlq->mode = SIM_UP;
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->sent, 0);
        assert_int_equal(s.db->committed, 1);
        scene_done(&s);
    }
}

static void a_failure_that_is_tried_anew_still_counts_among_the_quarter_that_waits(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 45, 2);
    s.invariants.unaudited = true;
    s.worker.options.max_in_flight = 40;
    s.dlq->mode = SIM_BROKEN;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 5 * SECOND);
    for (unsigned n = 0; n < 10; n++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1},\"enable_logging\":false}", n);
    world_run(&s.world, 30 * SECOND);
    uint64_t received = s.queue->received, tried = s.db->transact.attempts;
    for (unsigned n = 0; n < 5; n++)
        scene_set(&s, 1, n);
    world_run(&s.world, HOUR);
    assert_true(s.db->transact.attempts > tried + 100);
    assert_int_equal(s.queue->received, received);
    assert_int_equal(scene_status(&s).in_flight, 10);
    s.dlq->mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 10);
    scene_done(&s);
}

/* It fails by itself then, or stands behind one that does: only another message's success tells. */
static void a_failure_that_is_tried_anew_keeps_nobody_from_coming_whom_it_needs(void **state) {
    (void)state;
    for (unsigned behind = 0; behind < 2; behind++) {
        struct scene s;
        scene_init(&s, 46 + behind, 3);
        s.invariants.unaudited = true;
        s.worker.options.max_in_flight = behind ? 8 : 4;
        s.worker.options.max_attempts = 1;
        s.dlq->mode = SIM_BROKEN;
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, 5 * SECOND);
        scene_send(
            &s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 7\",\"enable_logging\":false}");
        STEP_WHILE(&s.world, s.sqs->send.calls == 0);
        struct scripted script = {.record = "k1", .status = 400, .code = "AccessDeniedException", .left = FOR_EVER};
        scene_script(&s, &script);
        if (behind)
            scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":2},\"enable_logging\":false}");
        world_run(&s.world, 5 * MINUTE);
        assert_true(script.answered > 0);
        s.dlq->mode = SIM_UP;
        for (unsigned n = 0; s.dlq->count < 1 + behind; n++) {
            assert_true(n < 600);
            scene_send(&s, "{\"id\":\"k2\",\"attributes\":{\"n\":%u},\"enable_logging\":false}", n);
            world_run(&s.world, SECOND);
        }
        scene_empties(&s, MINUTE);
        scene_done(&s);
    }
}

/* Each moment between its last look and the send is one in which another worker may apply it. */
static void I4_an_unaudited_failure_waits_for_no_company(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 50, 1);
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 10 * SECOND);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1},\"enable_logging\":false}");
    uint64_t asked = s.db->transact.executed;
    STEP_WHILE(&s.world, s.db->transact.executed == asked);
    int64_t looked_at = s.world.now;
    STEP_WHILE(&s.world, s.sqs->send.calls == 0);
    assert_in_range(s.world.now - looked_at, 0, s.db->transact.latency + s.db->transact.jitter);
    scene_empties(&s, MINUTE);
    scene_done(&s);
}

static void I4_what_waits_for_a_dlq_that_is_down_costs_next_to_no_reads(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 20, 3);
    s.dlq->mode = SIM_BROKEN;
    scene_start(&s);
    scene_set(&s, 0, 1);
    for (unsigned n = 0; n < 50; n++)
        scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", n);
    world_run(&s.world, HOUR);
    assert_true(s.db->get_item.attempts < 3600 * 3); /* ten for each attempt at the DLQ */
    assert_true(s.sqs->send.attempts < 3600);
    /* And none where DynamoDB is down as well. */
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    scene_set(&s, 0, 2);
    world_run(&s.world, MINUTE);
    uint64_t reads = s.db->get_item.attempts;
    world_run(&s.world, HOUR);
    assert_int_equal(s.db->get_item.attempts, reads);
    sim_dynamodb_set_mode(s.db, SIM_UP);
    s.dlq->mode = SIM_UP;
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->count, 50);
    scene_done(&s);
}

/* Its condition may hold when it comes again; so what follows it must not have run by then. */
static void a_failure_that_is_in_the_dlq_holds_its_group_until_it_is_deleted(void **state) {
    (void)state;
    struct scene s;
    scene_init_fifo(&s, 10, 2);
    sim_queue_send_fifo(s.queue, "{\"id\":\"k1\",\"attributes\":{\"n\":1}}", "another", "proof");
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    sim_queue_send_fifo(s.queue, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 2\"}", "group",
                        "first");
    sim_queue_send_fifo(s.queue, "{\"id\":\"k0\",\"attributes\":{\"n\":2}}", "group", "second");
    s.sqs->remove.mode = SIM_DENIED;
    world_run(&s.world, 20 * SECOND);
    sim_worker_kill(&s.worker);
    assert_int_equal(s.dlq->count, 1);
    s.sqs->remove.mode = SIM_UP;
    scene_start(&s);
    scene_empties(&s, 5 * MINUTE);
    assert_int_equal(scene_n(&s, 0), 2);
    assert_int_equal(s.db->committed, 2);
    scene_done(&s);
}

static void fault_12_what_fails_is_redriven_and_fails_again_within_five_minutes_is_in_the_dlq_again(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 12, 1, 2);
    g.fates[0][0] = FATE_REFUSED;
    grouped_send_all(&g);
    grouped_start(&g);
    scene_empties(&g.scene, MINUTE);
    world_run(&g.scene.world, SECOND);
    const struct sim_message *first = scene_dead(&g.scene, 0);
    /* As a move task does it: the same body in the same group, under new ids. */
    struct sim_message *redriven = sim_queue_send_fifo(g.scene.queue, first->body, first->group_id, "moved");
    scene_empties(&g.scene, MINUTE);
    world_run(&g.scene.world, SECOND);
    assert_int_equal(g.scene.dlq->count, 2);
    assert_int_equal(g.scene.dlq->duplicate_sends, 0);
    const struct sim_message *second = scene_dead(&g.scene, 1);
    assert_string_equal(second->deduplication_id, redriven->id);
    assert_string_equal(second->group_id, "group-0");
    assert_non_null(strstr(second->body, "\"group_id\":\"group-0\""));
    assert_non_null(strstr(second->body, g.messages[0][0]->id));
    assert_true(g.scene.world.now < 5 * MINUTE);
    grouped_done(&g);
}

/* The DLQ has it, and the worker dies before the delete: the next send of the same delivery is recognised. */
static void fault_12_a_send_to_the_dlq_that_is_repeated_leaves_one_copy(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 13, 1, 3);
    g.fates[0][1] = FATE_REFUSED;
    g.scene.sqs->send.lost_answers = 400;
    g.scene.worker.facts.visibility = 10;
    grouped_send_all(&g);
    grouped_start(&g);
    for (unsigned i = 0; i < 5; i++) {
        world_run(&g.scene.world, 200 * MILLISECOND + i * 40 * MILLISECOND);
        sim_worker_kill(&g.scene.worker);
        world_run(&g.scene.world, 11 * SECOND);
        scene_start(&g.scene);
    }
    scene_empties(&g.scene, MINUTE);
    assert_int_equal(g.scene.dlq->count, 1);
    grouped_finish(&g, 0);
}

static void fault_13_while_the_dlq_is_down_the_groups_concerned_wait_and_the_others_go_on(void **state) {
    (void)state;
    static const unsigned rooms[] = {256, 20, 10};
    static const enum sim_mode modes[] = {SIM_DOWN, SIM_DENIED, SIM_BROKEN};
    for (size_t i = 0; i < ARRAY_LENGTH(rooms); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(modes); k++) {
            struct grouped g;
            grouped_init(&g, i + k, 6, 20);
            g.scene.worker.options.max_in_flight = rooms[i];
            g.fates[0][3] = FATE_REFUSED; /* as many as wait without receiving being paused */
            if (rooms[i] >= 20)
                g.fates[4][0] = FATE_MALFORMED;
            g.scene.dlq->mode = modes[k];
            grouped_send_all(&g);
            grouped_start(&g);
            world_run(&g.scene.world, MINUTE);
            if (rooms[i] == 10) /* two that may wait: one is a quarter */
                g.scene.dlq->mode = SIM_UP;
            for (unsigned place = 0; place < g.size && rooms[i] > 10; place++) {
                assert_true(grouped_applied(&g, 1, place) && grouped_applied(&g, 5, place));
                assert_int_equal(grouped_applied(&g, 0, place), place < 3);
                assert_false(grouped_applied(&g, 4, place));
            }
            world_run(&g.scene.world, HOUR);
            assert_int_equal(g.scene.dlq->count, rooms[i] == 10);
            assert_true(g.messages[0][3]->receive_count <= 2);
            g.scene.dlq->mode = SIM_UP;
            grouped_finish(&g, 2 * MINUTE);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_11_a_source_is_deleted_only_where_the_dlq_acknowledged_it),
        cmocka_unit_test(fault_12_a_dlq_message_whose_source_could_not_be_deleted_has_at_most_a_second_copy),
        cmocka_unit_test(fault_13_while_the_dlq_is_down_healthy_ones_go_on_until_a_quarter_waits),
        cmocka_unit_test(no_send_begins_when_the_lease_is_over),
        cmocka_unit_test(with_room_for_one_a_letter_whose_lease_ran_out_makes_room_for_the_next),
        cmocka_unit_test(fault_14_whatever_the_limit_the_envelope_fits_or_gets_plainer),
        cmocka_unit_test(a_form_that_the_dlq_refuses_is_followed_by_a_plainer_one),
        cmocka_unit_test(an_answer_that_nobody_knows_costs_no_message_its_envelope),
        cmocka_unit_test(where_the_way_takes_less_than_a_batch_each_letter_goes_alone_or_in_a_plainer_form),
        cmocka_unit_test(a_verdict_is_confirmed_before_the_dlq_and_waits_while_it_cant_be),
        cmocka_unit_test(each_change_of_why_the_dlq_or_a_confirmation_fails_is_a_line),
        cmocka_unit_test(a_verdict_that_another_delivery_has_overtaken_is_a_success),
        cmocka_unit_test(I4_a_dlq_send_that_had_to_wait_is_confirmed_anew),
        cmocka_unit_test(I4_an_unaudited_failure_that_had_to_wait_is_tried_anew),
        cmocka_unit_test(I4_a_failure_whose_update_another_message_applied_here_is_not_sent),
        cmocka_unit_test(a_failure_that_is_tried_anew_still_counts_among_the_quarter_that_waits),
        cmocka_unit_test(a_failure_that_is_tried_anew_keeps_nobody_from_coming_whom_it_needs),
        cmocka_unit_test(I4_an_unaudited_failure_waits_for_no_company),
        cmocka_unit_test(I4_what_waits_for_a_dlq_that_is_down_costs_next_to_no_reads),
        cmocka_unit_test(a_failure_that_is_in_the_dlq_holds_its_group_until_it_is_deleted),
        cmocka_unit_test(fault_12_what_fails_is_redriven_and_fails_again_within_five_minutes_is_in_the_dlq_again),
        cmocka_unit_test(fault_12_a_send_to_the_dlq_that_is_repeated_leaves_one_copy),
        cmocka_unit_test(fault_13_while_the_dlq_is_down_the_groups_concerned_wait_and_the_others_go_on),
        cmocka_unit_test(the_originals_attributes_go_along_also_when_it_comes_back),
        cmocka_unit_test(where_the_dlq_refuses_them_the_envelope_goes_without),
        cmocka_unit_test(a_fair_queues_group_goes_along_where_the_dlq_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
