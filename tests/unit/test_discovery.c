#include "worker_world.h"

struct search {
    struct scene scene;
    struct discovery_options options;
    struct discovery *discovery;
    struct platform platform;
    bool ended;
    struct outcome outcome;
    const struct discovery_facts *facts;
};

static void on_done(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct search *s = user;
    s->ended = true;
    s->outcome = outcome;
    s->facts = facts;
}

static void search_init(struct search *s) {
    *s = (struct search){.ended = false};
    scene_init(&s->scene, 1, 0);
    s->options = (struct discovery_options){.table = SIM_TABLE,
                                            .audit_table = SIM_AUDIT_TABLE,
                                            .audit = AUDIT_ON,
                                            .queue = SIM_QUEUE,
                                            .dlq = SIM_DLQ,
                                            .max_attempts = 5,
                                            .tries_transaction = true,
                                            .patience = 30 * SECOND};
    struct sim_worker *ready = &s->scene.worker;
    s->platform = (struct platform){.sqs = &ready->sqs,
                                    .dynamodb = &ready->dynamodb,
                                    .clock = &s->scene.world.clock,
                                    .timers = &s->scene.world.timers,
                                    .random = &ready->random,
                                    .log = &s->scene.world.log};
}

static bool search_ended(void *user) {
    return ((struct search *)user)->ended;
}

static void search_start(struct search *s) {
    s->discovery = discovery_start(&s->platform, &s->options, on_done, s);
    assert_non_null(s->discovery);
}

static void search_done(struct search *s) {
    discovery_free(s->discovery);
    scene_done(&s->scene);
}

/* It ends in one way or the other, and the log names this. */
static void search_ends_either(struct search *s, struct outcome one, struct outcome other, const char *logged) {
    search_start(s);
    if (!world_run_until(&s->scene.world, search_ended, s, MINUTE))
        fail_msg("it has not ended");
    const char *log = s->scene.world.log_text.data ? s->scene.world.log_text.data : "";
    struct outcome is = s->outcome;
    if ((is.ending != one.ending || is.cause != one.cause) && (is.ending != other.ending || is.cause != other.cause))
        fail_msg("ending %d, cause %d instead of %d, %d:\n%s", is.ending, is.cause, one.ending, one.cause, log);
    assert_int_equal(s->facts != NULL, outcome_is_well(is));
    if (logged && !world_logged(&s->scene.world, logged))
        fail_msg("the log doesn't say \"%s\":\n%s", logged, log);
}

static void search_ends(struct search *s, struct outcome outcome, const char *logged) {
    search_ends_either(s, outcome, outcome, logged);
}

/* By what has to be mended; of several such causes it is the one that was known first. */
static void search_ends_unfit(struct search *s, const char *logged) {
    search_ends_either(s, outcome_by(CAUSE_UNFIT), outcome_by(CAUSE_MISSING), logged);
}

static void tables_and_queues_are_found_by_name_url_or_redrive_policy(void **state) {
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct search s;
        search_init(&s);
        if (how == 1) {
            s.options.queue = s.scene.queue->url;
            s.options.dlq = s.scene.dlq->url;
        } else if (how == 2) {
            s.options.dlq = NULL;
            memcpy(s.scene.queue->attributes.dead_letter_target_arn, s.scene.dlq->attributes.arn,
                   sizeof s.scene.dlq->attributes.arn);
            s.scene.queue->attributes.max_receive_count = 100;
        }
        search_ends(&s, outcome_of(ENDED_WELL), NULL);
        assert_string_equal(s.facts->queue.url, s.scene.queue->url);
        assert_string_equal(s.facts->queue.name, SIM_QUEUE);
        assert_string_equal(s.facts->dlq.url, s.scene.dlq->url);
        assert_string_equal(s.facts->table.partition.name, "id");
        assert_true(s.facts->audit_table_exists);
        assert_int_equal(s.facts->visibility, 30);
        discovery_set_visibility(s.discovery, 77);
        assert_int_equal(s.facts->visibility, 77);
        discovery_set_visibility(s.discovery, 0);
        assert_int_equal(s.facts->visibility, 30);
        search_done(&s);
    }
}

