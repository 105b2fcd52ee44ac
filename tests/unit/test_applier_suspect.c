/* One message, or one record, that fails alone: it waits, it is set aside, and the others go on. */
#include "sim_dynamodb_private.h"
#include "worker_world.h"

#define RECORDS 4000

/* When a message for each record was sent, and how long it took to its commit. */
struct latencies {
    struct world *world;
    struct scripted *script;
    int64_t sent[RECORDS], took[RECORDS];
    size_t count;
};

static unsigned record_of(const char *key) {
    const char *k = strchr(key, 'k');
    return k ? (unsigned)strtoul(k + 1, NULL, 10) : 0;
}

static void committed(void *ctx, const struct sim_transaction *t) {
    struct latencies *l = ctx;
    unsigned record = record_of(strstr(t->record, "\"k") ? strstr(t->record, "\"k") : "");
    if (record < RECORDS && l->sent[record])
        l->took[l->count++] = l->world->now - l->sent[record];
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t p99(struct latencies *l) {
    assert_true(l->count > 0);
    qsort(l->took, l->count, sizeof l->took[0], by_size);
    return l->took[(l->count * 99 - 1) / 100];
}

struct traffic {
    const char *name;
    int64_t every; /* microseconds between two healthy messages */
    unsigned count;
};
static const struct traffic traffics[] = {
    {"idle", 8 * SECOND, 60}, {"light", SECOND / 3, 600}, {"heavy", MILLISECOND, 1500}};

/* What happens to the transactions of record k0. */
struct fate {
    struct scripted *script; /* NULL: the path does it */
    enum sim_path path;
    unsigned struck;
};

static enum sim_path stop_bad(void *ctx, const struct sim_call *call, bool executed) {
    struct fate *fate = ctx;
    const struct dynamodb_call *transaction = (const struct dynamodb_call *)call;
    bool mine = executed == (fate->path == SIM_PATH_OVER_CEILING) &&
                memmem(transaction->body, transaction->body_len, "\"k0\"", 4);
    fate->struck += mine;
    return mine ? fate->path : SIM_PATH_CLEAR;
}

/* Healthy messages of one kind of traffic, each for a record of its own, beside bad ones. Returns their p99; all must
 * be applied. */
static int64_t run_traffic(const struct traffic *traffic, uint64_t seed, struct fate *fate) {
    static struct latencies l;
    struct scene s;
    scene_init(&s, seed, RECORDS);
    l = (struct latencies){.world = &s.world};
    s.db->was_committed = committed;
    s.db->observer = &l;
    scene_start(&s);
    scene_set(&s, 1, 1); /* it has worked before */
    scene_empties(&s, MINUTE);
    if (fate && fate->script) {
        scene_script(&s, fate->script);
    } else if (fate) {
        s.db->transact.path = stop_bad;
        s.db->transact.path_ctx = fate;
    }
    for (unsigned i = 0; i < traffic->count; i++) {
        if (fate && i % (traffic->count / 3) == traffic->count / 10)
            scene_set(&s, 0, 1);
        l.sent[10 + i] = s.world.now;
        scene_set(&s, 10 + i, 1);
        world_run(&s.world, traffic->every);
    }
    world_run(&s.world, 10 * SECOND);
    assert_int_equal(l.count, traffic->count);
    assert_int_equal(s.dlq->sent, 0);
    if (fate)
        assert_true(fate->script ? fate->script->answered > 0 : fate->struck > 0);
    scene_done(&s);
    return p99(&l);
}

static const struct {
    const char *name;
    int status;
    const char *code;
} ways[] = {{"413", 413, ""},
            {"400 in HTML", 400, ""},
            {"403 in HTML", 403, ""},
            {"503", 503, ""},
            {"a 503 of its own", 503, "ServiceUnavailable"}};

static void assert_no_later(const struct traffic *traffic, const char *beside, int64_t with, int64_t without) {
    print_message("p99 of %s traffic beside %s: %.1f ms, %.1f without\n", traffic->name, beside, (double)with / 1e3,
                  (double)without / 1e3);
    if (with > 2 * without)
        fail_msg("%s traffic is late", traffic->name);
}

static void fault_32_what_the_way_does_to_one_message_makes_the_others_no_later(void **state) {
    (void)state;
    for (size_t t = 0; t < ARRAY_LENGTH(traffics); t++) {
        int64_t without = run_traffic(&traffics[t], t, NULL);
        for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
            struct scripted script = {
                .record = "k0\"", .status = ways[i].status, .code = ways[i].code, .left = FOR_EVER};
            struct fate fate = {.script = &script};
            assert_no_later(&traffics[t], ways[i].name, run_traffic(&traffics[t], t, &fate), without);
        }
        static const enum sim_path paths[] = {SIM_PATH_RESET, SIM_PATH_SILENT, SIM_PATH_FOREIGN, SIM_PATH_OVER_CEILING};
        for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
            struct fate fate = {.path = paths[i]};
            assert_no_later(&traffics[t], sim_path_name(paths[i]), run_traffic(&traffics[t], t, &fate), without);
        }
    }
}

