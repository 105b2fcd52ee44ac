#include "group_world.h"

#include "sim_memory.h"

static void the_messages_of_a_group_run_in_order_and_the_groups_side_by_side(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 20, 30);
        g.scene.db->transact.latency = 5 * MILLISECOND;
        g.scene.db->transact.jitter = 40 * MILLISECOND;
        g.scene.sqs->reorders = 300;
        grouped_send_all(&g);
        grouped_start(&g);
        scene_empties(&g.scene, 30 * SECOND);
        assert_true(g.scene.db->transact.most_running >= 15);
        grouped_finish(&g, 0);
    }
}

static bool all_are_running(void *ctx) {
    const struct scene *s = ctx;
    return s->db->transact.running == 9;
}

/* A standard queue shares its capacity fairly among groups; they have no order. */
static void on_a_standard_queue_a_group_keeps_nothing_in_order(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 10);
    s.db->transact.latency = SECOND;
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (unsigned i = 1; i < 10; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"id\":\"k%u\",\"attributes\":{\"n\":1}}", i);
        sim_queue_send_fifo(s.queue, body, "group", "");
    }
    assert_true(world_run_until(&s.world, all_are_running, &s, 3 * SECOND));
    scene_empties(&s, 10 * SECOND);
    scene_done(&s);
}

/* Two groups whose messages are for the same record. */
static void updates_of_one_record_run_one_at_a_time_across_groups(void **state) {
    (void)state;
    struct scene s;
    scene_init_fifo(&s, 1, 1);
    s.db->transact.jitter = 20 * MILLISECOND;
    for (unsigned i = 0; i < 40; i++) {
        char body[64], id[16];
        snprintf(body, sizeof body, "{\"id\":\"k0\",\"attributes\":{\"n\":%u}}", i);
        snprintf(id, sizeof id, "%u", i);
        sim_queue_send_fifo(s.queue, body, i % 2 ? "odd" : "even", id);
    }
    scene_start(&s);
    scene_empties(&s, 30 * SECOND);
    assert_int_equal(s.db->most_running_of_one_record, 1);
    assert_int_equal(s.db->committed, 40);
    scene_done(&s);
}

static void fault_09_a_permanent_failure_goes_to_the_dlq_and_only_then_the_rest_of_its_group_runs(void **state) {
    (void)state;
    for (unsigned kth = 0; kth < 10; kth++)
        for (enum fate fate = FATE_MALFORMED; fate <= FATE_REFUSED; fate++) {
            struct grouped g;
            grouped_init(&g, kth, 3, 10);
            g.scene.sqs->send.latency = SECOND; /* the DLQ acknowledges late */
            g.fates[1][kth] = fate;
            grouped_send_all(&g);
            grouped_start(&g);
            grouped_finish(&g, 30 * SECOND);
        }
}

/* The answers that a message's k-th attempts get. */
static void fault_09_a_transient_failure_holds_back_the_rest_of_its_group_alone(void **state) {
    (void)state;
    static const struct scripted scripts[] = {
        {.code = "TransactionConflict"},
        {.code = "ThrottlingError"},
        {.code = "ProvisionedThroughputExceeded"},
        {.status = 500, .code = "InternalServerError"},
        {.status = 400, .code = "TransactionInProgressException"},
        {.status = 400, .code = "AccessDeniedException"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++)
        for (unsigned kth = 0; kth < 10; kth += 3) {
            struct grouped g;
            char record[32];
            grouped_init(&g, kth, 5, 10);
            g.script = scripts[i];
            snprintf(record, sizeof record, "\"k%u\"", 2 * g.size + kth);
            g.script.record = record;
            g.script.left = 3;
            grouped_send_all(&g);
            grouped_start(&g);
            scene_empties(&g.scene, 5 * MINUTE);
            assert_int_equal(g.script.answered, 3);
            assert_int_equal(g.scene.dlq->count, 0);
            grouped_finish(&g, 0);
        }
}

/* It is given back with deliveries left until its count is reached, with others that succeed all the while. */
static void fault_09_a_group_waits_while_its_first_is_given_back_for_half_a_minute(void **state) {
    (void)state;
    struct grouped g;
    char record[32];
    grouped_init(&g, 7, 3, 12);
    snprintf(record, sizeof record, "\"k%u\"", g.size + 4);
    g.script = (struct scripted){.record = record, .status = 500, .code = "InternalServerError", .left = FOR_EVER};
    grouped_send_all(&g);
    grouped_start(&g);
    struct sim_message *fails = g.messages[1][4];
    for (unsigned i = 0; i < 60 && !fails->deleted; i++) {
        char body[64], id[32];
        snprintf(body, sizeof body, "{\"id\":\"k0\",\"attributes\":{\"n\":%u}}", i + 1);
        snprintf(id, sizeof id, "healthy %u", i);
        sim_queue_send_fifo(g.scene.queue, body, "healthy", id);
        world_run(&g.scene.world, 10 * SECOND);
        assert_true(fails->deleted || !grouped_applied(&g, 1, 5));
    }
    assert_true(fails->deleted);
    assert_int_equal(fails->receive_count, 5);
    assert_int_equal(invariants_dead(&g.scene.invariants, fails->id), 1);
    assert_string_equal(scene_dead(&g.scene, 0)->error_type, "DatabaseError");
    g.fates[1][4] = FATE_REFUSED;
    grouped_finish(&g, 30 * SECOND);
}

/* Heartbeats fail, and what SQS lets go meanwhile another worker gets. */
static void fault_09_when_the_firsts_visibility_runs_out_none_behind_it_runs_before_it(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 4, 10);
        g.scene.worker.facts.visibility = g.scene.other.facts.visibility = 10;
        g.scene.db->transact.latency = 2 * SECOND;
        g.scene.db->transact.jitter = 30 * SECOND;
        g.scene.sqs->change.lost_requests = 300;
        g.scene.sqs->failed_entries = 300;
        grouped_send_all(&g);
        grouped_start(&g);
        assert_true(sim_worker_start(&g.scene.other));
        grouped_finish(&g, 2 * HOUR);
    }
}

