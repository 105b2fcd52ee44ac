/* The simulated network. */
#include "sim_table_fixture.h"

static void a_lost_request_is_not_executed_and_one_whose_answer_is_lost_is(void **state) {
    (void)state;
    for (int answer = 0; answer < 2; answer++) {
        struct tables t;
        tables_init(&t);
        *(answer ? &t.db->transact.lost_answers : &t.db->transact.lost_requests) = 1000;
        struct transact_result r = transact(&t, "k", 2, 1, "a", "");
        assert_int_equal(r.call.class, CALL_RETRY);
        assert_int_equal(r.call.status, 0);
        assert_int_equal(t.db->committed, answer);
        assert_int_equal(answer ? t.db->transact.answers_lost : t.db->transact.requests_lost, 1);
        world_done(&t.world);
    }
}

static void refusals_are_throttles_and_errors_and_nothing_is_executed(void **state) {
    (void)state;
    struct tables t;
    unsigned throttled = 0, broken = 0;
    tables_init(&t);
    t.db->transact.refusals = 1000;
    for (int i = 0; i < 50; i++) {
        struct transact_result r = transact(&t, "k", 2, 1, "", "");
        throttled += r.call.class == CALL_THROTTLED;
        broken += r.call.class == CALL_RETRY && r.call.status == 500 && r.call.from_service;
    }
    assert_int_equal(throttled + broken, 50);
    assert_in_range(throttled, 5, 45);
    assert_int_equal(t.db->committed, 0);
    assert_int_equal(t.db->transact.refused, 50);
    world_done(&t.world);
}

static void every_mode_has_its_class(void **state) {
    (void)state;
    static const enum call_class classes[] = {[SIM_UP] = CALL_OK,         [SIM_DOWN] = CALL_RETRY,
                                              [SIM_SILENT] = CALL_RETRY,  [SIM_BROKEN] = CALL_RETRY,
                                              [SIM_PROXY] = CALL_RETRY,   [SIM_THROTTLED] = CALL_THROTTLED,
                                              [SIM_DENIED] = CALL_DENIED, [SIM_EXPIRED] = CALL_AUTH,
                                              [SIM_SKEWED] = CALL_CLOCK,  [SIM_STRANGE] = CALL_PERMANENT,
                                              [SIM_FOREIGN] = CALL_RETRY};
    struct tables t;
    tables_init(&t);
    for (size_t mode = 0; mode < ARRAY_LENGTH(classes); mode++) {
        t.db->transact.mode = (enum sim_mode)mode;
        assert_int_equal(transact(&t, "k", 2, 1, "", "").call.class, classes[mode]);
    }
    assert_int_equal(t.db->committed, 1);
    world_done(&t.world);
}

static void count(void *user) {
    ++*(unsigned *)user;
}

/* Its process is suspended a second after it began, for ten minutes. */
static void a_client_that_stands_hears_late_of_what_went_on(void **state) {
    (void)state;
    struct tables t;
    struct sim_client client = {0};
    struct pending p;
    struct timer timer;
    unsigned fired = 0;
    char body[REQUEST_SIZE];
    tables_init(&t);
    t.db->transact.latency = 4 * SECOND;
    world_add_client(&t.world, &client);
    timer_init(&timer, count, &fired);
    timer_start(&client.timers, &timer, t.world.now + 3 * SECOND);
    int64_t resumes = t.world.now + 600 * SECOND;
    t.world.client = &client;
    make_request(body, "k", 2, 1, "a", "");
    begin_transaction(&t, &p, body, NEVER);
    t.world.client = NULL;
    world_run(&t.world, SECOND);
    client.stands_until = resumes;
    world_run(&t.world, 500 * SECOND);
    assert_int_equal(t.db->committed, 1);
    assert_false(p.done);
    assert_int_equal(fired, 0);
    world_run(&t.world, 100 * SECOND);
    assert_true(p.done);
    assert_int_equal(p.answer.call.class, CALL_OK);
    /* When it came, not when it was read. */
    assert_in_range(p.answer.call.answered, t.world.now - 600 * SECOND, resumes - 590 * SECOND);
    assert_int_equal(fired, 1);
    world_done(&t.world);
}

