#include "worker_world.h"

/* A ValidationException that our own checks did not foresee. */
static void a_refusal_is_a_validation_error_after_a_look_at_both_tables(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 2);
    struct scripted script = {.record = "k1", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 1, 1);
    scene_trickle(&s, 0, SECOND, 10 * SECOND);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->describe.calls, 2);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ValidationError");
    /* A look less than a minute old counts. */
    scene_set(&s, 1, 2);
    scene_trickle(&s, 0, SECOND, 3 * SECOND);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->describe.calls, 2);
    world_run(&s.world, MINUTE);
    scene_set(&s, 1, 3);
    scene_trickle(&s, 0, SECOND, 3 * SECOND);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.db->describe.calls, 4);
    scene_done(&s);
}

static void refusals_wait_while_the_tables_cant_be_read_and_the_others_go_on(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 2, 20);
    struct scripted script = {.record = "k1", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    s.db->describe.mode = SIM_DENIED;
    scene_start(&s);
    for (unsigned i = 0; i < 5; i++)
        scene_set(&s, 10 + i, 1);
    scene_trickle(&s, 2, SECOND, 10 * MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_true(s.db->committed > 590);
    s.db->describe.mode = SIM_UP;
    scene_empties(&s, 5 * MINUTE);
    assert_int_equal(s.dlq->count, 5);
    scene_done(&s);
}

static void fault_38_a_key_that_has_changed_makes_a_refusal_wait_and_stops_nobody(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 3, 10);
    struct scripted script = {.record = "k1", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    struct table_shape other = s.users->shape;
    other.sort = (struct key_attribute){"at", KEY_NUMBER};
    s.users->described = &other;
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_set(&s, 1, 1);
    scene_trickle(&s, 2, SECOND, 10 * MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_true(s.db->committed > 590);
    assert_true(world_logged(&s.world, "Holding") == 0);
    assert_int_equal(world_logged(&s.world, "changed since the start"), 1);
    assert_int_equal(scene_status(&s).in_flight, 1);
    /* It is as it was at start again: what was refused in between is tried again, not judged. */
    s.users->described = NULL;
    script.left = 0;
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_n(&s, 1), 1);
    scene_done(&s);
}

/* What DynamoDB refuses has the tables looked at: from then on messages are checked against the indexes that there are.
 */
static void refuse_one(struct scene *s, struct scripted *script) {
    script->left = FOR_EVER;
    scene_set(s, 1, 1);
    scene_trickle(s, 2, SECOND, 2 * MINUTE);
    script->left = 0;
    scene_empties(s, 5 * MINUTE);
}

static void fault_38_where_all_is_refused_a_key_that_has_changed_is_told(void **state) {
    (void)state;
    for (unsigned changed = 0; changed < 2; changed++) {
        struct scene s;
        scene_init(&s, 33, 10);
        scene_start(&s);
        scene_set(&s, 0, 1);
        scene_empties(&s, MINUTE);
        struct scripted script = {.record = "", .status = 400, .code = "ValidationException", .left = FOR_EVER};
        scene_script(&s, &script);
        struct table_shape other = s.users->shape;
        other.sort = (struct key_attribute){"at", KEY_NUMBER};
        s.users->described = changed ? &other : NULL;
        scene_set(&s, 0, 2);
        scene_set(&s, 1, 1);
        world_run(&s.world, 10 * MINUTE);
        assert_int_equal(s.dlq->count, 0);
        assert_int_equal(world_logged(&s.world, "Holding: every message held fails"), 1);
        assert_int_equal(world_logged(&s.world, "A table's key has changed since the start"), changed);
        s.users->described = NULL;
        script.left = 0;
        scene_empties(&s, 5 * MINUTE);
        scene_done(&s);
    }
}

static void fault_38_an_index_that_comes_and_goes_is_taken_over(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 38, 10);
    struct scripted script = {.record = "k1", .status = 400, .code = "ValidationException"};
    scene_script(&s, &script);
    scene_start(&s);
    scene_send(&s, "{\"id\":\"k3\",\"attributes\":{\"extra\":\"text\"}}");
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 0);
    s.users->shape.attribute_count = 2;
    s.users->shape.attributes[1] = (struct key_attribute){"extra", KEY_NUMBER};
    refuse_one(&s, &script);
    assert_int_equal(s.dlq->count, 1); /* the refused one, and nothing waits for a restart */
    assert_int_equal(world_logged(&s.world, "The table's indexes have changed"), 1);
    uint64_t calls = s.db->transact.calls;
    scene_send(&s, "{\"id\":\"k4\",\"attributes\":{\"extra\":\"text\"}}");
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 2);
    assert_non_null(strstr(scene_dead(&s, 1)->body, "an index has it as a key that takes a number"));
    assert_int_equal(s.db->transact.calls, calls);
    scene_send(&s, "{\"id\":\"k4\",\"attributes\":{\"extra\":5}}");
    scene_empties(&s, MINUTE);
    s.users->shape.attribute_count = 1;
    world_run(&s.world, MINUTE);
    refuse_one(&s, &script);
    assert_int_equal(s.dlq->count, 3);
    assert_int_equal(world_logged(&s.world, "The table's indexes have changed"), 2);
    scene_send(&s, "{\"id\":\"k5\",\"attributes\":{\"extra\":\"text\"}}");
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 3);
    assert_int_equal(world_logged(&s.world, "changed since the start"), 0);
    scene_done(&s);
}

