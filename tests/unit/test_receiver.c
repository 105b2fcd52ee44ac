#include "group_world.h"

#include "queue_worker_private.h"
#include "retry.h"
#include "sim_sqs_private.h"

static void when_idle_one_long_poll_is_out(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 50);
    scene_start(&s);
    for (unsigned i = 0; i < 2000; i++)
        scene_set(&s, i % 50, i);
    scene_empties(&s, MINUTE);
    world_run(&s.world, MINUTE);
    uint64_t calls = s.sqs->receive.calls;
    world_run(&s.world, 10 * MINUTE);
    assert_int_equal(s.sqs->receives_waiting, 1);
    assert_in_range(s.sqs->receive.calls - calls, 28, 31);
    scene_done(&s);
}

static void a_service_that_asks_for_an_hour_is_asked_again_within_half_a_minute(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 50);
    scene_start(&s);
    world_run(&s.world, MINUTE);
    s.sqs->receive.mode = SIM_PROXY;
    s.sqs->receive.retry_after = HOUR;
    STEP_WHILE(&s.world, s.sqs->receive.refused == 0);
    s.sqs->receive.mode = SIM_UP;
    scene_set(&s, 0, 1);
    scene_empties(&s, 30 * SECOND);
    scene_done(&s);
}

static void answers_that_hold_nothing_usable_are_asked_for_ever_more_rarely_and_told_once(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 4, 50);
    scene_start(&s);
    world_run(&s.world, MINUTE);
    s.sqs->corrupts = true;
    uint64_t before = s.sqs->receive.calls;
    world_run(&s.world, 10 * MINUTE);
    assert_in_range(s.sqs->receive.calls - before, 30, 120);
    assert_int_equal(world_logged(&s.world, "Receiving fails"), 1);
    s.sqs->corrupts = false;
    scene_set(&s, 0, 1);
    scene_empties(&s, 30 * SECOND);
    assert_int_equal(world_logged(&s.world, "Receiving works again"), 1);
    scene_done(&s);
}

static void the_number_of_messages_held_is_never_exceeded(void **state) {
    (void)state;
    static const unsigned bounds[] = {1, 2, 3, 10, 11, 64, 256};
    for (size_t i = 0; i < ARRAY_LENGTH(bounds); i++) {
        struct scene s;
        scene_init(&s, i, 50);
        s.worker.options.max_in_flight = bounds[i];
        scene_start(&s);
        for (unsigned n = 0; n < 400; n++)
            scene_set(&s, n % 50, n);
        unsigned most = 0;
        while (s.queue->count) {
            assert_true(world_step(&s.world));
            unsigned taken = scene_status(&s).in_flight;
            most = taken > most ? taken : most;
            assert_true(s.world.now < HOUR);
        }
        assert_true(most <= bounds[i]);
        assert_true(2 * most >= bounds[i] || bounds[i] > 64);
        scene_done(&s);
    }
}

/* A message takes a receive, a transaction and a deletion here: 9 ms; one that fails is sent to the DLQ in between. */
static int64_t time_of_forty_rounds(unsigned max_in_flight, unsigned fails_one_in) {
    struct scene s;
    scene_init(&s, max_in_flight, 50);
    s.worker.options.max_in_flight = max_in_flight;
    s.db->transact.latency = 5 * MILLISECOND;
    s.sqs->receive.latency = s.sqs->remove.latency = s.sqs->send.latency = 2 * MILLISECOND;
    s.db->transact.jitter = s.sqs->receive.jitter = s.sqs->remove.jitter = s.sqs->send.jitter = 0;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 10 * SECOND);
    int64_t began = s.world.now;
    for (unsigned n = 0; n < 40 * max_in_flight; n++) {
        if (fails_one_in && n % fails_one_in == 0)
            scene_send(&s, "{\"id\":\"k%u\"}", n);
        else
            scene_set(&s, n % 50, n);
    }
    scene_empties(&s, MINUTE);
    int64_t took = s.world.now - began;
    scene_done(&s);
    return took;
}

