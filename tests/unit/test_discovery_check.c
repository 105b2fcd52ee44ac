#include "worker_world.h"

#include "discovery_private.h"

static void names_are_told_from_what_is_none(void **state) {
    (void)state;
    static const char *const good[] = {
        "a", "updates", "updates-dlq_2", "updates.fifo",
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890"};
    static const char *const bad[] = {
        "",
        "up dates",
        "up.dates",
        ".fifo",
        "updates.fifo.fifo",
        "ümlaut",
        "123456789012345678901234567890123456789012345678901234567890123456789012345678901"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(queue_name_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(queue_name_valid(bad[i]));
}

static void urls_and_arns_are_taken_apart(void **state) {
    (void)state;
    char name[QUEUE_NAME_SIZE], account[16];
    assert_true(queue_url_name("https://sqs.eu-central-1.amazonaws.com/123456789012/updates", name));
    assert_string_equal(name, "updates");
    assert_true(queue_url_name("http://127.0.0.1:9324/queue/updates.fifo", name));
    assert_string_equal(name, "updates.fifo");
    static const char *const urls[] = {"https://host",  "https://",         "updates",
                                       "https://host/", "https://host/a b", "/x/y"};
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++)
        assert_false(queue_url_name(urls[i], name));
    assert_true(queue_arn_parse("arn:aws-cn:sqs:cn-north-1:123456789012:dead", account, name));
    assert_string_equal(account, "123456789012");
    assert_string_equal(name, "dead");
    assert_true(queue_arn_parse("arn:aws:sqs:elasticmq::dead", account, name));
    assert_string_equal(account, "");
    static const char *const arns[] = {"",
                                       "arn",
                                       "arn:aws:sqs:r:1",
                                       "arn:aws:sns:r:1:dead",
                                       "urn:aws:sqs:r:1:dead",
                                       "arn:aws:sqs:r:1234567890123456:dead",
                                       "arn:aws:sqs:r:1:",
                                       "arn:aws:sqs:r:1:dead:more"};
    for (size_t i = 0; i < ARRAY_LENGTH(arns); i++)
        assert_false(queue_arn_parse(arns[i], account, name));
}

static void finish(struct scene *s, struct discovery_options *options) {
    options->table = SIM_TABLE;
    options->audit_table = SIM_AUDIT_TABLE;
    options->queue = SIM_QUEUE;
    options->max_attempts = options->max_attempts ? options->max_attempts : 5;
    discovery_finish(&s->world.log, options, &s->worker.facts);
}

static void fault_15_a_redrive_policy_that_races_ours_is_warned_of_with_retention(void **state) {
    (void)state;
    for (unsigned count = 0; count <= 6; count++) {
        struct scene s;
        scene_init(&s, 1, 0);
        s.worker.facts.queue.attributes.max_receive_count = count;
        finish(&s, &(struct discovery_options){.audit = AUDIT_ON});
        char expected[64];
        snprintf(expected, sizeof expected, "maxReceiveCount=%u", count);
        assert_int_equal(world_logged(&s.world, expected), count >= 1 && count <= 5);
        assert_int_equal(world_logged(&s.world, "retention_seconds=345600"), count >= 1 && count <= 5);
        scene_done(&s);
    }
}

static void a_ttl_below_retention_and_a_day_is_warned_of(void **state) {
    (void)state;
    static const struct {
        unsigned queue, dlq, days;
        bool warned;
    } cases[] = {{345600, 345600, 5, false},  {345600, 345600, 4, true},    {345601, 345600, 5, true},
                 {345600, 1209600, 14, true}, {345600, 1209600, 15, false}, {0, 0, 1, false},
                 {345600, 345600, 0, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 1, 0);
        s.worker.facts.queue.attributes.retention = cases[i].queue;
        s.worker.facts.dlq.attributes.retention = cases[i].dlq;
        finish(&s, &(struct discovery_options){.audit = AUDIT_ON, .audit_ttl_days = cases[i].days});
        assert_int_equal(world_logged(&s.world, "AUDIT_LOG_TTL_DAYS"), cases[i].warned);
        scene_done(&s);
    }
}

static void the_visibility_timeout_is_the_settings_or_the_queues_and_at_least_ten(void **state) {
    (void)state;
    static const unsigned cases[][3] = {{0, 30, 30}, {0, 5, 10}, {0, 0, 10}, {12, 30, 12}, {600, 30, 600}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 1, 0);
        s.worker.facts.queue.attributes.visibility_timeout = cases[i][1];
        finish(&s, &(struct discovery_options){.audit = AUDIT_ON, .visibility = cases[i][0]});
        assert_int_equal(s.worker.facts.visibility, cases[i][2]);
        scene_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_told_from_what_is_none),
        cmocka_unit_test(urls_and_arns_are_taken_apart),
        cmocka_unit_test(fault_15_a_redrive_policy_that_races_ours_is_warned_of_with_retention),
        cmocka_unit_test(a_ttl_below_retention_and_a_day_is_warned_of),
        cmocka_unit_test(the_visibility_timeout_is_the_settings_or_the_queues_and_at_least_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