static void extra(struct scene *s, unsigned record, const char *value, const char *more) {
    scene_send(s, "{\"id\":\"k%u\",\"attributes\":{\"extra\":%s}%s}", record, value, more);
}

/* Our own refusal is by a look that is less than a minute old, so that what an index no longer refuses is applied. */
static void fault_38_what_only_a_removed_index_refuses_is_applied(void **state) {
    (void)state;
    static const char *const more[] = {"", ",\"enable_logging\":false"};
    for (size_t i = 0; i < ARRAY_LENGTH(more); i++) {
        struct scene s;
        scene_init(&s, 39, 10);
        s.users->shape.attribute_count = 2;
        s.users->shape.attributes[1] = (struct key_attribute){"extra", KEY_NUMBER};
        sim_worker_init(&s.worker, &s.world); /* it starts with the index */
        scene_start(&s);
        extra(&s, 1, "\"text\"", more[i]);
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 1);
        assert_int_equal(s.db->describe.calls, 2);
        assert_int_equal(s.db->transact.calls, 0);
        s.users->shape.attribute_count = 1;
        world_run(&s.world, MINUTE);
        for (unsigned n = 2; n < 6; n++)
            extra(&s, n, "\"text\"", more[i]);
        scene_empties(&s, MINUTE);
        assert_int_equal(s.dlq->count, 1);
        assert_int_equal(s.db->committed, 4);
        assert_int_equal(s.db->describe.calls, 4); /* one look for all */
        s.invariants.unaudited = i == 1;
        scene_done(&s);
    }
}

/* Applied before the index came, and its deletion was lost: it is applied, and no failure. */
static void fault_38_what_was_applied_before_an_index_came_is_no_failure(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 40, 10);
    scene_start(&s);
    s.sqs->remove.mode = SIM_DOWN;
    extra(&s, 1, "\"text\"", "");
    STEP_WHILE(&s.world, s.db->committed == 0);
    sim_worker_kill(&s.worker);
    s.users->shape.attribute_count = 2;
    s.users->shape.attributes[1] = (struct key_attribute){"extra", KEY_NUMBER};
    s.sqs->remove.mode = SIM_UP;
    sim_worker_init(&s.worker, &s.world);
    scene_start(&s);
    extra(&s, 2, "\"text\"", "");
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(s.dlq->count, 1);
    assert_non_null(strstr(scene_dead(&s, 0)->body, "\\\"k2\\\""));
    scene_done(&s);
}