static void fault_37_a_record_that_is_throttled_for_long_makes_the_others_no_later(void **state) {
    (void)state;
    for (size_t t = 0; t < ARRAY_LENGTH(traffics); t++) {
        struct scripted script = {.record = "k0\"", .code = "ThrottlingError", .left = FOR_EVER};
        struct fate fate = {.script = &script};
        int64_t without = run_traffic(&traffics[t], t, NULL);
        assert_no_later(&traffics[t], "a throttled record", run_traffic(&traffics[t], t, &fate), without);
    }
}

/* Three throttled records on a quiet queue are still not the table. */
static void fault_37_the_throttles_of_a_few_records_hold_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 37, 10);
    struct scripted script = {.record = "k1", .code = "ThrottlingError", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 2, 1);
    scene_empties(&s, MINUTE);
    scene_set(&s, 1, 1);
    scene_set(&s, 1, 2);
    for (unsigned i = 0; i < 60; i++) {
        struct sim_message *healthy = scene_set(&s, 2 + i % 8, i + 2);
        world_run(&s.world, SECOND);
        assert_true(healthy->deleted);
        world_run(&s.world, 7 * SECOND);
    }
    assert_int_equal(world_logged(&s.world, "Holding"), 0);
    assert_true(script.answered < 8 * 60); /* paced by itself */
    script.left = 0;
    scene_empties(&s, MINUTE);
    assert_int_equal(scene_n(&s, 1), 2);
    scene_done(&s);
}

/* On a worker that has just started, with that message alone at the head: nothing has shown yet that it isn't an
 * outage. */
static void fault_32_at_the_head_of_a_fresh_queue_it_is_no_outage(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct scene s;
        scene_init(&s, 50 + i, 30);
        struct scripted script = {.record = "k0\"", .status = ways[i].status, .code = ways[i].code, .left = FOR_EVER};
        scene_script(&s, &script);
        scene_set(&s, 0, 1);
        scene_start(&s);
        world_run(&s.world, 5 * SECOND);
        for (unsigned n = 1; n <= 20; n++)
            scene_set(&s, n, 1);
        world_run(&s.world, 8 * SECOND);
        assert_int_equal(s.db->committed, 20);
        assert_int_equal(s.queue->count, 1);
        scene_done(&s);
    }
}

static void fault_32_it_is_named_given_back_ever_more_rarely_and_never_in_the_dlq(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 60, 10);
    struct scripted script = {.record = "k0\"", .status = 413, .code = "", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 1, 1);
    scene_empties(&s, MINUTE);
    struct sim_message *bad = scene_set(&s, 0, 1);
    bad->receive_count = 100; /* beyond MAX_ATTEMPTS */
    scene_trickle(&s, 2, SECOND, 5 * SECOND);
    assert_int_equal(world_logged(&s.world, "HTTP status 413"), 1);
    assert_int_equal(world_logged(&s.world, bad->id), 1);
    assert_in_range(bad->visible_at - s.world.now, 20 * SECOND, 30 * SECOND);
    scene_trickle(&s, 2, SECOND, 4 * HOUR);
    /* 30 s, 1, 2, 4, 8 and then 15 minutes. */
    assert_in_range(bad->receive_count, 100 + 5 + (240 - 16) / 15, 100 + 7 + 240 / 15);
    assert_in_range(world_logged(&s.world, bad->id), 15, 20);
    assert_int_equal(scene_status(&s).in_flight, 0);
    assert_int_equal(s.dlq->sent, 0);
    script.left = 0; /* the box is gone */
    scene_trickle(&s, 2, SECOND, 16 * MINUTE);
    assert_true(bad->deleted);
    assert_int_equal(scene_n(&s, 0), 1);
    scene_done(&s);
}

/* The beginning and the end of an outage, and one that fails every other request, are no message's own. */
static void fault_32_an_outage_sets_nobody_aside(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 61, 200);
    scene_start(&s);
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < 500; i++)
            scene_set(&s, i % 200, i);
        world_run(&s.world, 150 * MILLISECOND);
        s.db->transact.mode = round % 2 ? SIM_PROXY : SIM_SILENT;
        world_run(&s.world, 3 * MINUTE);
        s.db->transact.mode = SIM_UP;
        s.db->transact.lost_answers = s.db->transact.lost_requests = 250; /* the half of them */
        world_run(&s.world, MINUTE);
        s.db->transact.lost_answers = s.db->transact.lost_requests = 0;
        world_run(&s.world, MINUTE);
    }
    scene_empties(&s, 5 * MINUTE);
    assert_in_range(world_logged(&s.world, "given back and tried again"), 0, 20); /* of 10,000: chance */
    assert_int_equal(s.dlq->sent, 0);
    scene_done(&s);
}