static void however_few_may_be_held_none_waits_for_company_that_cannot_come(void **state) {
    (void)state;
    static const unsigned bounds[] = {1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 15, 16, 19, 20, 25, 29, 32};
    for (size_t i = 0; i < ARRAY_LENGTH(bounds); i++) {
        int64_t least = 40 * 9 * MILLISECOND, took = time_of_forty_rounds(bounds[i], 0);
        if (took > least * 4 / 3)
            fail_msg("%u in flight: %.2f times as long as the calls alone", bounds[i], (double)took / (double)least);
        took = time_of_forty_rounds(bounds[i], 4);
        if (took > least * 8 / 5)
            fail_msg("%u in flight, a quarter fails: %.2f times", bounds[i], (double)took / (double)least);
    }
}

static void the_bytes_of_bodies_held_are_never_exceeded(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 9, 3);
    char *body = malloc((size_t)1 << 20);
    assert_non_null(body);
    s.db->transact.latency = MINUTE; /* all that may be is held */
    scene_start(&s);
    scene_set(&s, 0, 1);
    s.db->transact.latency = 10 * MILLISECOND;
    scene_empties(&s, 5 * MINUTE);
    s.db->transact.latency = 10 * MINUTE;
    for (unsigned i = 0; i < 100; i++) {
        /* White space is none of the record's size. */
        int head = snprintf(body, 200, "{\"id\":\"x%u\",\"attributes\":{\"n\":1}", i);
        memset(body + head, ' ', 1000000 - (size_t)head);
        memcpy(body + 1000000, "}", 2);
        sim_queue_send(s.queue, body);
    }
    world_run(&s.world, MINUTE);
    assert_in_range(scene_status(&s).in_flight, 50, 67);
    free(body);
    scene_done(&s);
}

static void the_end_of_an_outage_is_seen_on_an_empty_queue_too(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 40; seed++) {
        struct scene s;
        scene_init(&s, seed, 1);
        scene_start(&s);
        scene_set(&s, 0, 1);
        world_run(&s.world, 5 * MINUTE); /* long polls, of an empty queue */
        s.sqs->receive.mode = SIM_SILENT;
        world_run(&s.world, 6 * MINUTE + seed * SECOND);
        assert_int_equal(world_logged(&s.world, "Receiving fails"), 1);
        s.sqs->receive.mode = SIM_UP;
        world_run(&s.world, 45 * SECOND);
        assert_int_equal(world_logged(&s.world, "Receiving works again"), 1);
        scene_done(&s);
    }
}

static void attributes_count_among_the_bytes_held(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 9, 3);
    char *value = malloc(1000000);
    assert_non_null(value);
    memset(value, 'v', 1000000);
    const struct message_attribute large = {{"large", 5}, {"String", 6}, {value, 1000000}, false};
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 5 * MINUTE);
    s.db->transact.latency = 10 * MINUTE; /* all that may be is held */
    for (unsigned i = 0; i < 100; i++)
        sim_message_set_attributes(scene_send(&s, "{\"id\":\"x%u\",\"attributes\":{\"n\":1}}", i), &large, 1);
    world_run(&s.world, MINUTE);
    assert_in_range(scene_status(&s).in_flight, 50, 67);
    free(value);
    scene_done(&s);
}

static void receiving_that_fails_is_tried_again_with_pauses(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 10, 50);
    scene_start(&s);
    for (unsigned i = 0; i < 500; i++)
        scene_set(&s, i % 50, i);
    world_run(&s.world, 250 * MILLISECOND);
    s.sqs->receive.mode = SIM_PROXY;
    world_run(&s.world, 30 * SECOND);
    assert_true(queue_worker_status(s.worker.worker).held);
    uint64_t calls = s.sqs->receive.calls;
    world_run(&s.world, HOUR);
    assert_in_range(s.sqs->receive.calls - calls, 180, 1000);
    assert_int_equal(world_logged(&s.world, "Receiving fails"), 1);
    s.sqs->receive.mode = SIM_UP;
    world_run(&s.world, 45 * SECOND);
    scene_empties(&s, SECOND);
    assert_int_equal(world_logged(&s.world, "Receiving works again"), 1);
    scene_done(&s);
}