/* The change of one message's visibility alone is refused: those behind it are given back, and wait for it. */
static void fault_09_when_one_in_the_middle_is_lost_those_behind_it_come_after_its_next_delivery(void **state) {
    (void)state;
    for (unsigned lost = 0; lost < 10; lost++) {
        struct grouped g;
        grouped_init(&g, lost, 2, 10);
        grouped_send_all(&g);
        g.scene.worker.facts.visibility = 10;
        g.scene.db->transact.latency = 4 * SECOND;
        grouped_start(&g);
        world_run(&g.scene.world, SECOND);
        /* As if SQS had forgotten the time it gave. */
        g.messages[0][lost]->visible_at = g.scene.world.now;
        grouped_finish(&g, 10 * MINUTE);
    }
}

/* Without an audit record, a message that SQS still has could take effect once more, after its successors. */
static void without_audit_the_next_waits_until_the_delete_is_acknowledged(void **state) {
    (void)state;
    for (int unaudited = 0; unaudited < 2; unaudited++) {
        struct grouped g;
        grouped_init(&g, 1, 1, 3);
        g.unaudited = unaudited;
        g.scene.sqs->remove.latency = 2 * SECOND;
        grouped_send_all(&g);
        grouped_start(&g);
        scene_empties(&g.scene, MINUTE);
        grouped_check(&g);
        /* One after the other by their deletes, or all before the first delete. */
        assert_true(unaudited ? g.scene.world.now > 4 * SECOND : g.scene.world.now < 4 * SECOND);
        grouped_done(&g);
    }
}

/* From the first commit of one of two groups to the end, for each message of a group. */
static int64_t pace(bool unaudited, bool every_second_fails) {
    struct grouped g;
    grouped_init(&g, 1, 2, 50);
    g.unaudited = unaudited;
    g.scene.db->transact.latency = 5 * MILLISECOND;
    g.scene.db->transact.jitter = 0;
    struct sim_operation *calls[] = {&g.scene.sqs->receive, &g.scene.sqs->remove, &g.scene.sqs->send};
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        calls[i]->latency = 2 * MILLISECOND;
        calls[i]->jitter = 0;
    }
    for (unsigned place = 1; every_second_fails && place < g.size; place += 2)
        g.fates[0][place] = g.fates[1][place] = FATE_MALFORMED;
    grouped_send_all(&g);
    grouped_start(&g);
    STEP_WHILE(&g.scene.world, g.scene.db->committed == 0);
    int64_t began = g.scene.world.now;
    scene_empties(&g.scene, MINUTE);
    int64_t took = g.scene.world.now - began;
    grouped_check(&g);
    grouped_done(&g);
    return took / g.size;
}

static void the_next_of_a_group_waits_for_the_calls_before_it_and_for_no_company(void **state) {
    (void)state;
    assert_in_range(pace(false, false), 1, 6 * MILLISECOND);
    assert_in_range(pace(true, false), 1, 8 * MILLISECOND); /* a transaction and its deletion: 7 ms */
    /* That, and a message to the DLQ and its deletion, in turns; one group's calls may wait for the other's. */
    assert_in_range(pace(true, true), 1, 9 * MILLISECOND);
}