/* While the tables can't be described, what an index refuses waits, and the others go on. */
static void fault_38_what_an_index_refuses_waits_for_a_look(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 41, 10);
    s.users->shape.attribute_count = 2;
    s.users->shape.attributes[1] = (struct key_attribute){"extra", KEY_NUMBER};
    sim_worker_init(&s.worker, &s.world);
    s.db->describe.mode = SIM_DENIED;
    scene_start(&s);
    extra(&s, 1, "\"text\"", "");
    scene_trickle(&s, 2, SECOND, 5 * MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_true(s.db->committed > 290);
    assert_int_equal(scene_status(&s).in_flight, 1);
    assert_true(world_logged(&s.world, "the tables can't be described") == 1);
    s.db->describe.mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    scene_done(&s);
}

static void fault_05_a_transaction_in_progress_is_tried_again_and_holds_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 4, 1);
    struct scripted script = {.record = "k0", .status = 400, .code = "TransactionInProgressException", .left = 20};
    scene_script(&s, &script);
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "Holding"), 0);
    assert_true(s.world.now > 5 * SECOND);
    assert_int_equal(scene_n(&s, 0), 1);
    scene_done(&s);
}

struct token_under_way {
    struct world *world;
    char token[SIM_TOKEN_SIZE];
    int64_t ends;
    unsigned answered;
};

/* The first transaction takes eight seconds; whoever comes with its token meanwhile is told so. */
static enum sim_fate token_is_under_way(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct token_under_way *first = ctx;
    if (first->token[0] == '\0') {
        snprintf(first->token, sizeof first->token, "%s", t->token);
        first->ends = first->world->now + 8 * SECOND;
        sim_answer_exception(result, 400, "TransactionInProgressException");
        return SIM_ANSWER;
    }
    assert_string_equal(t->token, first->token);
    if (first->world->now >= first->ends)
        return SIM_RUN;
    first->answered++;
    sim_answer_exception(result, 400, "TransactionInProgressException");
    return SIM_ANSWER;
}

/* Unaudited: an audited transaction's bytes hold the time, and each process has a token of its own. */
static void fault_05_two_workers_with_one_token_make_one_effect(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 40, 1);
    struct token_under_way first = {.world = &s.world};
    s.db->hook = token_is_under_way;
    s.db->hook_ctx = &first;
    struct sim_message *m = scene_send(
        &s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 0\",\"enable_logging\":false}");
    scene_start(&s);
    STEP_WHILE(&s.world, m->receive_count == 0);
    sim_queue_expose(m); /* to the other worker, while the first one's transaction is under way */
    assert_true(sim_worker_start(&s.other));
    scene_empties(&s, 2 * MINUTE);
    assert_int_equal(m->receive_count, 2);
    assert_true(first.answered >= 2);
    assert_int_equal(s.db->committed, 1);
    assert_int_equal(scene_n(&s, 0), 1);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(world_logged(&s.world, "Holding"), 0);
    s.invariants.unaudited = true;
    scene_done(&s);
}

static void a_reason_that_names_the_item_for_good_needs_no_second_attempt(void **state) {
    (void)state;
    static const struct {
        const char *update, *audit;
    } cases[] = {{"ItemCollectionSizeLimitExceeded", NULL}, {"None", "ItemCollectionSizeLimitExceeded"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 5, 1);
        struct scripted script = {
            .record = "k0", .code = cases[i].update, .audit_code = cases[i].audit, .left = FOR_EVER};
        scene_script(&s, &script);
        struct sim_message *m = scene_set(&s, 0, 1);
        scene_start(&s);
        scene_empties(&s, MINUTE);
        assert_int_equal(script.answered, 1);
        assert_int_equal(m->receive_count, 1);
        assert_string_equal(scene_dead(&s, 0)->error_type, "DatabaseError");
        assert_non_null(strstr(scene_dead(&s, 0)->body, "\"code\":\"ItemCollectionSizeLimitExceeded\""));
        scene_done(&s);
    }
}