static void each_change_of_why_receiving_fails_is_a_line(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 12, 50);
    scene_start(&s);
    world_run(&s.world, 30 * SECOND);
    s.sqs->receive.mode = SIM_PROXY;
    world_run(&s.world, 2 * MINUTE);
    s.sqs->receive.mode = SIM_DENIED;
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "Receiving fails; trying again"), 1);
    assert_int_equal(world_logged(&s.world, "Receiving fails for another reason now"), 1);
    assert_int_equal(world_logged(&s.world, "AccessDenied"), 1);
    s.sqs->receive.mode = SIM_DOWN;
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "Receiving fails for another reason now"), 2);
    s.sqs->receive.mode = SIM_UP;
    world_run(&s.world, 45 * SECOND);
    assert_int_equal(world_logged(&s.world, "Receiving works again"), 1);
    scene_done(&s);
}

static void a_short_failure_of_all_polls_at_once_costs_no_long_pause(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 11, 50);
    scene_start(&s);
    for (unsigned i = 0; i < 5000; i++)
        scene_set(&s, i % 50, i);
    world_run(&s.world, SECOND);
    s.sqs->receive.mode = SIM_PROXY;
    world_run(&s.world, 30 * MILLISECOND);
    s.sqs->receive.mode = SIM_UP;
    uint64_t received = s.queue->received;
    world_run(&s.world, 1500 * MILLISECOND);
    assert_true(s.queue->received > received);
    scene_done(&s);
}

static void a_server_that_does_not_wait_is_not_asked_without_end(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 12, 50);
    s.sqs->never_waits = true;
    scene_start(&s);
    world_run(&s.world, MINUTE);
    assert_in_range(s.sqs->receive.calls, 50, 70);
    scene_set(&s, 0, 1);
    scene_empties(&s, 3 * SECOND);
    scene_done(&s);
}

/* Its pause after an empty answer and the one after a failure are of one timer. */
static void a_server_that_does_not_wait_and_fails_at_times_is_asked_on(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct scene s;
        scene_init(&s, seed, 50);
        s.sqs->never_waits = true;
        s.sqs->receive.lost_requests = 300;
        scene_start(&s);
        for (unsigned round = 0; round < 4; round++) {
            for (unsigned i = 0; i < 60; i++)
                scene_set(&s, i % 50, i);
            scene_empties(&s, 5 * MINUTE);
        }
        scene_done(&s);
    }
}

static void with_max_rate_only_a_few_seconds_worth_is_held(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 13, 50);
    s.worker.options.max_rate = 10;
    scene_start(&s);
    for (unsigned i = 0; i < 500; i++)
        scene_set(&s, i % 50, i);
    world_run(&s.world, 20 * SECOND);
    assert_in_range(scene_status(&s).in_flight, 10, 40);
    scene_done(&s);
}

static void a_lost_answer_costs_a_delivery_and_no_more(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 14, 50);
    s.sqs->receive.lost_answers = 300;
    for (unsigned i = 0; i < 100; i++)
        scene_set(&s, i % 50, i);
    scene_start(&s);
    scene_empties(&s, HOUR);
    assert_int_equal(s.db->committed, 100);
    scene_done(&s);
}

/* 300 a second of each action is all that a FIFO queue takes from everyone. */
static void on_a_fifo_queue_calls_stay_below_its_rate_and_batches_are_full(void **state) {
    (void)state;
    static const unsigned shapes[][2] = {{60, 60}, {5, 60}, {1, 60}};
    for (int unaudited = 0; unaudited < 2; unaudited++)
        for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
            struct grouped g;
            grouped_init(&g, i, shapes[i][0], shapes[i][1]);
            g.unaudited = unaudited;
            g.scene.queue->calls_per_second = 300;
            g.scene.sqs->receive.latency = g.scene.sqs->remove.latency = 2 * MILLISECOND;
            g.scene.sqs->receive.jitter = g.scene.sqs->remove.jitter = 0;
            g.scene.db->transact.latency = 5 * MILLISECOND;
            grouped_send_all(&g);
            grouped_start(&g);
            scene_empties(&g.scene, MINUTE);
            assert_int_equal(world_logged(&g.scene.world, "fails"), 0);
            unsigned count = g.groups * g.size;
            /* Without audit a group of its own waits for each of its deletes. */
            unsigned fill = g.groups >= 10 ? 9 : unaudited ? 1 : 4;
            assert_true(g.scene.sqs->receive.calls <= count / 9 + 20);
            assert_true(g.scene.sqs->remove.calls <= count / fill);
            grouped_finish(&g, 0);
        }
}