static enum sim_fate fail_once_each(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    bool *seen = ctx;
    unsigned record = record_of(strstr(t->record, "\"k") ? strstr(t->record, "\"k") : "");
    if (seen[record])
        return SIM_RUN;
    seen[record] = true;
    sim_answer_exception(result, 503, "");
    return SIM_ANSWER;
}

/* A fault that each message meets at its first try is not waited out message by message. */
static void fault_16_where_each_message_fails_once_the_second_try_of_one_tells(void **state) {
    (void)state;
    static bool seen[RECORDS];
    struct scene s;
    memset(seen, 0, sizeof seen);
    scene_init(&s, 63, 200);
    s.db->hook = fail_once_each;
    s.db->hook_ctx = seen;
    for (unsigned n = 0; n < 60; n++)
        scene_set(&s, n, 1);
    scene_start(&s);
    scene_empties(&s, 15 * SECOND);
    for (size_t i = 0; i < s.sqs->all_count; i++)
        assert_int_equal(s.sqs->all[i]->receive_count, 1);
    scene_done(&s);
}

/* Every message is refused: a table that takes no transactions, say. */
static void fault_33_what_every_message_meets_is_none_s_own(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
    } refusals[] = {{400, "ValidationException"}, {0, "ValidationError"}};
    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++)
        for (unsigned worked_before = 0; worked_before < 2; worked_before++) {
            struct scene s;
            scene_init(&s, 70 + i, 200);
            struct scripted script = {.record = "", .status = refusals[i].status, .code = refusals[i].code};
            scene_script(&s, &script);
            scene_start(&s);
            for (unsigned n = 0; n < 100 * worked_before; n++)
                scene_set(&s, n, 1);
            world_run(&s.world, 5 * SECOND);
            script.left = FOR_EVER;
            for (unsigned n = 0; n < 200; n++)
                scene_set(&s, n, 2);
            world_run(&s.world, HOUR);
            assert_int_equal(s.dlq->sent, 0);
            assert_int_equal(s.queue->count, 200);
            assert_true(world_logged(&s.world, refusals[i].code) > 0);
            script.left = 0;
            scene_empties(&s, 2 * MINUTE);
            assert_int_equal(s.dlq->sent, 0);
            scene_done(&s);
        }
}

static void fault_33_one_that_is_refused_while_others_commit_is_a_validation_error(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 80, 200);
    struct scripted script = {.record = "k0\"", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    struct sim_message *bad = scene_set(&s, 0, 1);
    scene_trickle(&s, 2, SECOND, 15 * SECOND);
    assert_true(bad->deleted);
    assert_int_equal(bad->receive_count, 1);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ValidationError");
    scene_done(&s);
}

/* The last message of a queue: nothing begins after it that could tell. */
static void fault_33_one_that_is_refused_at_the_end_of_a_queue_is_a_validation_error_too(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 81, 200);
    struct scripted script = {.record = "k0\"", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 3, 1);
    scene_empties(&s, MINUTE);
    for (unsigned n = 0; n < 3; n++)
        scene_set(&s, n, 1);
    scene_empties(&s, 10 * SECOND);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ValidationError");
    scene_done(&s);
}

/* k0 is refused; k1 has a conflict all the time. */
static enum sim_fate refuse_beside_a_conflict(void *ctx, const struct sim_transaction *t,
                                              struct transact_result *result) {
    (void)ctx;
    if (!strstr(t->record, "k0\"") && !strstr(t->record, "k1\""))
        return SIM_RUN;
    if (strstr(t->record, "k0\""))
        sim_answer_exception(result, 400, "ValidationException");
    else
        sim_answer_cancelled(result, "TransactionConflict", t->audited ? "None" : NULL);
    return SIM_ANSWER;
}

/* Another was applied while its first attempt was under way, and none since: by now all may be refused. */
static void fault_33_what_was_applied_before_the_refusal_tells_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 82, 200);
    s.db->hook = refuse_beside_a_conflict;
    s.db->transact.latency = 100 * MILLISECOND;
    scene_start(&s);
    scene_set(&s, 3, 1);
    scene_empties(&s, MINUTE);
    scene_set(&s, 1, 1);
    scene_set(&s, 2, 1);
    world_run(&s.world, 60 * MILLISECOND);
    struct sim_message *refused = scene_set(&s, 0, 1);
    world_run(&s.world, HOUR);
    assert_int_equal(s.db->committed, 2);
    assert_int_equal(s.dlq->sent, 0);
    assert_int_equal(refused->receive_count, 1);
    scene_set(&s, 4, 1);
    STEP_WHILE(&s.world, !refused->deleted);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