struct held_deletes {
    struct grouped *g;
    bool too_early;
};

/* A message of an unaudited group starts only where all before it are deleted. */
static enum sim_fate deleted_before(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct held_deletes *h = ctx;
    unsigned index = (unsigned)strtoul(strstr(t->record, "\"k") + 2, NULL, 10), group = index / h->g->size;
    for (unsigned earlier = 0; earlier < index % h->g->size; earlier++)
        h->too_early = h->too_early || (h->g->messages[group][earlier] && !h->g->messages[group][earlier]->deleted);
    return grouped_watch(h->g, t, result);
}

static void without_audit_none_takes_effect_after_its_successors_however_late_it_comes_again(void **state) {
    (void)state;
    for (unsigned cut = 0; cut < 8; cut++) {
        struct grouped g;
        grouped_init(&g, cut, 1, 8);
        struct held_deletes watch = {.g = &g};
        g.unaudited = true;
        g.scene.db->hook = deleted_before;
        g.scene.db->hook_ctx = &watch;
        g.scene.db->transact.latency = 100 * MILLISECOND;
        grouped_send_all(&g);
        grouped_start(&g);
        world_run(&g.scene.world, 150 * MILLISECOND * cut);
        g.scene.sqs->remove.mode = SIM_DENIED;
        world_run(&g.scene.world, 2 * SECOND);
        sim_worker_kill(&g.scene.worker);
        world_run(&g.scene.world, 11 * MINUTE); /* beyond the life of DynamoDB's token */
        g.scene.sqs->remove.mode = SIM_UP;
        scene_start(&g.scene);
        scene_empties(&g.scene, 5 * MINUTE);
        assert_false(watch.too_early);
        grouped_finish(&g, 0);
    }
}

/* Deletes that are said to have been done, and were not. */
struct lying_deletes {
    struct sqs_api real;
    struct world *world;
    struct timer timer;
    size_t count;
    sqs_batch_done *done;
    void *user;
    unsigned left;
};

static void tell_a_lie(void *user) {
    struct lying_deletes *d = user;
    struct sqs_entry_result results[SQS_BATCH_MAX];
    for (size_t i = 0; i < d->count; i++)
        results[i] = (struct sqs_entry_result){.ok = true};
    d->done(d->user, &(struct call_result){.class = CALL_OK, .status = 200, .answered = d->world->now}, results,
            d->count);
}

static struct call *lying_delete(void *ctx, const char *queue_url, const struct span *handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    struct lying_deletes *d = ctx;
    if (!d->left)
        return d->real.delete_batch(d->real.ctx, queue_url, handles, count, options, done, user);
    d->left--;
    d->count = count;
    d->done = done;
    d->user = user;
    timer_init(&d->timer, tell_a_lie, d);
    timer_start(&d->world->timers, &d->timer, d->world->now + 10 * MILLISECOND);
    return (struct call *)(void *)d;
}

static struct call *pass_receive(void *ctx, const struct sqs_receive_request *request,
                                 const struct call_options *options, sqs_received *done, void *user) {
    const struct lying_deletes *d = ctx;
    return d->real.receive(d->real.ctx, request, options, done, user);
}

static struct call *pass_change(void *ctx, const char *queue_url, const struct sqs_visibility_entry *entries,
                                size_t count, const struct call_options *options, sqs_batch_done *done, void *user) {
    const struct lying_deletes *d = ctx;
    return d->real.change_visibility_batch(d->real.ctx, queue_url, entries, count, options, done, user);
}

static void pass_cancel(void *ctx, struct call *call) {
    const struct lying_deletes *d = ctx;
    d->real.cancel(d->real.ctx, call);
}