/* An update of k0 … k49, whose body has that many bytes: white space is none of the record's size. */
static struct sim_message *send_large(struct scene *s, unsigned n, size_t bytes) {
    char *body = malloc(bytes + 1);
    assert_non_null(body);
    int head = snprintf(body, bytes, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}", n % 50, n);
    memset(body + head, ' ', bytes - 1 - (size_t)head);
    memcpy(body + bytes - 1, "}", 2);
    struct sim_message *m = sim_queue_send(s->queue, body);
    free(body);
    return m;
}

static void fault_32_what_comes_slowly_comes_once(void **state) {
    (void)state;
    static const struct {
        unsigned visibility, messages;
        int64_t rate; /* bytes a second in all */
    } cases[] = {{30, 40, 150000}, {10, 40, 500000}, {43200, 40, 150000}, {60, 100, 100000}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        struct sim_message *m[100];
        scene_init(&s, i, 50);
        s.worker.facts.visibility = cases[i].visibility;
        s.sqs->receive.bytes_per_second = cases[i].rate;
        for (unsigned n = 0; n < cases[i].messages; n++)
            m[n] = send_large(&s, n, 200000);
        scene_start(&s);
        scene_empties(&s, cases[i].messages * 200000 * SECOND / cases[i].rate + 10 * SECOND);
        for (unsigned n = 0; n < cases[i].messages; n++)
            assert_int_equal(m[n]->receive_count, 1);
        scene_done(&s);
    }
}

/* Something on the way lets no answer pass that holds this message. */
struct stopper {
    size_t index;
    enum sim_path path;
    unsigned stopped;
};

static enum sim_path stop_answer(void *ctx, const struct sim_call *base, bool executed) {
    struct stopper *stopper = ctx;
    const struct sqs_call *call = (const struct sqs_call *)base;
    for (size_t i = 0; executed && i < call->count; i++) {
        if (call->given[i] == stopper->index) {
            stopper->stopped++;
            return stopper->path;
        }
    }
    return SIM_PATH_CLEAR;
}

static void stop_answers_with(struct scene *s, struct stopper *stopper, const struct sim_message *m) {
    stopper->index = m->index;
    s->sqs->receive.path = stop_answer;
    s->sqs->receive.path_ctx = stopper;
}

static const enum sim_path stops[] = {SIM_PATH_TOO_LARGE, SIM_PATH_FORBIDDEN,    SIM_PATH_UNAVAILABLE,
                                      SIM_PATH_RESET,     SIM_PATH_OVER_CEILING, SIM_PATH_SILENT};

/* How long the others take, and how often each was received. */
static void fault_32_a_message_that_no_answer_can_hold_stops_no_other(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stops); i++) {
        struct scene s;
        struct sim_message *m[200];
        struct stopper stopper = {.path = stops[i]};
        scene_init(&s, i, 200);
        scene_start(&s);
        struct sim_message *bad = scene_set(&s, 199, 1);
        stop_answers_with(&s, &stopper, bad);
        for (unsigned n = 0; n < 199; n++)
            m[n] = scene_set(&s, n, n);
        /* Those that were in an answer with it are hidden for half a minute. */
        while (s.queue->count > 1) {
            assert_true(world_step(&s.world));
            assert_true(s.world.now < 40 * SECOND);
        }
        for (unsigned n = 0; n < 199; n++)
            assert_true(m[n]->receive_count <= 2);
        world_run(&s.world, 10 * MINUTE);
        assert_in_range(stopper.stopped, 10, 30); /* each time that it is visible */
        assert_true(world_logged(&s.world, "Receiving fails") <= 2);
        s.sqs->receive.path = NULL;
        scene_empties(&s, MINUTE); /* and it comes when it can */
        assert_int_equal(s.dlq->count, 0);
        scene_done(&s);
    }
}

