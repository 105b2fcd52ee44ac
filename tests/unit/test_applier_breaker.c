#include "worker_world.h"

static void load(struct scene *s, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        scene_set(s, i % 200, i);
}

static uint64_t calls_of(const struct scene *s) {
    return s->db->transact.attempts + s->db->get_item.attempts + s->db->put_item.attempts + s->db->describe.attempts;
}

/* From the beginning, but for what was on its way: no second has more than one call of any kind. */
static void assert_only_probes(struct scene *s, int64_t duration) {
    for (int64_t until = s->world.now + duration; s->world.now < until;) {
        uint64_t calls = calls_of(s);
        world_run(&s->world, SECOND);
        if (calls_of(s) > calls + 1)
            fail_msg("%llu calls in the second to %.1f s, mode %d\n%.2000s", (unsigned long long)(calls_of(s) - calls),
                     (double)s->world.now / 1e6, (int)s->db->transact.mode,
                     s->world.log_text.data ? s->world.log_text.data : "");
    }
}

struct outage {
    enum sim_mode mode;
    int64_t unnoticed; /* until the first failure is there, and the first tries after it have failed too */
    bool by_itself; /* it may look like the messages' own fault: one more is received, at last once a minute */
};

static const struct outage outages[] = {{SIM_DOWN, SECOND, false},          {SIM_PROXY, SECOND, true},
                                        {SIM_BROKEN, SECOND, true},         {SIM_EXPIRED, SECOND, false},
                                        {SIM_THROTTLED, 10 * SECOND, true}, /* is found out by the adaptive_rate: its
                                                                               own tests count that */
                                        {SIM_SILENT, 22 * SECOND, true}};

static void fault_16_an_outage_of_three_hours_costs_a_probe_a_second_at_most_and_next_to_no_receive(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(outages); i++) {
        struct scene s;
        scene_init(&s, i, 200);
        scene_start(&s);
        for (unsigned n = 0; n < 10; n++)
            scene_send(&s, "{\"id\":\"nobody%u\",\"attributes\":{\"n\":1}}", n); /* some are being confirmed */
        load(&s, 2000);
        world_run(&s.world, 200 * MILLISECOND);
        assert_in_range(s.db->committed, 10, 1500);
        sim_dynamodb_set_mode(s.db, outages[i].mode);
        world_run(&s.world, outages[i].unnoticed);
        uint64_t dead = s.dlq->sent, receives = s.sqs->receive.calls, calls = calls_of(&s);
        assert_only_probes(&s, 3 * HOUR);
        assert_true(calls_of(&s) - calls >= 3 * 3600 / 40); /* and it goes on asking */
        assert_true(scene_status(&s).held);
        assert_true(s.sqs->receive.calls - receives <= (outages[i].by_itself ? 3 * 60 + 4 : 0));
        assert_int_equal(s.dlq->sent, dead);
        sim_dynamodb_set_mode(s.db, SIM_UP);
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->sent, 10);
        for (size_t m = 0; m < 2010; m++)
            assert_int_equal(s.sqs->all[m]->receive_count, 1);
        scene_done(&s);
    }
}

/* Few messages: each failure comes while no other is under way. */
static void fault_16_an_outage_under_light_load_costs_a_probe_a_second_at_most(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(outages); i++) {
        struct scene s;
        scene_init(&s, 100 + i, 200);
        scene_start(&s);
        scene_trickle(&s, 1, 30 * MILLISECOND, 5 * SECOND);
        sim_dynamodb_set_mode(s.db, outages[i].mode);
        scene_trickle(&s, 1, 30 * MILLISECOND, outages[i].unnoticed);
        load(&s, 300);
        assert_only_probes(&s, 10 * MINUTE);
        assert_int_equal(s.dlq->sent, 0);
        sim_dynamodb_set_mode(s.db, SIM_UP);
        scene_empties(&s, 5 * MINUTE); /* a record that was hot for so long takes its time */
        scene_done(&s);
    }
}

static uint64_t commits_in(struct scene *s, int64_t window) {
    uint64_t before = s->db->committed;
    world_run(&s->world, window);
    return s->db->committed - before;
}

/* Begins with much to do. Returns the commits of a tenth of a second in full flow. */
static uint64_t start_in_full_flow(struct scene *s, uint64_t seed) {
    scene_init(s, seed, 200);
    scene_start(s);
    load(s, 8000);
    world_run(&s->world, 500 * MILLISECOND);
    return commits_in(s, 100 * MILLISECOND);
}