/* Its visibility ran out while it ran: an acknowledged delete says nothing then. */
static void without_audit_a_delete_by_a_handle_that_is_over_is_not_relied_on(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 9, 2, 5);
    struct held_deletes watch = {.g = &g};
    struct lying_deletes lies = {.real = g.scene.worker.sqs, .world = &g.scene.world};
    g.scene.worker.sqs = (struct sqs_api){.ctx = &lies,
                                          .receive = pass_receive,
                                          .delete_batch = lying_delete,
                                          .change_visibility_batch = pass_change,
                                          .cancel = pass_cancel};
    g.unaudited = true;
    g.groups = 1;
    g.scene.db->hook = deleted_before;
    g.scene.db->hook_ctx = &watch;
    g.scene.worker.facts.visibility = 10;
    sim_queue_send_fifo(g.scene.queue, "{\"id\":\"k9\",\"attributes\":{\"n\":1}}", "another", "first");
    grouped_start(&g);
    scene_empties(&g.scene, 10 * SECOND);
    g.scene.db->transact.latency = 16 * SECOND;
    lies.left = 1;
    grouped_send_all(&g);
    world_run(&g.scene.world, SECOND);
    g.messages[0][0]->visible_at = g.scene.world.now; /* SQS lets it go, and no other */
    world_run(&g.scene.world, 2 * SECOND);
    g.scene.db->transact.latency = 10 * MILLISECOND;
    scene_empties(&g.scene, 5 * MINUTE);
    assert_int_equal(lies.left, 0);
    assert_false(watch.too_early);
    grouped_finish(&g, 0);
}

/* The rest wait for it, and go on when it has come again. */
static void without_audit_a_delete_that_is_refused_gives_the_rest_back(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 9, 2, 10);
    struct held_deletes watch = {.g = &g};
    g.unaudited = true;
    g.groups = 1;
    g.scene.db->hook = deleted_before;
    g.scene.db->hook_ctx = &watch;
    sim_queue_send_fifo(g.scene.queue, "{\"id\":\"k19\",\"attributes\":{\"n\":1}}", "another", "first");
    grouped_start(&g);
    scene_empties(&g.scene, 10 * SECOND);
    g.scene.sqs->fail_as_senders = true;
    g.scene.sqs->fail_deletes = 1;
    grouped_send_all(&g);
    scene_empties(&g.scene, 2 * MINUTE);
    assert_false(watch.too_early);
    assert_int_equal(g.messages[0][0]->receive_count, 2);
    assert_int_equal(g.messages[0][9]->receive_count, 2);
    grouped_finish(&g, 0);
}

/* The whole group was received anew while its first still ran: from the first's next delivery on, the order is whole.
 */
static void a_group_that_is_delivered_anew_goes_on_with_its_new_deliveries(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 11, 2, 6);
    sim_queue_send_fifo(g.scene.queue, "{\"id\":\"k11\",\"attributes\":{\"n\":1}}", "another", "first");
    g.groups = 1;
    g.scene.worker.facts.visibility = 10;
    grouped_start(&g);
    scene_empties(&g.scene, 10 * SECOND);
    g.script = (struct scripted){.record = "\"k0\"", .code = "TransactionConflict", .left = 4};
    g.scene.sqs->change.mode = SIM_DOWN;
    g.scene.db->transact.latency = 30 * SECOND;
    grouped_send_all(&g);
    world_run(&g.scene.world, 12 * SECOND);
    g.scene.sqs->change.mode = SIM_UP;
    g.scene.db->transact.latency = 0;
    scene_empties(&g.scene, 40 * SECOND);
    world_run(&g.scene.world, MINUTE); /* the first line, and that of all others with their count */
    assert_true(world_logged(&g.scene.world, "left to its next delivery") >=
                2); /* those behind, and the first when it was answered */
    for (unsigned place = 0; place < g.size; place++)
        assert_int_equal(g.messages[0][place]->receive_count, 2);
    grouped_finish(&g, 0);
}

/* The order stands when the outage is over, however long. */
static void fault_16_after_an_outage_each_group_goes_on_where_it_stopped(void **state) {
    (void)state;
    struct grouped g;
    grouped_init(&g, 16, 10, 30);
    g.scene.db->transact.latency = 50 * MILLISECOND;
    grouped_send_all(&g);
    grouped_start(&g);
    world_run(&g.scene.world, 700 * MILLISECOND);
    sim_dynamodb_set_mode(g.scene.db, SIM_DOWN);
    world_run(&g.scene.world, 3 * HOUR);
    sim_dynamodb_set_mode(g.scene.db, SIM_UP);
    grouped_finish(&g, 2 * MINUTE);
}

static void fault_26_whichever_allocation_fails_the_order_stands(void **state) {
    (void)state;
    bool failed = true;
    unsigned long k = 1;
    for (; failed; k++) {
        struct grouped g;
        grouped_init(&g, 1, 2, 5);
        g.fates[0][1] = FATE_REFUSED;
        g.fates[1][2] = FATE_MALFORMED;
        grouped_send_all(&g);
        sim_memory_count = 0;
        sim_memory_fail_at = k;
        while (!sim_worker_start(&g.scene.worker))
            assert_true(sim_memory_count >= k);
        scene_empties(&g.scene, 5 * MINUTE);
        failed = sim_memory_count >= k;
        sim_memory_fail_at = 0;
        grouped_finish(&g, SECOND);
        assert_true(k < 5000);
    }
    assert_in_range(k, 50, 4999); /* it did fail */
}