/* Receives have failed, so that one at a time is out; and that one is silent for a message's sake. So it is where none
 * has come at all. */
static void fault_32_a_silent_receive_keeps_nobody_waiting_though_others_failed_before(void **state) {
    (void)state;
    for (unsigned proven = 0; proven < 2; proven++) {
        struct scene s;
        struct stopper stopper = {.path = SIM_PATH_SILENT};
        scene_init(&s, 7, 50);
        scene_start(&s);
        if (proven)
            scene_set(&s, 2, 1);
        world_run(&s.world, 2 * MINUTE);
        s.sqs->receive.mode = SIM_SILENT;
        world_run(&s.world, 2 * MINUTE);
        s.sqs->receive.mode = SIM_UP;
        stop_answers_with(&s, &stopper, scene_set(&s, 0, 1));
        STEP_WHILE(&s.world, stopper.stopped == 0);
        scene_set(&s, 1, 1);
        int64_t sent_at = s.world.now;
        STEP_WHILE(&s.world, s.queue->count > 1);
        assert_true(s.world.now - sent_at < 24 * SECOND); /* the longest wait, and a little */
        s.sqs->receive.path = NULL;
        scene_empties(&s, 2 * MINUTE);
        scene_done(&s);
    }
}

static void fault_32_on_a_fifo_queue_it_stops_its_own_group_alone(void **state) {
    (void)state;
    struct scene s;
    struct stopper stopper = {.path = SIM_PATH_RESET};
    scene_init_fifo(&s, 5, 60);
    scene_start(&s);
    for (unsigned n = 0; n < 120; n++) {
        char body[100], group[16], id[16];
        snprintf(body, sizeof body, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u}}", n / 2, n);
        snprintf(group, sizeof group, "g%u", n / 2);
        snprintf(id, sizeof id, "d%u", n);
        struct sim_message *m = sim_queue_send_fifo(s.queue, body, group, id);
        if (n == 40)
            stop_answers_with(&s, &stopper, m);
    }
    while (s.queue->count > 2) {
        assert_true(world_step(&s.world));
        assert_true(s.world.now < 90 * SECOND);
    }
    assert_int_equal(scene_n(&s, 20), 0);
    s.sqs->receive.path = NULL;
    scene_empties(&s, MINUTE);
    assert_int_equal(scene_n(&s, 20), 41);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

/* Three a second, for minutes: how late are they? Returns the 99th of a hundred, in microseconds. */
static int64_t lateness_beside(enum sim_path path, bool is_bad_there) {
    struct scene s;
    struct stopper stopper = {.path = path};
    int64_t late[900];
    size_t count = 0;
    scene_init(&s, 7, 50);
    scene_start(&s);
    stop_answers_with(&s, &stopper, scene_set(&s, 0, 1));
    if (!is_bad_there)
        s.sqs->receive.path = NULL;
    world_run(&s.world, 5 * SECOND);
    for (unsigned n = 0; n < ARRAY_LENGTH(late); n++) {
        uint64_t before = s.db->committed;
        int64_t sent = s.world.now, next = sent + SECOND / 3;
        scene_set(&s, 1 + n % 49, n);
        while (s.db->committed == before && s.world.now < next)
            assert_true(world_step(&s.world));
        if (s.db->committed > before)
            late[count++] = s.world.now - sent;
        world_run(&s.world, next - s.world.now);
    }
    assert_true(count * 100 >= ARRAY_LENGTH(late) * 98);
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && late[k] < late[k - 1]; k--) {
            int64_t swap = late[k];
            late[k] = late[k - 1];
            late[k - 1] = swap;
        }
    assert_true(is_bad_there == (stopper.stopped > 0));
    s.sqs->receive.path = NULL;
    scene_empties(&s, MINUTE);
    scene_done(&s);
    return late[count * 98 / 100];
}