/* The first message of a fresh worker meets a throttle that lasts, and nothing else was ever tried: each further one is
 * tried as it comes. */
static void fault_37_on_a_fresh_worker_too_whoever_comes_is_tried_at_once(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 38, 200);
    struct scripted script = {.record = "k0\"", .code = "ThrottlingError", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_set(&s, 0, 1);
    scene_start(&s);
    for (unsigned i = 1; i < 100; i++) {
        scene_set(&s, i, 1);
        world_run(&s.world, SECOND / 3);
        if (i > 3 * 8)
            assert_int_equal(s.db->committed, i);
    }
    scene_done(&s);
}

/* What one message's own failure holds up may not keep another's verdict. */
static void fault_32_beside_it_a_failure_is_confirmed_once_it_can_be(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 62, 200);
    struct scripted script = {.record = "k0\"", .status = 403, .code = "", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 1, 1);
    scene_empties(&s, MINUTE);
    s.db->get_item.mode = SIM_DENIED;
    scene_send(&s, "{\"id\":\"nobody\",\"attributes\":{\"n\":1}}");
    scene_set(&s, 0, 1);
    world_run(&s.world, MINUTE);
    assert_int_equal(s.dlq->count, 0);
    s.db->get_item.mode = SIM_UP;
    world_run(&s.world, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

/* What waits for the DLQ has its verdict: it doesn't keep the first transaction from being tried. */
static void with_the_dlq_denied_and_an_unparsable_message_first_healthy_ones_go_on(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 90, 30);
    s.dlq->mode = SIM_DENIED;
    scene_send(&s, "this is no JSON");
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    for (unsigned n = 0; n < 20; n++)
        scene_set(&s, n, 1);
    world_run(&s.world, 20 * SECOND);
    assert_int_equal(s.db->committed, 20);
    scene_done(&s);
}

/* What an operator reads at night must be what is the matter now. */
static void each_change_of_a_holds_cause_is_a_line(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 91, 10);
    scene_start(&s);
    scene_set(&s, 1, 1);
    world_run(&s.world, 5 * SECOND);
    sim_dynamodb_set_mode(s.db, SIM_THROTTLED);
    for (unsigned n = 0; n < 10; n++)
        scene_set(&s, n, 2);
    world_run(&s.world, MINUTE);
    assert_int_equal(world_logged(&s.world, "ThrottlingException"), 1);
    sim_dynamodb_set_mode(s.db, SIM_DENIED);
    world_run(&s.world, MINUTE);
    assert_int_equal(world_logged(&s.world, "AccessDeniedException"), 1);
    assert_string_equal(scene_status(&s).cause, "AccessDeniedException");
    sim_dynamodb_set_mode(s.db, SIM_DOWN);
    world_run(&s.world, MINUTE);
    assert_int_equal(world_logged(&s.world, "the cause has changed"), 2);
    sim_dynamodb_set_mode(s.db, SIM_UP);
    scene_empties(&s, MINUTE);
    assert_string_equal(scene_status(&s).cause, "");
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_32_what_the_way_does_to_one_message_makes_the_others_no_later),
        cmocka_unit_test(fault_32_at_the_head_of_a_fresh_queue_it_is_no_outage),
        cmocka_unit_test(fault_32_it_is_named_given_back_ever_more_rarely_and_never_in_the_dlq),
        cmocka_unit_test(fault_32_an_outage_sets_nobody_aside),
        cmocka_unit_test(fault_16_where_each_message_fails_once_the_second_try_of_one_tells),
        cmocka_unit_test(fault_33_what_every_message_meets_is_none_s_own),
        cmocka_unit_test(fault_33_one_that_is_refused_while_others_commit_is_a_validation_error),
        cmocka_unit_test(fault_33_one_that_is_refused_at_the_end_of_a_queue_is_a_validation_error_too),
        cmocka_unit_test(fault_33_what_was_applied_before_the_refusal_tells_nothing),
        cmocka_unit_test(fault_37_on_a_fresh_worker_too_whoever_comes_is_tried_at_once),
        cmocka_unit_test(fault_32_beside_it_a_failure_is_confirmed_once_it_can_be),
        cmocka_unit_test(fault_37_a_record_that_is_throttled_for_long_makes_the_others_no_later),
        cmocka_unit_test(fault_37_the_throttles_of_a_few_records_hold_nothing),
        cmocka_unit_test(with_the_dlq_denied_and_an_unparsable_message_first_healthy_ones_go_on),
        cmocka_unit_test(each_change_of_a_holds_cause_is_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