static void without_a_queue_only_the_tables_are_looked_for(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.queue = s.options.dlq = NULL;
    s.platform.sqs = NULL;
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    search_done(&s);
}

static void no_table(struct search *s) {
    s->scene.users->exists = false;
}
static void no_queue(struct search *s) {
    s->scene.queue->exists = false;
}
static void no_dlq(struct search *s) {
    s->scene.dlq->exists = false;
}
static void no_dlq_setting(struct search *s) {
    s->options.dlq = NULL;
}
static void no_audit_table(struct search *s) {
    s->scene.audit->exists = false;
}
static void other_audit_key(struct search *s) {
    s->options.audit = AUDIT_OFF;
    s->scene.audit->shape.partition.type = KEY_NUMBER;
}
static void audit_sort_key(struct search *s) {
    snprintf(s->scene.audit->shape.sort.name, sizeof s->scene.audit->shape.sort.name, "at");
}
static void same_queue(struct search *s) {
    s->options.dlq = SIM_QUEUE;
}
static void small_dlq(struct search *s) {
    s->scene.dlq->attributes.max_message_size--;
}
static void fifo_dlq(struct search *s) {
    s->scene.dlq->attributes.fifo = true;
}
static void fifo_queue(struct search *s) {
    s->scene.queue->attributes.fifo = true;
}
static void bad_queue(struct search *s) {
    s->options.queue = "not a queue!";
}
static void tables_denied(struct search *s) {
    s->scene.db->describe.mode = SIM_DENIED;
}
static void audit_table_denied(struct search *s) {
    s->options.audit = AUDIT_OFF;
    s->options.audit_table = SIM_AUDIT_TABLE;
    s->scene.db->denied_table = SIM_AUDIT_TABLE;
}
static void queue_denied(struct search *s) {
    s->scene.queue->mode = SIM_DENIED;
}
static void expired(struct search *s) {
    s->scene.db->describe.mode = SIM_EXPIRED;
}
static void tables_down(struct search *s) {
    s->scene.db->describe.mode = SIM_DOWN;
}
static void queues_down(struct search *s) {
    sim_sqs_set_mode(s->scene.sqs, SIM_DOWN);
}
static void table_creating(struct search *s) {
    s->scene.users->active = false;
}

static void strong_table(struct search *s) {
    s->scene.users->shape.strongly_consistent = true;
}
static void strong_audit_table(struct search *s) {
    s->scene.audit->shape.strongly_consistent = true;
}
static void place(struct sim_table *table, const char *region, const char *account) {
    snprintf(table->shape.region, sizeof table->shape.region, "%s", region);
    snprintf(table->shape.account, sizeof table->shape.account, "%s", account);
}
static void other_account(struct search *s) {
    place(s->scene.users, "eu-west-1", "111111111111");
    place(s->scene.audit, "eu-west-1", "222222222222");
}
static void other_region(struct search *s) {
    s->options.audit = AUDIT_OFF;
    place(s->scene.users, "eu-west-1", "111111111111");
    place(s->scene.audit, "eu-north-1", "111111111111");
}