static void assert_rate_is_back(struct scene *s, uint64_t rate, int64_t within) {
    int64_t since = s->world.now;
    while (10 * commits_in(s, 100 * MILLISECOND) < 9 * rate)
        assert_true(s->world.now - since < within);
}

static void fault_16_after_an_outage_the_rate_is_back_within_a_minute(void **state) {
    (void)state;
    for (uint64_t seed = 9; seed < 12; seed++) {
        struct scene s;
        uint64_t rate = start_in_full_flow(&s, seed);
        assert_true(rate > 200);
        sim_dynamodb_set_mode(s.db, SIM_DOWN);
        world_run(&s.world, 30 * MINUTE);
        sim_dynamodb_set_mode(s.db, SIM_UP);
        assert_rate_is_back(&s, rate, MINUTE);
        scene_done(&s);
    }
}

/* What the adaptive_rate noted of the throttle is out of date when a hold ends that outlasted it. */
static void fault_16_after_a_throttle_that_became_an_outage_the_rate_is_back_within_a_minute(void **state) {
    (void)state;
    for (uint64_t seed = 20; seed < 26; seed++) {
        struct scene s;
        uint64_t rate = start_in_full_flow(&s, seed);
        scene_empties(&s, MINUTE);
        sim_dynamodb_set_mode(s.db, SIM_THROTTLED);
        scene_trickle(&s, 1, 300 * MILLISECOND, 5 * SECOND);
        sim_dynamodb_set_mode(s.db, SIM_DOWN);
        world_run(&s.world, 6 * SECOND);
        load(&s, 10000);
        sim_dynamodb_set_mode(s.db, SIM_UP);
        assert_rate_is_back(&s, rate, 40 * SECOND);
        scene_done(&s);
    }
}

static void fault_16_an_outage_at_start_holds_one_message(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 10, 200);
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    load(&s, 100);
    scene_start(&s);
    world_run(&s.world, HOUR);
    assert_int_equal(s.queue->received, 1);
    sim_dynamodb_set_mode(s.db, SIM_UP);
    scene_empties(&s, MINUTE);
    scene_done(&s);
}

static void denied_access_for_all_holds_them_and_tries_one_more_ever_more_rarely(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 11, 200);
    s.db->transact.mode = SIM_DENIED;
    load(&s, 100);
    scene_start(&s);
    world_run(&s.world, 30 * MINUTE);
    assert_in_range(s.queue->received, 30, 34);
    assert_int_equal(s.dlq->sent, 0);
    assert_true(s.db->transact.attempts <= 30 * 60);
    s.db->transact.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void denied_access_in_full_flow_sends_nothing_to_the_dlq_even_after_many_deliveries(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 12, 200);
    scene_start(&s);
    load(&s, 2000);
    for (size_t i = 0; i < s.sqs->all_count; i++)
        s.sqs->all[i]->receive_count = 50;
    world_run(&s.world, 300 * MILLISECOND);
    for (unsigned round = 0; round < 5; round++) {
        s.db->transact.mode = SIM_DENIED;
        world_run(&s.world, 10 * MINUTE);
        s.db->transact.mode = SIM_UP;
        world_run(&s.world, round < 4 ? 20 * SECOND : MINUTE);
        load(&s, round < 4 ? 500 : 0);
        world_run(&s.world, 50 * MILLISECOND);
    }
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void a_poisoned_message_at_the_head_of_a_fresh_queue_is_no_outage(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 13, 200);
    struct scripted script = {.record = "k1\"", .status = 500, .code = "InternalServerError", .left = FOR_EVER};
    scene_script(&s, &script);
    struct sim_message *poison = scene_set(&s, 1, 1);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    for (unsigned i = 2; i < 100; i++)
        scene_set(&s, i, 1);
    world_run(&s.world, 80 * SECOND);
    assert_int_equal(s.queue->count, 1); /* only it is left */
    assert_false(poison->deleted);
    scene_trickle(&s, 2, SECOND, 5 * MINUTE);
    assert_true(poison->deleted);
    assert_int_equal(poison->receive_count, 5);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