/* "For this message alone". */
static void a_poisoned_message_among_healthy_ones_ends_in_the_dlq_and_stops_nobody(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
    } cases[] = {{500, "InternalServerError"},
                 {400, "AccessDeniedException"},
                 {400, "NeverHeardOfException"},
                 {0, "NeverHeardOf"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 10 + i, 10);
        struct scripted script = {.record = "k1", .status = cases[i].status, .code = cases[i].code, .left = FOR_EVER};
        scene_script(&s, &script);
        struct sim_message *poison = scene_set(&s, 1, 1);
        poison->visible_at = 3 * SECOND;
        scene_start(&s);
        scene_trickle(&s, 2, 100 * MILLISECOND, 4 * MINUTE);
        world_run(&s.world, 5 * SECOND);
        assert_true(poison->deleted);
        assert_int_equal(poison->receive_count, 5);
        assert_true(s.world.now > 4 * 30 * SECOND);
        assert_int_equal(s.dlq->count, 1);
        assert_string_equal(scene_dead(&s, 0)->error_type, "DatabaseError");
        assert_non_null(strstr(scene_dead(&s, 0)->body, cases[i].code));
        assert_int_equal(s.db->committed, 2400);
        scene_done(&s);
    }
}

static void a_message_that_fails_twice_alike_with_deliveries_left_is_given_back_for_30_seconds(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 20, 10);
    struct scripted script = {.record = "k1", .status = 400, .code = "AccessDeniedException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_set(&s, 2, 1);
    struct sim_message *poison = scene_set(&s, 1, 1);
    scene_start(&s);
    scene_trickle(&s, 2, 100 * MILLISECOND, 5 * SECOND);
    assert_int_equal(script.answered, 2);
    assert_int_equal(poison->receive_count, 1);
    int64_t delay = poison->visible_at - s.world.now;
    assert_true(delay > 24 * SECOND && delay <= 30 * SECOND);
    assert_int_equal(s.worker.worker ? scene_status(&s).in_flight : 0, 0);
    scene_done(&s);
}

/* The first while nothing else was under way, the others after a success had told that it was no outage. */
static void a_500_that_is_over_after_a_few_attempts_costs_no_delivery(void **state) {
    (void)state;
    for (unsigned failures = 1; failures <= 4; failures++) {
        struct scene s;
        scene_init(&s, 23 + failures, 10);
        scene_start(&s);
        scene_set(&s, 2, 1);
        scene_empties(&s, 5 * SECOND);
        struct scripted script = {.record = "k1", .status = 500, .code = "InternalServerError", .left = failures};
        scene_script(&s, &script);
        struct sim_message *m = scene_set(&s, 1, 1);
        STEP_WHILE(&s.world, script.left == failures);
        scene_trickle(&s, 2, SECOND, 5 * SECOND);
        assert_int_equal(script.left, 0);
        assert_true(m->deleted);
        assert_int_equal(m->receive_count, 1);
        assert_int_equal(scene_n(&s, 1), 1);
        scene_done(&s);
    }
}

static void a_verdict_between_two_failures_alike_makes_them_no_fault_of_its_own(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 28, 10);
    s.invariants.unaudited = true;
    s.worker.options.max_attempts = 1;
    struct scripted script = {.record = "k1", .status = 400, .code = "AccessDeniedException", .left = 1};
    scene_script(&s, &script);
    s.dlq->mode = SIM_BROKEN;
    scene_send(&s,
               "{\"id\":\"k1\",\"attributes\":{\"n\":1},\"condition_expression\":\"n = 7\",\"enable_logging\":false}");
    scene_start(&s);
    for (unsigned i = 0; i < 20; i++) {
        scene_send(&s, "{\"id\":\"k2\",\"attributes\":{\"n\":%u},\"enable_logging\":false}", i);
        world_run(&s.world, SECOND);
        if (i == 5)
            script.left = 1; /* its condition is false by then, and it waits for the DLQ */
    }
    assert_int_equal(script.answered, 2);
    s.dlq->mode = SIM_UP;
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ConditionalCheckFailed");
    scene_done(&s);
}