static struct scripted refusal;
static void answer(struct search *s, int status, const char *code, const char *audit_code) {
    refusal =
        (struct scripted){.record = "", .status = status, .code = code, .audit_code = audit_code, .left = FOR_EVER};
    scene_script(&s->scene, &refusal);
}
static void transactions_invalid(struct search *s) {
    answer(s, 400, "ValidationException", NULL);
}
static void update_invalid(struct search *s) {
    answer(s, 0, "ValidationError", "ThrottlingError");
}
static void put_invalid(struct search *s) {
    answer(s, 0, "ThrottlingError", "ValidationError");
}
static void unknown_reason(struct search *s) {
    answer(s, 0, "None", "SomethingNew");
}
static void transactions_strange(struct search *s) {
    s->scene.db->transact.mode = SIM_STRANGE;
}
static void transactions_denied(struct search *s) {
    s->scene.db->transact.mode = SIM_DENIED;
}
static void transactions_expired(struct search *s) {
    s->scene.db->transact.mode = SIM_EXPIRED;
}
static void transactions_throttled(struct search *s) {
    s->scene.db->transact.mode = SIM_THROTTLED;
}
static void transactions_down(struct search *s) {
    s->scene.db->transact.mode = SIM_DOWN;
}
static void audit_throttled(struct search *s) {
    answer(s, 0, "ConditionalCheckFailed", "ProvisionedThroughputExceeded");
}
static enum sim_fate commit_all(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    (void)ctx, (void)t;
    *result = (struct transact_result){.call = {.class = CALL_OK, .status = 200}};
    return SIM_ANSWER;
}
static void everything_commits(struct search *s) {
    s->scene.db->hook = commit_all;
}