/* Two workers that die again and again, under all that can fail. */
static void storm(struct grouped *g) {
    struct scene *s = &g->scene;
    s->worker.facts.visibility = s->other.facts.visibility = 10;
    s->sqs->reorders = 300;
    s->sqs->failed_entries = 50;
    s->sqs->receive.lost_answers = s->sqs->remove.lost_answers = s->sqs->send.lost_answers =
        s->sqs->change.lost_answers = 50;
    s->db->transact.lost_answers = s->db->transact.lost_requests = 50;
    s->db->transact.jitter = 100 * MILLISECOND;
    s->db->conflicts = s->db->throttles = s->db->errors = s->db->in_progress = 30;
    for (unsigned group = 0; group < g->groups; group++)
        for (unsigned place = group % 7; place < g->size; place += 7)
            g->fates[group][place] = place % 2 ? FATE_REFUSED : FATE_MALFORMED;
    grouped_send_all(g);
    assert_true(sim_worker_start(&s->other));
    scene_start(s);
    for (unsigned deaths = 0; deaths < 10; deaths++) {
        unsigned steps = (unsigned)random_below(&s->world.random, 2000);
        for (unsigned i = 0; i < steps && s->queue->count; i++)
            world_step(&s->world);
        sim_worker_kill(deaths % 2 ? &s->worker : &s->other);
        assert_true(sim_worker_start(deaths % 2 ? &s->worker : &s->other));
    }
    scene_empties(s, 2 * HOUR);
    for (unsigned group = 0; group < g->groups; group++)
        for (unsigned place = 0; place < g->size; place++)
            assert_int_equal(grouped_applied(g, group, place), g->fates[group][place] == FATE_APPLIED);
}

static void the_order_stands_in_a_storm_and_whenever_a_worker_dies(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 8, 30);
        storm(&g);
        grouped_done(&g);
    }
}

static void without_audit_none_runs_in_a_storm_before_all_before_it_are_deleted(void **state) {
    (void)state;
    for (uint64_t seed = 200; seed < 220; seed++) {
        struct grouped g;
        grouped_init(&g, seed, 8, 30);
        struct held_deletes watch = {.g = &g};
        g.unaudited = true;
        g.scene.db->hook = deleted_before;
        g.scene.db->hook_ctx = &watch;
        storm(&g);
        assert_false(watch.too_early);
        grouped_done(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_of_a_group_run_in_order_and_the_groups_side_by_side),
        cmocka_unit_test(on_a_standard_queue_a_group_keeps_nothing_in_order),
        cmocka_unit_test(updates_of_one_record_run_one_at_a_time_across_groups),
        cmocka_unit_test(fault_09_a_permanent_failure_goes_to_the_dlq_and_only_then_the_rest_of_its_group_runs),
        cmocka_unit_test(fault_09_a_transient_failure_holds_back_the_rest_of_its_group_alone),
        cmocka_unit_test(fault_09_a_group_waits_while_its_first_is_given_back_for_half_a_minute),
        cmocka_unit_test(fault_09_when_the_firsts_visibility_runs_out_none_behind_it_runs_before_it),
        cmocka_unit_test(fault_09_when_one_in_the_middle_is_lost_those_behind_it_come_after_its_next_delivery),
        cmocka_unit_test(without_audit_the_next_waits_until_the_delete_is_acknowledged),
        cmocka_unit_test(the_next_of_a_group_waits_for_the_calls_before_it_and_for_no_company),
        cmocka_unit_test(without_audit_none_takes_effect_after_its_successors_however_late_it_comes_again),
        cmocka_unit_test(without_audit_a_delete_by_a_handle_that_is_over_is_not_relied_on),
        cmocka_unit_test(without_audit_a_delete_that_is_refused_gives_the_rest_back),
        cmocka_unit_test(a_group_that_is_delivered_anew_goes_on_with_its_new_deliveries),
        cmocka_unit_test(fault_16_after_an_outage_each_group_goes_on_where_it_stopped),
        cmocka_unit_test(fault_26_whichever_allocation_fails_the_order_stands),
        cmocka_unit_test(the_order_stands_in_a_storm_and_whenever_a_worker_dies),
        cmocka_unit_test(without_audit_none_runs_in_a_storm_before_all_before_it_are_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