static void fault_32_beside_a_message_that_no_answer_can_hold_the_others_are_as_early(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(stops); i++)
        assert_true(lateness_beside(stops[i], true) <= 2 * lateness_beside(stops[i], false));
}

static void a_queue_of_small_messages_is_received_at_full_width_though_large_ones_are_allowed(void **state) {
    (void)state;
    uint64_t received[2];
    for (unsigned small = 0; small < 2; small++) {
        struct scene s;
        scene_init(&s, 3, 50);
        s.worker.options.max_in_flight = 10000;
        s.sqs->receive.latency = 100 * MILLISECOND;
        s.sqs->receive.jitter = 0;
        s.worker.facts.queue.attributes.max_message_size = small ? 2048 : SQS_MESSAGE_SIZE_MAX;
        for (unsigned n = 0; n < 9000; n++)
            scene_set(&s, n % 50, n);
        scene_start(&s);
        world_run(&s.world, 3 * SECOND);
        received[small] = s.queue->received;
        scene_done(&s);
    }
    assert_int_equal(received[0], received[1]);
    assert_true(received[0] > 3000);
}

/* Bodies of a few hundred bytes, and then all at once as large as they may be. */
static void bodies_that_are_larger_than_those_before_are_held_up_to_the_bound(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 31, 50);
    s.worker.options.max_in_flight = 10000;
    s.sqs->receive.latency = 50 * MILLISECOND;
    s.sqs->receive.jitter = 0;
    scene_start(&s);
    for (unsigned n = 0; n < 2000; n++)
        scene_set(&s, n % 50, n);
    for (unsigned n = 0; n < 200; n++)
        (void)send_large(&s, n, SQS_MESSAGE_SIZE_MAX);
    s.db->transact.latency = 100 * MILLISECOND;
    size_t most = 0;
    while (s.queue->count > 0) {
        assert_true(world_step(&s.world));
        size_t bytes = s.worker.worker ? s.worker.worker->intake.messages.bytes : 0;
        most = bytes > most ? bytes : most;
        assert_true(s.world.now < 10 * MINUTE);
    }
    assert_in_range(most, (size_t)40 << 20, (size_t)64 << 20);
    assert_int_equal(s.dlq->count, 0);
    for (size_t i = 0; i < s.sqs->all_count; i++)
        assert_true(s.sqs->all[i]->receive_count <= 2);
    scene_done(&s);
}

/* Our own ceiling is 10,000 (MAX_IN_FLIGHT), SQS's 120,000 for all together: many processes may reach it. */
static void fault_24_beyond_the_in_flight_cap_receives_come_back_empty_and_cost_no_spin(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 24, 200);
    s.queue->in_flight_max = 50;
    s.worker.options.until_empty = true;
    for (unsigned i = 0; i < 400; i++)
        scene_set(&s, i % 200, i);
    scene_start(&s);
    assert_true(sim_worker_start(&s.other));
    world_run(&s.world, 100 * MILLISECOND);
    s.db->transact.latency = 20 * SECOND; /* all that may be in flight is */
    world_run(&s.world, 10 * SECOND);
    uint64_t calls = s.sqs->receive.calls;
    for (unsigned i = 0; i < 60; i++) {
        world_run(&s.world, SECOND);
        assert_true(sim_queue_count(s.queue).in_flight <= 50);
    }
    assert_true(s.sqs->receive.calls - calls <= 2 * 60 * 2);
    assert_false(s.worker.ended); /* an empty answer is no empty queue */
    s.db->transact.latency = 10 * MILLISECOND;
    scene_ends(&s, 5 * MINUTE, outcome_of(ENDED_WELL));
    assert_int_equal(s.queue->count, 0);
    assert_int_equal(s.db->committed, 400);
    scene_done(&s);
}