static void each_problem_has_its_cause_and_names_its_setting(void **state) {
    (void)state;
    static const struct {
        void (*spoil)(struct search *s);
        enum cause cause;
        const char *logged;
    } cases[] = {
        {no_table, CAUSE_MISSING, "TABLE_NAME names a table that doesn't exist"},
        {no_queue, CAUSE_MISSING, "QUEUE_URL names a queue that doesn't exist"},
        {no_dlq, CAUSE_MISSING, "DLQ_URL names a queue that doesn't exist"},
        {no_dlq_setting, CAUSE_UNFIT, "DLQ_URL is not set"},
        {no_audit_table, CAUSE_UNFIT, "AUDIT_LOG_TABLE names a table that doesn't exist"},
        {other_audit_key, CAUSE_UNFIT, "AUDIT_LOG_TABLE names a table with another key"},
        {audit_sort_key, CAUSE_UNFIT, "AUDIT_LOG_TABLE names a table with another key"},
        {same_queue, CAUSE_UNFIT, "DLQ_URL names the queue itself"},
        {small_dlq, CAUSE_UNFIT, "MaximumMessageSize is below the queue's"},
        {fifo_dlq, CAUSE_UNFIT, "DLQ_URL names a FIFO queue"},
        {fifo_queue, CAUSE_UNFIT, "DLQ_URL names a standard queue, but the queue is a FIFO queue"},
        {bad_queue, CAUSE_UNFIT, "QUEUE_URL must be a queue's URL or its name"},
        {tables_denied, CAUSE_DENIED, "TABLE_NAME"},
        {audit_table_denied, CAUSE_DENIED, "AWS doesn't permit a look at the audit table"},
        {queue_denied, CAUSE_DENIED, "QUEUE_URL"},
        {expired, CAUSE_CREDENTIALS, "credentials"},
        {tables_down, CAUSE_UNREACHABLE, "service=DynamoDB why="},
        {queues_down, CAUSE_UNREACHABLE, "service=SQS why="},
        {table_creating, CAUSE_UNREACHABLE, "not active yet"},
        {transactions_denied, CAUSE_DENIED, "AWS doesn't permit the transaction that each message needs"},
        {transactions_expired, CAUSE_CREDENTIALS, "ExpiredTokenException"},
        {transactions_throttled, CAUSE_UNREACHABLE, "Giving up"},
        {transactions_down, CAUSE_UNREACHABLE,
         "Waiting: the transaction at the start, which changes nothing, can't be tried yet"},
        {audit_throttled, CAUSE_UNREACHABLE, "why=ProvisionedThroughputExceeded"},
        {everything_commits, CAUSE_UNREACHABLE, "its conditions can't hold: what answers there isn't DynamoDB"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct search s;
        search_init(&s);
        cases[i].spoil(&s);
        search_ends(&s, outcome_by(cases[i].cause), cases[i].logged);
        search_done(&s);
    }
}

static void fault_33_tables_that_take_no_transactions_are_refused_at_the_start(void **state) {
    (void)state;
    static const struct {
        void (*spoil)(struct search *s);
        enum cause cause;
        const char *logged;
    } cases[] = {
        {strong_table, CAUSE_UNFIT, "TABLE_NAME names a global table of strong multi-Region consistency"},
        {strong_audit_table, CAUSE_UNFIT, "AUDIT_LOG_TABLE names a global table of strong multi-Region consistency"},
        {other_account, CAUSE_UNFIT, "TABLE_NAME and AUDIT_LOG_TABLE name tables of different accounts or regions"},
        {other_region, CAUSE_UNFIT, "TABLE_NAME and AUDIT_LOG_TABLE name tables of different accounts or regions"},
        {transactions_invalid, CAUSE_MISSING, "DynamoDB refuses the transaction that each message needs"},
        {update_invalid, CAUSE_MISSING, "code=ValidationError"},
        {put_invalid, CAUSE_MISSING, "code=ValidationError"},
        {unknown_reason, CAUSE_MISSING, "code=SomethingNew"},
        {transactions_strange, CAUSE_MISSING, "code=SomethingNew"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct search s;
        search_init(&s);
        cases[i].spoil(&s);
        s.options.patience = NEVER;
        search_ends(&s, outcome_by(cases[i].cause), cases[i].logged);
        search_done(&s);
    }
}

static void the_transaction_at_the_start_has_no_effect_whatever_the_key_is(void **state) {
    (void)state;
    static const enum key_type types[] = {KEY_STRING, KEY_NUMBER, KEY_BINARY};
    for (unsigned i = 0; i < 12; i++) {
        struct search s;
        search_init(&s);
        s.scene.users->shape.partition.type = types[i % 3];
        if (i >= 3)
            s.scene.users->shape.sort = (struct key_attribute){"at", types[(i / 3) % 3]};
        search_ends(&s, outcome_of(ENDED_WELL), NULL);
        assert_int_equal(s.scene.db->transact.calls, 1);
        assert_int_equal(s.scene.db->committed, 0);
        assert_int_equal(sim_table_count(s.scene.users) + sim_table_count(s.scene.audit), 0);
        search_done(&s);
    }
}

static void where_two_start_at_once_a_conflict_shows_the_same(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    answer(&s, 0, "TransactionConflict", "ConditionalCheckFailed");
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    search_done(&s);
}

static void who_receives_nothing_tries_no_transaction_at_the_start(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.tries_transaction = false;
    transactions_denied(&s);
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    assert_int_equal(s.scene.db->transact.calls, 0);
    search_done(&s);
}

static void a_table_that_throttles_at_the_start_is_waited_for(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.patience = NEVER;
    transactions_throttled(&s);
    search_start(&s);
    world_run(&s.scene.world, HOUR);
    assert_false(s.ended);
    assert_int_equal(world_logged(&s.scene.world, "Waiting: the transaction at the start"), 1);
    assert_in_range(s.scene.db->transact.attempts, 3600 / 12, 3600 / 4);
    s.scene.db->transact.mode = SIM_UP;
    world_run(&s.scene.world, 30 * SECOND);
    assert_true(s.ended);
    assert_true(outcome_is_well(s.outcome));
    assert_int_equal(world_logged(&s.scene.world, "Reached at last"), 1);
    search_done(&s);
}

static void of_several_problems_the_one_that_needs_a_hand_most_is_the_cause_and_all_are_told(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    tables_denied(&s);
    no_queue(&s);
    search_ends(&s, outcome_by(CAUSE_MISSING), "QUEUE_URL names a queue that doesn't exist");
    assert_true(world_logged(&s.scene.world, "TABLE_NAME") == 1);
    search_done(&s);
    search_init(&s);
    queues_down(&s);
    tables_denied(&s);
    search_ends(&s, outcome_by(CAUSE_DENIED), "TABLE_NAME");
    search_done(&s);
    /* What is known to be unfit is told, whatever else is denied. */
    static void (*const unfit[])(struct search *) = {no_audit_table, audit_sort_key, small_dlq, same_queue};
    for (size_t i = 0; i < ARRAY_LENGTH(unfit); i++) {
        search_init(&s);
        no_table(&s);
        unfit[i](&s);
        search_ends_unfit(&s, i < 2   ? "AUDIT_LOG_TABLE names"
                              : i < 3 ? "MaximumMessageSize"
                                      : "DLQ_URL names the queue itself");
        assert_int_equal(world_logged(&s.scene.world, "TABLE_NAME names"), 1);
        search_done(&s);
        search_init(&s);
        if (i < 2)
            queue_denied(&s);
        else
            tables_denied(&s);
        unfit[i](&s);
        search_ends(&s, outcome_by(CAUSE_UNFIT), i < 2 ? "QUEUE_URL" : "TABLE_NAME");
        search_done(&s);
    }
    /* A DLQ that only the queue's policy names is still looked for. */
    search_init(&s);
    s.options.dlq = NULL;
    memcpy(s.scene.queue->attributes.dead_letter_target_arn, s.scene.dlq->attributes.arn,
           sizeof s.scene.dlq->attributes.arn);
    s.scene.sqs->attributes.latency = SECOND;
    tables_denied(&s);
    no_dlq(&s);
    search_ends(&s, outcome_by(CAUSE_MISSING), "QUEUE_URL's redrive policy names a queue that doesn't exist");
    search_done(&s);
}

static void an_audit_table_that_nobody_needs_may_be_missing(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    no_audit_table(&s);
    s.options.audit = AUDIT_OFF;
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    assert_false(s.facts->audit_table_exists);
    assert_string_equal(s.facts->audit_table.name, SIM_AUDIT_TABLE);
    search_done(&s);
}

static void what_cant_be_reached_is_waited_for_saying_why_once(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.patience = NEVER;
    tables_down(&s);
    queues_down(&s);
    search_start(&s);
    world_run(&s.scene.world, 3 * HOUR);
    assert_false(s.ended);
    assert_int_equal(world_logged(&s.scene.world, "Waiting: the service can't be reached"), 4);
    s.scene.db->describe.mode = SIM_THROTTLED; /* for another reason now */
    world_run(&s.scene.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.scene.world, "Waiting: the service can't be reached"), 6);
    s.scene.db->describe.mode = SIM_UP;
    world_run(&s.scene.world, MINUTE);
    assert_false(s.ended);
    sim_sqs_set_mode(s.scene.sqs, SIM_UP);
    world_run(&s.scene.world, 30 * SECOND);
    assert_true(s.ended);
    assert_true(outcome_is_well(s.outcome));
    search_done(&s);
}

static void a_problem_that_waiting_wont_mend_ends_the_waiting(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.patience = NEVER;
    queues_down(&s);
    no_table(&s);
    search_ends(&s, outcome_by(CAUSE_MISSING), "TABLE_NAME names");
    search_done(&s);
    search_init(&s);
    s.options.patience = NEVER;
    queues_down(&s);
    no_audit_table(&s);
    search_ends(&s, outcome_by(CAUSE_UNFIT), "AUDIT_LOG_TABLE names");
    search_done(&s);
}

static void an_answer_without_a_usable_url_is_told_as_what_it_is(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    memcpy(s.scene.queue->url, "nowhere", sizeof "nowhere");
    search_ends(&s, outcome_by(CAUSE_UNREACHABLE), "why=\"its answer holds no queue's URL\"");
    search_done(&s);
}

static void it_asks_once_even_without_any_patience(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.patience = 0;
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    search_done(&s);
    search_init(&s);
    s.options.patience = 0;
    tables_down(&s);
    search_ends(&s, outcome_by(CAUSE_UNREACHABLE), "Giving up");
    search_done(&s);
}

static void ended_at_any_moment_it_leaves_nothing(void **state) {
    (void)state;
    for (unsigned steps = 0; steps < 30; steps++) {
        struct search s;
        search_init(&s);
        search_start(&s);
        for (unsigned i = 0; i < steps; i++)
            (void)world_step(&s.scene.world);
        search_done(&s);
    }
}

static void a_dlq_is_looked_for_without_a_queue_too(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.queue = NULL;
    s.options.tries_transaction = false;
    search_ends(&s, outcome_of(ENDED_WELL), NULL);
    assert_string_equal(s.facts->dlq.url, s.scene.dlq->url);
    assert_string_equal(s.facts->queue.url, "");
    search_done(&s);
    search_init(&s);
    s.options.queue = NULL;
    s.options.dlq = "absent";
    search_ends(&s, outcome_by(CAUSE_MISSING), "DLQ_URL names a queue that doesn't exist");
    search_done(&s);
}

static void in_turn_the_audit_table_waits_for_an_answer_about_the_other(void **state) {
    (void)state;
    for (unsigned in_turn = 0; in_turn < 2; in_turn++) {
        struct search s;
        search_init(&s);
        s.options.in_turn = in_turn;
        s.scene.db->describe.latency = MILLISECOND;
        search_ends(&s, outcome_of(ENDED_WELL), NULL);
        assert_true(s.facts->audit_table_exists);
        assert_int_equal(s.scene.db->describe.calls, 2);
        assert_int_equal(s.scene.db->describe.most_running, in_turn ? 1 : 2);
        search_done(&s);
    }
}

static void in_turn_both_tables_problems_are_told_and_services_that_are_away_waited_for(void **state) {
    (void)state;
    struct search s;
    search_init(&s);
    s.options.in_turn = true;
    no_table(&s);
    no_audit_table(&s);
    search_ends_unfit(&s, "TABLE_NAME names");
    assert_true(world_logged(&s.scene.world, "AUDIT_LOG_TABLE names"));
    search_done(&s);
    search_init(&s);
    s.options.in_turn = true;
    s.options.patience = NEVER;
    tables_down(&s);
    search_start(&s);
    world_run(&s.scene.world, MINUTE);
    assert_false(s.ended);
    s.scene.db->describe.mode = SIM_UP;
    world_run(&s.scene.world, MINUTE);
    assert_true(s.ended);
    assert_true(outcome_is_well(s.outcome));
    assert_true(s.facts->audit_table_exists);
    search_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_and_queues_are_found_by_name_url_or_redrive_policy),
        cmocka_unit_test(without_a_queue_only_the_tables_are_looked_for),
        cmocka_unit_test(each_problem_has_its_cause_and_names_its_setting),
        cmocka_unit_test(fault_33_tables_that_take_no_transactions_are_refused_at_the_start),
        cmocka_unit_test(the_transaction_at_the_start_has_no_effect_whatever_the_key_is),
        cmocka_unit_test(where_two_start_at_once_a_conflict_shows_the_same),
        cmocka_unit_test(who_receives_nothing_tries_no_transaction_at_the_start),
        cmocka_unit_test(a_table_that_throttles_at_the_start_is_waited_for),
        cmocka_unit_test(of_several_problems_the_one_that_needs_a_hand_most_is_the_cause_and_all_are_told),
        cmocka_unit_test(an_audit_table_that_nobody_needs_may_be_missing),
        cmocka_unit_test(in_turn_the_audit_table_waits_for_an_answer_about_the_other),
        cmocka_unit_test(in_turn_both_tables_problems_are_told_and_services_that_are_away_waited_for),
        cmocka_unit_test(what_cant_be_reached_is_waited_for_saying_why_once),
        cmocka_unit_test(a_problem_that_waiting_wont_mend_ends_the_waiting),
        cmocka_unit_test(an_answer_without_a_usable_url_is_told_as_what_it_is),
        cmocka_unit_test(it_asks_once_even_without_any_patience),
        cmocka_unit_test(ended_at_any_moment_it_leaves_nothing),
        cmocka_unit_test(a_dlq_is_looked_for_without_a_queue_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