static void two_failures_that_differ_are_not_the_same_way(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 21, 10);
    struct scripted script = {.record = "k1", .status = 400, .code = "AccessDeniedException", .left = 1};
    scene_script(&s, &script);
    struct sim_message *m = scene_set(&s, 1, 1);
    m->receive_count = 10;
    scene_start(&s);
    STEP_WHILE(&s.world, script.left);
    script.code = "NeverHeardOfException";
    script.left = 1;
    scene_trickle(&s, 2, 20 * MILLISECOND, 5 * SECOND);
    assert_int_equal(script.left, 0);
    assert_true(m->deleted);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_n(&s, 1), 1);
    scene_done(&s);
}

static void a_500_that_passes_between_two_failures_alike_makes_them_not_the_same_way(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 29, 10);
    struct scripted script = {.record = "k1", .status = 400, .code = "AccessDeniedException", .left = 1};
    scene_script(&s, &script);
    scene_start(&s);
    scene_trickle(&s, 2, MILLISECOND, SECOND);
    struct sim_message *m = scene_set(&s, 1, 1);
    m->receive_count = 10;
    while (script.left)
        scene_trickle(&s, 2, MILLISECOND, MILLISECOND);
    script = (struct scripted){.record = "k1", .status = 500, .code = "InternalServerError", .left = 1};
    while (script.left)
        scene_trickle(&s, 2, MILLISECOND, MILLISECOND);
    script = (struct scripted){.record = "k1", .status = 400, .code = "AccessDeniedException", .left = 1};
    scene_trickle(&s, 2, 20 * MILLISECOND, 5 * SECOND);
    assert_int_equal(script.left, 0);
    assert_true(m->deleted);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_n(&s, 1), 1);
    scene_done(&s);
}

static void a_success_of_the_other_kind_tells_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 22, 10);
    struct scripted script = {
        .record = "k1", .audited_only = true, .status = 400, .code = "AccessDeniedException", .left = FOR_EVER};
    scene_script(&s, &script);
    struct sim_message *m = scene_set(&s, 1, 1);
    m->receive_count = 10;
    m->visible_at = 3 * SECOND;
    scene_start(&s);
    for (unsigned i = 0; i < 600; i++) {
        scene_send(&s, "{\"id\":\"k2\",\"attributes\":{\"n\":%u},\"enable_logging\":false}", i);
        world_run(&s.world, 100 * MILLISECOND);
    }
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(s.db->committed, 600);
    assert_false(m->deleted);
    s.invariants.unaudited = true;
    scene_done(&s);
}

/* Reused keys and tokens. */
static void a_message_ids_token_that_was_used_for_other_bytes_is_waited_out(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 30, 2);
    s.worker.context.audit = AUDIT_OFF;
    s.invariants.unaudited = true;
    struct scripted script = {.record = "k1", .status = 400, .code = "IdempotentParameterMismatchException", .left = 1};
    scene_script(&s, &script);
    struct sim_message *m = scene_set(&s, 1, 1);
    scene_start(&s);
    world_run(&s.world, 5 * SECOND);
    int64_t delay = m->visible_at - s.world.now;
    assert_true(delay > 590 * SECOND && delay <= 600 * SECOND);
    scene_empties(&s, 11 * MINUTE);
    assert_int_equal(scene_n(&s, 1), 1);
    assert_int_equal(s.dlq->count, 0);
    scene_done(&s);
}

static void a_producers_key_whose_token_was_used_for_other_bytes_is_a_validation_error(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 31, 2);
    s.worker.context.audit = AUDIT_OFF;
    scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":1},\"idempotency_key\":\"one\"}");
    scene_start(&s);
    scene_empties(&s, 5 * SECOND);
    scene_send(&s, "{\"id\":\"k1\",\"attributes\":{\"n\":2},\"idempotency_key\":\"one\"}");
    scene_empties(&s, 5 * SECOND);
    assert_int_equal(s.dlq->count, 1);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ValidationError");
    assert_non_null(strstr(scene_dead(&s, 0)->body, "\"field\":\"idempotency_key\""));
    s.invariants.unaudited = true;
    scene_done(&s);
}