static void the_first_phase_holds_one_message_until_the_first_verdict(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 14, 200);
    s.db->transact.latency = 5 * SECOND;
    load(&s, 100);
    scene_start(&s);
    world_run(&s.world, 4 * SECOND);
    assert_int_equal(s.queue->received, 1);
    world_run(&s.world, 2 * SECOND);
    assert_true(s.queue->received > 10);
    scene_done(&s);
}

/* The path stops some records, and one day all. */
struct stopped_path {
    bool all;
    unsigned records; /* from k0 on */
    unsigned struck[8];
};

static enum sim_fate stop_on_path(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct stopped_path *path = ctx;
    const char *key = strstr(t->record, "\"k");
    assert_non_null(key);
    unsigned record = (unsigned)strtoul(key + 2, NULL, 10);
    if (!path->all && record >= path->records)
        return SIM_RUN;
    if (record < ARRAY_LENGTH(path->struck))
        path->struck[record]++;
    sim_answer_exception(result, 503, "");
    return SIM_ANSWER;
}

/* It is tried again since others worked once, but that it fails on shows nothing of them: where all that is in flight
 * has failed since anything worked, one more at a time is received, as if it weren't there. */
static void one_that_is_tried_again_keeps_no_outage_from_being_seen(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 19, 200);
    scene_start(&s);
    scene_set(&s, 9, 1);
    scene_empties(&s, MINUTE);
    struct stopped_path path = {.records = 3};
    s.db->hook = stop_on_path;
    s.db->hook_ctx = &path;
    s.db->transact.jitter = 0;
    scene_set(&s, 0, 1); /* fails alone: a success shows it */
    STEP_WHILE(&s.world, path.struck[0] == 0);
    scene_set(&s, 10, 1);
    STEP_WHILE(&s.world, scene_n(&s, 10) == 0);
    s.db->transact.latency = 600 * MILLISECOND; /* these two fail before they hear of the last success, */
    scene_set(&s, 1, 1);
    scene_set(&s, 2, 1);
    world_run(&s.world, 50 * MILLISECOND);
    s.db->transact.latency = 20 * MILLISECOND;
    scene_set(&s, 11, 1);
    STEP_WHILE(&s.world, scene_n(&s, 11) == 0);
    path.all = true;
    STEP_WHILE(&s.world, path.struck[1] < 2 || path.struck[2] < 2); /* …and once more after it */
    assert_true(path.struck[0] > 1);
    world_run(&s.world, 1500 * MILLISECOND); /* what was asked for before comes empty */
    uint64_t received = s.queue->received;
    load(&s, 50);
    world_run(&s.world, 2 * SECOND);
    assert_int_equal(s.queue->received, received);
    world_run(&s.world, 4 * SECOND);
    assert_int_equal(s.queue->received, received + 1);
    path.all = false;
    path.records = 0;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void one_lost_connection_is_no_outage(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 18, 200);
    scene_start(&s);
    for (unsigned round = 0; round < 20; round++) {
        s.db->transact.lost_requests = 1000;
        scene_set(&s, round, 1);
        uint64_t attempts = s.db->transact.attempts;
        STEP_WHILE(&s.world, s.db->transact.attempts == attempts);
        world_run(&s.world, 10 * MILLISECOND);
        s.db->transact.lost_requests = 0;
        world_run(&s.world, 400 * MILLISECOND);
        assert_int_equal(scene_n(&s, round), 1);
        world_run(&s.world, 2 * SECOND);
    }
    assert_int_equal(world_logged(&s.world, "Holding"), 0);
    scene_done(&s);
}

/* Each failure comes while no other is under way; what came before and after shows that it was no outage. */
static void where_one_runs_at_a_time_lost_answers_cost_little_time(void **state) {
    (void)state;
    static const struct {
        unsigned lost;
        int64_t within;
    } cases[] = {{100, 15 * SECOND}, {500, MINUTE}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 30 + i, 1);
        s.worker.options.max_in_flight = 1;
        s.db->transact.lost_requests = cases[i].lost / 2;
        s.db->transact.lost_answers = cases[i].lost / 2;
        for (unsigned n = 0; n < 100; n++)
            scene_set(&s, 0, n);
        scene_start(&s);
        scene_empties(&s, cases[i].within);
        assert_int_equal(s.db->committed, 100);
        scene_done(&s);
    }
}