static void a_deadline_that_passed_while_the_client_stood_is_seen_when_it_goes_on(void **state) {
    (void)state;
    struct tables t;
    struct sim_client client = {0};
    struct pending p;
    char body[REQUEST_SIZE];
    tables_init(&t);
    t.db->transact.mode = SIM_SILENT;
    world_add_client(&t.world, &client);
    t.world.client = &client;
    make_request(body, "k", 2, 1, "a", "");
    begin_transaction(&t, &p, body, t.world.now + 2 * SECOND);
    t.world.client = NULL;
    client.stands_until = t.world.now + 5 * SECOND;
    world_run(&t.world, 4 * SECOND);
    assert_false(p.done);
    world_run(&t.world, 2 * SECOND);
    assert_true(p.done);
    assert_int_equal(p.answer.call.class, CALL_RETRY);
    world_done(&t.world);
}

/* All that can be set, set. */
static void make_trouble(struct world *w) {
    struct sim_operation *operations[] = {&w->sqs.receive, &w->sqs.remove, &w->sqs.send, &w->dynamodb.transact};
    for (size_t i = 0; i < ARRAY_LENGTH(operations); i++)
        operations[i]->lost_requests = operations[i]->lost_answers = operations[i]->refusals = 100;
    struct sim_sqs *sqs = &w->sqs;
    sqs->duplicates = sqs->reorders = sqs->failed_entries = sqs->refused_entries = sqs->ignored_deletes = 200;
    sqs->counts_grow = sqs->short_receives = sqs->expired_handles = 200;
    struct sim_dynamodb *db = &w->dynamodb;
    db->conflicts = db->throttles = db->errors = db->mixtures = db->late_requests = db->errors_after = 100;
    db->commit_time = db->commit_jitter = 500 * MILLISECOND;
}

/* What a run of troubles came to. */
static void run(uint64_t seed, struct buf *story) {
    struct tables t;
    world_init(&t.world, seed);
    t.db = &t.world.dynamodb;
    t.users = sim_dynamodb_add_table(t.db, "users", "id");
    t.audit = sim_dynamodb_add_table(t.db, "audit_logs", "log_id");
    sim_table_put(t.users, "k", "n", "1");
    struct sim_queue *queues[] = {sim_sqs_add_queue(&t.world.sqs, "q"), sim_sqs_add_fifo_queue(&t.world.sqs, "q.fifo")};
    make_trouble(&t.world);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        struct sim_queue *q = queues[i % 2];
        struct sqs_send_entry entry = {
            .body = span_cstr(name), .group_id = span_cstr(i % 3 ? "a" : "b"), .deduplication_id = span_cstr(name)};
        struct sim_batch sent = sim_client_send(q, &entry, 1);
        struct sim_received r = sim_client_receive(q, 10, 2, (unsigned)i % 3, NULL);
        struct transact_result done = transact(&t, "k", i, 0, name, name);
        buf_printf(story, "%lld %s %s %s %s:", (long long)t.world.now, sent.result.code, sent.entries[0].code,
                   r.result.code, done.call.code);
        for (size_t m = 0; m < r.count; m++)
            buf_printf(story, " %.*s", (int)r.messages[m]->receipt_handle.len, r.messages[m]->receipt_handle.data);
        buf_append_char(story, '\n');
        if (r.count > 0)
            (void)sim_client_delete(q, &r.messages[0]->receipt_handle, 1);
        sim_received_free(&r);
    }
    world_done(&t.world);
}

static void everything_follows_from_the_seed(void **state) {
    (void)state;
    struct buf first, again, other;
    buf_init(&first, (size_t)1 << 20);
    buf_init(&again, (size_t)1 << 20);
    buf_init(&other, (size_t)1 << 20);
    run(11, &first);
    run(11, &again);
    run(12, &other);
    assert_int_equal(first.len, again.len);
    assert_memory_equal(first.data, again.data, first.len);
    assert_true(other.len != first.len || memcmp(first.data, other.data, first.len) != 0);
    buf_free(&first);
    buf_free(&again);
    buf_free(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_request_is_not_executed_and_one_whose_answer_is_lost_is),
        cmocka_unit_test(refusals_are_throttles_and_errors_and_nothing_is_executed),
        cmocka_unit_test(every_mode_has_its_class),
        cmocka_unit_test(a_client_that_stands_hears_late_of_what_went_on),
        cmocka_unit_test(a_deadline_that_passed_while_the_client_stood_is_seen_when_it_goes_on),
        cmocka_unit_test(everything_follows_from_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
