#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check_rules.h"
#include "compiler.h"
#include "report_lines.h"

#define DAY 86400U
#define QUEUE_ARN "arn:aws:sqs:eu-west-1:111111111111:q"
#define DLQ_ARN "arn:aws:sqs:eu-west-1:111111111111:dead"

/* A queue and a DLQ that nothing is wrong with. */
struct pair {
    struct sqs_queue_attributes queue, dlq;
    struct check_queues_view view;
};

static void make(struct pair *p) {
    *p = (struct pair){
        .queue = {.visibility_timeout = 30,
                  .retention = 4 * DAY,
                  .max_message_size = SQS_MESSAGE_SIZE_MAX,
                  .max_receive_count = 1000,
                  .dead_letter_target_arn = DLQ_ARN,
                  .arn = QUEUE_ARN,
                  .visible = 5,
                  .in_flight = 1},
        .dlq = {.visibility_timeout = 30,
                .retention = 14 * DAY,
                .max_message_size = SQS_MESSAGE_SIZE_MAX,
                .arn = DLQ_ARN,
                .visible = SQS_COUNT_UNKNOWN},
    };
    p->view = (struct check_queues_view){.queue_name = "q",
                                         .dlq_name = "dead",
                                         .queue_url = "http://x/1/q",
                                         .dlq_url = "http://x/1/dead",
                                         .queue = &p->queue,
                                         .dlq = &p->dlq,
                                         .account = "",
                                         .max_attempts = 5};
}

/* Makes one thing wrong. */
static void nothing(struct pair *p) {
    (void)p;
}
static void dlq_is_queue(struct pair *p) {
    p->view.dlq_url = p->view.queue_url;
}
static void dlq_has_queues_arn(struct pair *p) {
    memcpy(p->dlq.arn, p->queue.arn, sizeof p->dlq.arn);
    memcpy(p->queue.dead_letter_target_arn, p->queue.arn, sizeof p->queue.arn);
}
static void dlq_is_fifo(struct pair *p) {
    p->dlq.fifo = true;
}
static void queue_is_fifo(struct pair *p) {
    p->queue.fifo = true;
}
static void dlq_is_small(struct pair *p) {
    p->dlq.max_message_size = 262144;
}
static void few_receives(struct pair *p) {
    p->queue.max_receive_count = 5;
}
static void one_receive_more(struct pair *p) {
    p->queue.max_receive_count = 6;
}
static void no_policy(struct pair *p) {
    p->queue.max_receive_count = 0;
    p->queue.dead_letter_target_arn[0] = '\0';
}
static void other_target(struct pair *p) {
    p->queue.dead_letter_target_arn[0] = 'x';
}
static void short_dlq(struct pair *p) {
    p->dlq.retention = 2 * DAY;
}
static void equal_dlq(struct pair *p) {
    p->dlq.retention = 4 * DAY;
}
static void longest_both(struct pair *p) {
    p->dlq.retention = p->queue.retention = 14 * DAY;
}
static void retention_not_told(struct pair *p) {
    p->dlq.retention = p->queue.retention = 0;
}
static void goes_round(struct pair *p) {
    memcpy(p->dlq.dead_letter_target_arn, QUEUE_ARN, sizeof QUEUE_ARN);
}
static void audit_ends_early(struct pair *p) {
    p->view.audit_ttl_days = 14;
}
static void audit_lasts(struct pair *p) {
    p->view.audit_ttl_days = 15;
}
static void no_dlq(struct pair *p) {
    p->view.dlq = NULL;
    p->queue.max_receive_count = 3;
}