static void where_one_message_is_held_at_once_a_poisoned_one_is_no_outage(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 33, 100);
    s.worker.options.max_in_flight = 1;
    struct scripted script = {.record = "k1\"", .status = 400, .code = "AccessDeniedException", .left = FOR_EVER};
    scene_script(&s, &script);
    struct sim_message *poison = scene_set(&s, 1, 1);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    for (unsigned i = 2; i < 20; i++)
        scene_set(&s, i, 1);
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(s.queue->count, 1); /* only it is left */
    assert_int_equal(s.db->committed, 18);
    unsigned most = 0;
    for (unsigned i = 0; !poison->deleted; i++) {
        assert_true(i < 15 * 60);
        scene_trickle(&s, 2, SECOND, SECOND);
        most = scene_status(&s).in_flight > most ? scene_status(&s).in_flight : most;
    }
    assert_int_equal(poison->receive_count, 5);
    assert_int_equal(s.dlq->count, 1);
    assert_in_range(most, 1, 2);
    scene_done(&s);
}

/* A success of the other kind has ended the hold; only one of their own kind tells, and it must find room. */
static void whatever_room_suspects_take_others_come_in(void **state) {
    (void)state;
    static const unsigned poisoned[] = {7, 10};
    for (size_t i = 0; i < ARRAY_LENGTH(poisoned); i++) {
        struct scene s;
        scene_init(&s, 40 + i, 3);
        s.invariants.unaudited = true;
        s.worker.options.max_in_flight = 10;
        s.worker.options.max_attempts = 1;
        struct scripted script = {.record = "k1\"", .status = 500, .code = "InternalServerError", .left = FOR_EVER};
        scene_script(&s, &script);
        for (unsigned n = 0; n < poisoned[i]; n++)
            scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"enable_logging\":false}");
        scene_start(&s);
        world_run(&s.world, 10 * MINUTE + 30 * SECOND);
        assert_int_equal(scene_status(&s).in_flight, poisoned[i]);
        assert_true(scene_status(&s).held);
        scene_set(&s, 0, 1);
        world_run(&s.world, 2 * MINUTE);
        assert_int_equal(scene_n(&s, 0), 1);
        assert_false(scene_status(&s).held);
        unsigned most = 0;
        for (unsigned n = 0; s.dlq->count < poisoned[i]; n++) {
            assert_true(n < 20 * 60);
            scene_send(&s, "{\"id\":\"k2\",\"attributes\":{\"n\":%u},\"enable_logging\":false}", n);
            world_run(&s.world, SECOND);
            most = scene_status(&s).in_flight > most ? scene_status(&s).in_flight : most;
        }
        assert_in_range(most, 1, 11);
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, poisoned[i]);
        scene_done(&s);
    }
}

static void a_table_that_goes_missing_is_the_environments_fault(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 15, 200);
    scene_start(&s);
    load(&s, 500);
    world_run(&s.world, 200 * MILLISECOND);
    s.users->exists = false;
    world_run(&s.world, HOUR);
    assert_int_equal(s.dlq->sent, 0);
    s.users->exists = true;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static void a_hold_without_a_message_looks_at_the_tables_instead(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 16, 200);
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    struct sim_message *m = scene_set(&s, 0, 1);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    s.sqs->change.mode = SIM_DOWN;
    s.worker.facts.visibility = 10;
    world_run(&s.world, MINUTE); /* its lease was lost */
    assert_int_equal(scene_status(&s).in_flight, 0);
    assert_true(s.db->describe.calls > 0);
    assert_int_equal(m->receive_count, 1);
    s.users->shape.attribute_count = 2; /* a new index doesn't prolong the hold */
    s.users->shape.attributes[1] = (struct key_attribute){"extra", KEY_NUMBER};
    s.sqs->change.mode = SIM_UP;
    sim_dynamodb_set_mode(s.db, SIM_UP);
    scene_empties(&s, MINUTE);
    scene_done(&s);
}

static void when_nothing_is_held_any_more_no_probe_runs_on(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 17, 200);
    struct scripted script = {.record = "k1\"", .status = 400, .code = "AccessDeniedException", .left = 1};
    scene_script(&s, &script);
    scene_start(&s);
    for (unsigned i = 0; i < 50; i++)
        scene_set(&s, i, 1);
    scene_empties(&s, MINUTE);
    world_run(&s.world, MINUTE);
    uint64_t steps = s.world.steps;
    world_run(&s.world, 10 * MINUTE);
    assert_true(s.world.steps - steps < 10 * 60 / 20 * 8); /* long polls and the summary alone */
    scene_done(&s);
}