/* Not every answer to it is silent. */
static void fault_24_an_over_limit_answer_is_waited_out(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 25, 20);
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    s.queue->mode = SIM_THROTTLED; /* a code of the same kind */
    scene_set(&s, 1, 1);
    uint64_t calls = s.sqs->receive.calls;
    world_run(&s.world, 10 * MINUTE);
    assert_true(s.sqs->receive.calls - calls <= 10 * 60 / 5);
    assert_int_equal(retry_classify(403, "OverLimit", true), CALL_THROTTLED);
    s.queue->mode = SIM_UP;
    scene_empties(&s, MINUTE);
    scene_done(&s);
}

static void what_became_of_a_call_without_an_answer_is_told(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 13, 50);
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, MINUTE);
    struct sim_operation *const operations[] = {&s.sqs->remove, &s.sqs->receive, &s.sqs->send, &s.db->get_item};
    static const char *const told[] = {"Deleting messages fails", "Receiving fails", "Sending to the DLQ fails",
                                       "Failures can't be confirmed"};
    for (size_t i = 0; i < ARRAY_LENGTH(operations); i++) {
        world_forget_log(&s.world);
        operations[i]->mode = SIM_DOWN;
        scene_set(&s, 1, (unsigned)i + 1);
        scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
        world_run(&s.world, MINUTE);
        assert_int_equal(world_logged(&s.world, told[i]), 1);
        assert_int_equal(world_logged(&s.world, "why=\"" SIM_NO_CONNECTION "\""), 1);
        operations[i]->mode = SIM_UP;
        world_run(&s.world, 5 * MINUTE);
    }
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_idle_one_long_poll_is_out),
        cmocka_unit_test(a_service_that_asks_for_an_hour_is_asked_again_within_half_a_minute),
        cmocka_unit_test(answers_that_hold_nothing_usable_are_asked_for_ever_more_rarely_and_told_once),
        cmocka_unit_test(the_number_of_messages_held_is_never_exceeded),
        cmocka_unit_test(however_few_may_be_held_none_waits_for_company_that_cannot_come),
        cmocka_unit_test(the_bytes_of_bodies_held_are_never_exceeded),
        cmocka_unit_test(the_end_of_an_outage_is_seen_on_an_empty_queue_too),
        cmocka_unit_test(attributes_count_among_the_bytes_held),
        cmocka_unit_test(receiving_that_fails_is_tried_again_with_pauses),
        cmocka_unit_test(each_change_of_why_receiving_fails_is_a_line),
        cmocka_unit_test(what_became_of_a_call_without_an_answer_is_told),
        cmocka_unit_test(a_short_failure_of_all_polls_at_once_costs_no_long_pause),
        cmocka_unit_test(a_server_that_does_not_wait_is_not_asked_without_end),
        cmocka_unit_test(a_server_that_does_not_wait_and_fails_at_times_is_asked_on),
        cmocka_unit_test(with_max_rate_only_a_few_seconds_worth_is_held),
        cmocka_unit_test(a_lost_answer_costs_a_delivery_and_no_more),
        cmocka_unit_test(fault_32_what_comes_slowly_comes_once),
        cmocka_unit_test(fault_32_a_message_that_no_answer_can_hold_stops_no_other),
        cmocka_unit_test(fault_32_a_silent_receive_keeps_nobody_waiting_though_others_failed_before),
        cmocka_unit_test(fault_32_on_a_fifo_queue_it_stops_its_own_group_alone),
        cmocka_unit_test(fault_32_beside_a_message_that_no_answer_can_hold_the_others_are_as_early),
        cmocka_unit_test(a_queue_of_small_messages_is_received_at_full_width_though_large_ones_are_allowed),
        cmocka_unit_test(bodies_that_are_larger_than_those_before_are_held_up_to_the_bound),
        cmocka_unit_test(fault_24_beyond_the_in_flight_cap_receives_come_back_empty_and_cost_no_spin),
        cmocka_unit_test(fault_24_an_over_limit_answer_is_waited_out),
        cmocka_unit_test(on_a_fifo_queue_calls_stay_below_its_rate_and_batches_are_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