static void what_is_wrong_with_a_pair_is_told_with_what_mends_it(void **state) {
    (void)state;
    static const struct {
        void (*spoil)(struct pair *p);
        enum exit_code code;
        const char *part;
    } cases[] = {
        {nothing, EXIT_FINE, NULL},
        {dlq_is_queue, EXIT_SETTINGS, "problem  queue dead: the DLQ is the queue itself. Name another queue"},
        {dlq_has_queues_arn, EXIT_SETTINGS, "the DLQ is the queue itself"},
        {dlq_is_fifo, EXIT_SETTINGS, "the DLQ is a FIFO queue, but the queue is a standard one. Name a standard queue"},
        {queue_is_fifo, EXIT_SETTINGS, "the DLQ is a standard queue, but the queue is a FIFO one. Name a FIFO queue"},
        {dlq_is_small, EXIT_SETTINGS, "its MaximumMessageSize (262144) is below the queue's (1048576)"},
        {few_receives, EXIT_FINE, "warning  queue q: maxReceiveCount (5) is not above MAX_ATTEMPTS (5)"},
        {one_receive_more, EXIT_FINE, NULL},
        {no_policy, EXIT_FINE, NULL},
        {other_target, EXIT_FINE, "what failed is in two places"},
        {short_dlq, EXIT_FINE, "its retention (2 days) is shorter than the queue's (4 days)"},
        {equal_dlq, EXIT_FINE, "its retention (4 days) is not longer than the queue's (4 days)"},
        {longest_both, EXIT_FINE, NULL},
        {retention_not_told, EXIT_FINE, NULL},
        {goes_round, EXIT_FINE, "the DLQ's redrive policy leads back to the queue"},
        {audit_ends_early, EXIT_FINE, "AUDIT_LOG_TTL_DAYS (14) is below the queues' retention and a day"},
        {audit_lasts, EXIT_FINE, NULL},
        {no_dlq, EXIT_FINE, "maxReceiveCount (3)"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct pair p;
        struct report_lines l;
        make(&p);
        cases[i].spoil(&p);
        report_lines_begin(&l, false);
        check_queues_rule(&l.report, &p.view);
        report_lines_expect(&l, i, cases[i].part);
        assert_int_equal(l.report.code, cases[i].code);
        assert_int_equal(l.report.warnings + l.report.problems, cases[i].part != NULL);
        report_lines_end(&l);
    }
}

static void a_queue_is_told_by_kind_times_and_counts(void **state) {
    (void)state;
    struct pair p;
    struct report_lines l;
    make(&p);
    report_lines_begin(&l, false);
    check_queue_rule(&l.report, &p.view);
    check_dlq_rule(&l.report, &p.view);
    assert_string_equal(l.text, "ok       queue q: standard, visibility timeout 30 s (the queue's, at least 10 s), "
                                "retention 4 days, maxReceiveCount 1000; 5 messages visible, 1 in flight, 0 delayed "
                                "(QUEUE_URL)\n"
                                "ok       queue dead: standard, retention 14 days (DLQ_URL)\n");
    report_lines_end(&l);
    p.queue.fifo = p.queue.high_throughput = true;
    p.queue.visibility_timeout = 0;
    p.queue.max_receive_count = 0;
    p.queue.retention = 3600;
    p.view.visibility = 60;
    p.dlq.max_receive_count = 3;
    report_lines_begin(&l, false);
    check_queue_rule(&l.report, &p.view);
    check_dlq_rule(&l.report, &p.view);
    report_lines_expect(&l, 0,
                        "FIFO of high throughput, visibility timeout 60 s (VISIBILITY_TIMEOUT), retention 1 h, "
                        "no redrive policy");
    report_lines_expect(&l, 1, "warning  queue q: messages are lost after 1 h (MessageRetentionPeriod)");
    report_lines_expect(&l, 2, "warning  queue dead: the DLQ has a redrive policy itself: after 3 receives");
    report_lines_end(&l);
}

static void a_key_of_kms_is_told_with_what_it_needs(void **state) {
    (void)state;
    static const struct {
        const char *key, *account;
        enum exit_code code;
        const char *part;
    } cases[] = {
        {"alias/mine", "111111111111", EXIT_FINE, "the KMS key alias/mine: these credentials need kms:Decrypt on it"},
        {"alias/aws/sqs", "111111111111", EXIT_FINE, "need kms:Decrypt"},
        {"alias/aws/sqs", "", EXIT_FINE, "need kms:Decrypt"},
        {"alias/aws/sqs", "222222222222", EXIT_NOT_PERMITTED,
         "AWS's own key of account 111111111111 (alias/aws/sqs), which account 222222222222 can't use"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct pair p;
        struct report_lines l;
        make(&p);
        (void)snprintf(p.queue.kms_key, sizeof p.queue.kms_key, "%s", cases[i].key);
        p.view.account = cases[i].account;
        report_lines_begin(&l, false);
        check_queue_rule(&l.report, &p.view);
        report_lines_expect(&l, i, cases[i].part);
        assert_int_equal(l.report.code, cases[i].code);
        report_lines_end(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_a_pair_is_told_with_what_mends_it),
        cmocka_unit_test(a_queue_is_told_by_kind_times_and_counts),
        cmocka_unit_test(a_key_of_kms_is_told_with_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