/* What waits to be confirmed keeps others from being received; so it may not wait for them. */
static void beside_a_poisoned_message_a_failure_is_confirmed_once_it_can_be(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 5);
    struct scripted script = {.record = "k4", .status = 500, .code = "InternalServerError", .left = FOR_EVER};
    scene_script(&s, &script);
    s.worker.options.max_in_flight = 8;
    s.db->get_item.mode = SIM_BROKEN;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 5 * SECOND);
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_set(&s, 4, 1);
    world_run(&s.world, MINUTE);
    assert_int_equal(s.dlq->count, 0);
    s.db->transact.mode = SIM_DOWN; /* an outage within the hold, and its end */
    world_run(&s.world, MINUTE);
    s.db->transact.mode = SIM_UP;
    s.db->get_item.mode = SIM_UP;
    world_run(&s.world, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

/* Invariant I5. It succeeded before the outage, and was only heard of while another failed in it. */
static void the_last_success_before_an_outage_makes_no_failure_in_it_a_messages_own(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 3);
    s.worker.options.max_attempts = 1;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_empties(&s, 5 * SECOND);
    s.db->transact.latency = 400 * MILLISECOND;
    scene_set(&s, 1, 1);
    world_run(&s.world, 300 * MILLISECOND);
    scene_set(&s, 2, 1);
    world_run(&s.world, 50 * MILLISECOND);
    assert_int_equal(s.db->committed, 2);
    s.db->transact.mode = SIM_DENIED;
    world_run(&s.world, MINUTE);
    assert_int_equal(s.dlq->count, 0);
    s.db->transact.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->committed, 3);
    scene_done(&s);
}

static void fault_37_the_message_that_is_received_to_tell_is_tried_at_once_under_throttles(void **state) {
    (void)state;
    static const char *const codes[] = {"ThrottlingError", "ProvisionedThroughputExceeded"};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct scene s;
        struct scripted script = {.record = "k0\"", .code = codes[seed % 2], .left = FOR_EVER};
        scene_init(&s, seed, 4);
        scene_script(&s, &script);
        scene_set(&s, 0, 1);
        scene_set(&s, 1, 1);
        scene_start(&s);
        world_run(&s.world, 7 * SECOND);
        assert_int_equal(scene_n(&s, 1), 1);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_16_an_outage_of_three_hours_costs_a_probe_a_second_at_most_and_next_to_no_receive),
        cmocka_unit_test(fault_16_an_outage_under_light_load_costs_a_probe_a_second_at_most),
        cmocka_unit_test(fault_16_after_an_outage_the_rate_is_back_within_a_minute),
        cmocka_unit_test(fault_16_after_a_throttle_that_became_an_outage_the_rate_is_back_within_a_minute),
        cmocka_unit_test(fault_16_an_outage_at_start_holds_one_message),
        cmocka_unit_test(one_that_is_tried_again_keeps_no_outage_from_being_seen),
        cmocka_unit_test(one_lost_connection_is_no_outage),
        cmocka_unit_test(where_one_message_is_held_at_once_a_poisoned_one_is_no_outage),
        cmocka_unit_test(where_one_runs_at_a_time_lost_answers_cost_little_time),
        cmocka_unit_test(denied_access_for_all_holds_them_and_tries_one_more_ever_more_rarely),
        cmocka_unit_test(denied_access_in_full_flow_sends_nothing_to_the_dlq_even_after_many_deliveries),
        cmocka_unit_test(a_poisoned_message_at_the_head_of_a_fresh_queue_is_no_outage),
        cmocka_unit_test(the_first_phase_holds_one_message_until_the_first_verdict),
        cmocka_unit_test(whatever_room_suspects_take_others_come_in),
        cmocka_unit_test(a_table_that_goes_missing_is_the_environments_fault),
        cmocka_unit_test(a_hold_without_a_message_looks_at_the_tables_instead),
        cmocka_unit_test(when_nothing_is_held_any_more_no_probe_runs_on),
        cmocka_unit_test(the_last_success_before_an_outage_makes_no_failure_in_it_a_messages_own),
        cmocka_unit_test(beside_a_poisoned_message_a_failure_is_confirmed_once_it_can_be),
        cmocka_unit_test(fault_37_the_message_that_is_received_to_tell_is_tried_at_once_under_throttles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