static void an_audited_mismatch_gets_a_new_token_and_the_record_decides(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 32, 2);
    struct scripted script = {.record = "k0", .status = 400, .code = "IdempotentParameterMismatchException", .left = 3};
    scene_script(&s, &script);
    scene_set(&s, 0, 1);
    scene_start(&s);
    scene_empties(&s, MINUTE);
    assert_int_equal(s.dlq->count, 0);
    assert_int_equal(scene_n(&s, 0), 1);
    /* The same key for another message. */
    scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":2},\"idempotency_key\":\"one\"}");
    scene_empties(&s, MINUTE);
    scene_send(&s, "{\"id\":\"k0\",\"attributes\":{\"n\":3},\"idempotency_key\":\"one\"}");
    scene_empties(&s, MINUTE);
    assert_int_equal(scene_n(&s, 0), 2);
    assert_string_equal(scene_dead(&s, 0)->error_type, "ValidationError");
    scene_done(&s);
}

static void what_dynamodb_says_of_a_refused_value_stays_out_of_the_log(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 33, 2);
    struct scripted script = {.record = "k0", .status = 400, .code = "ValidationException", .left = FOR_EVER};
    scene_script(&s, &script);
    scene_start(&s);
    scene_set(&s, 0, 1);
    scene_trickle(&s, 1, SECOND, 10 * SECOND);
    scene_empties(&s, MINUTE);
    assert_non_null(strstr(scene_dead(&s, 0)->body, "an exception of the test's own"));
    assert_int_equal(world_logged(&s.world, "an exception of the test's own"), 0);
    assert_int_equal(world_logged(&s.world, "went to the DLQ"), 1);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_a_validation_error_after_a_look_at_both_tables),
        cmocka_unit_test(fault_38_a_key_that_has_changed_makes_a_refusal_wait_and_stops_nobody),
        cmocka_unit_test(fault_38_where_all_is_refused_a_key_that_has_changed_is_told),
        cmocka_unit_test(fault_38_an_index_that_comes_and_goes_is_taken_over),
        cmocka_unit_test(fault_38_what_only_a_removed_index_refuses_is_applied),
        cmocka_unit_test(fault_38_what_was_applied_before_an_index_came_is_no_failure),
        cmocka_unit_test(fault_38_what_an_index_refuses_waits_for_a_look),
        cmocka_unit_test(fault_05_a_transaction_in_progress_is_tried_again_and_holds_nothing),
        cmocka_unit_test(fault_05_two_workers_with_one_token_make_one_effect),
        cmocka_unit_test(a_reason_that_names_the_item_for_good_needs_no_second_attempt),
        cmocka_unit_test(a_poisoned_message_among_healthy_ones_ends_in_the_dlq_and_stops_nobody),
        cmocka_unit_test(a_message_that_fails_twice_alike_with_deliveries_left_is_given_back_for_30_seconds),
        cmocka_unit_test(a_500_that_is_over_after_a_few_attempts_costs_no_delivery),
        cmocka_unit_test(a_verdict_between_two_failures_alike_makes_them_no_fault_of_its_own),
        cmocka_unit_test(two_failures_that_differ_are_not_the_same_way),
        cmocka_unit_test(a_500_that_passes_between_two_failures_alike_makes_them_not_the_same_way),
        cmocka_unit_test(a_success_of_the_other_kind_tells_nothing),
        cmocka_unit_test(a_message_ids_token_that_was_used_for_other_bytes_is_waited_out),
        cmocka_unit_test(a_producers_key_whose_token_was_used_for_other_bytes_is_a_validation_error),
        cmocka_unit_test(an_audited_mismatch_gets_a_new_token_and_the_record_decides),
        cmocka_unit_test(what_dynamodb_says_of_a_refused_value_stays_out_of_the_log),
        cmocka_unit_test(refusals_wait_while_the_tables_cant_be_read_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
