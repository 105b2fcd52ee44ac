#include "check_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400U
#define HOUR 3600U
#define RETENTION_MAX (14 * DAY) /* SQS's own limit */
#define VISIBILITY_LEAST 10U
#define TIME_SIZE 24
#define ACCOUNT_SIZE 16

/* "4 days", "90 s" */
static const char *time_text(unsigned seconds, char text[static TIME_SIZE]) {
    if (seconds && seconds % DAY == 0) {
        (void)snprintf(text, TIME_SIZE, "%u day%s", seconds / DAY, seconds == DAY ? "" : "s");
    } else if (seconds && seconds % HOUR == 0) {
        (void)snprintf(text, TIME_SIZE, "%u h", seconds / HOUR);
    } else {
        (void)snprintf(text, TIME_SIZE, "%u s", seconds);
    }
    return text;
}

static void count_text(const struct sqs_queue_attributes *a, char *text, size_t size) {
    if (sqs_counts_told(a)) {
        (void)snprintf(text, size, "; %" PRIu64 " messages visible, %" PRIu64 " in flight, %" PRIu64 " delayed",
                       a->visible, a->in_flight, a->delayed);
    } else {
        text[0] = '\0';
    }
}

/* The account in an ARN (arn:partition:sqs:region:account:name); "" where there is none, or one that is too long. */
static void account_of(const char *arn, char ret_account[static ACCOUNT_SIZE]) {
    for (int colons = 0; colons < 4 && arn; colons++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    size_t len = arn ? strcspn(arn, ":") : 0;
    (void)snprintf(ret_account, ACCOUNT_SIZE, "%.*s", len < ACCOUNT_SIZE ? (int)len : 0, arn ? arn : "");
}

/* A queue that is encrypted with a KMS key needs permissions on that key too. They can't be tried without an effect. */
static void check_kms(struct check_report *r, const char *name, const struct sqs_queue_attributes *a,
                      const char *account, const char *needs) {
    char own[ACCOUNT_SIZE];
    if (!a->kms_key[0]) {
        return;
    }
    account_of(a->arn, own);
    bool managed = strstr(a->kms_key, "alias/aws/sqs") != NULL;
    if (managed && account[0] && own[0] && strcmp(account, own) != 0) {
        check_problem(r, EXIT_NOT_PERMITTED, "queue", name,
                      "Encrypt it with a key of your own in KMS that admits this account, or with SSE-SQS",
                      "it is encrypted with AWS's own key of account %s (%s), which account %s can't use", own,
                      a->kms_key, account);
    } else {
        check_fine(r, "queue", name,
                   "it is encrypted with the KMS key %s: these credentials need %s on it, which can't be tried without "
                   "an effect",
                   a->kms_key, needs);
    }
}

static void check_retention(struct check_report *r, const char *name, const struct sqs_queue_attributes *a) {
    char text[TIME_SIZE];
    if (a->retention && a->retention < DAY) {
        check_warn(r, "queue", name,
                   "Set MessageRetentionPeriod to the longest outage that is to be survived: 1209600 (14 days)",
                   "messages are lost after %s (MessageRetentionPeriod), however long an outage lasts",
                   time_text(a->retention, text));
    }
}

void check_queue_rule(struct check_report *r, const struct check_queues_view *v) {
    const struct sqs_queue_attributes *q = v->queue;
    unsigned own = q->visibility_timeout > VISIBILITY_LEAST ? q->visibility_timeout : VISIBILITY_LEAST;
    char retention[TIME_SIZE], visibility[TIME_SIZE], counts[128], redrive[48] = "no redrive policy";
    count_text(q, counts, sizeof counts);
    if (q->max_receive_count) {
        (void)snprintf(redrive, sizeof redrive, "maxReceiveCount %u", q->max_receive_count);
    }
    check_fine(r, "queue", v->queue_name, "%s, visibility timeout %s (%s), retention %s, %s%s (QUEUE_URL)",
               q->fifo ? q->high_throughput ? "FIFO of high throughput" : "FIFO" : "standard",
               time_text(v->visibility ? v->visibility : own, visibility),
               v->visibility ? "VISIBILITY_TIMEOUT" : "the queue's, at least 10 s",
               q->retention ? time_text(q->retention, retention) : "not told", redrive, counts);
    check_retention(r, v->queue_name, q);
    check_kms(r, v->queue_name, q, v->account, "kms:Decrypt");
}

void check_dlq_rule(struct check_report *r, const struct check_queues_view *v) {
    const struct sqs_queue_attributes *d = v->dlq;
    char retention[TIME_SIZE], counts[128];
    count_text(d, counts, sizeof counts);
    check_fine(r, "queue", v->dlq_name, "%s, retention %s%s (DLQ_URL)", d->fifo ? "FIFO" : "standard",
               d->retention ? time_text(d->retention, retention) : "not told", counts);
    check_kms(r, v->dlq_name, d, v->account, "kms:GenerateDataKey and kms:Decrypt");
    if (d->max_receive_count) {
        check_warn(r, "queue", v->dlq_name, "Take its redrive policy away",
                   "the DLQ has a redrive policy itself: after %u receives, by whoever looks into it, SQS moves its "
                   "messages on to %s",
                   d->max_receive_count, d->dead_letter_target_arn);
    }
}

static void check_kinds(struct check_report *r, const struct check_queues_view *v) {
    const struct sqs_queue_attributes *q = v->queue, *d = v->dlq;
    if (strcmp(v->queue_url, v->dlq_url) == 0 || (d->arn[0] && strcmp(d->arn, q->arn) == 0)) {
        check_problem(r, EXIT_SETTINGS, "queue", v->dlq_name, "Name another queue with DLQ_URL",
                      "the DLQ is the queue itself");
    }
    if (d->fifo != q->fifo) {
        check_problem(r, EXIT_SETTINGS, "queue", v->dlq_name,
                      q->fifo ? "Name a FIFO queue with DLQ_URL" : "Name a standard queue with DLQ_URL",
                      "the DLQ is a %s queue, but the queue is a %s one", d->fifo ? "FIFO" : "standard",
                      q->fifo ? "FIFO" : "standard");
    }
    if (d->max_message_size < q->max_message_size) {
        check_problem(r, EXIT_SETTINGS, "queue", v->dlq_name, "Raise its MaximumMessageSize to the queue's at least",
                      "its MaximumMessageSize (%zu) is below the queue's (%zu): not every message could go there",
                      d->max_message_size, q->max_message_size);
    }
}

static void check_races(struct check_report *r, const struct check_queues_view *v) {
    const struct sqs_queue_attributes *q = v->queue;
    char mend[96];
    if (q->max_receive_count && q->max_receive_count <= v->max_attempts) {
        (void)snprintf(mend, sizeof mend, "Set maxReceiveCount to 1000, or well above %u", v->max_attempts);
        check_warn(r, "queue", v->queue_name, mend,
                   "maxReceiveCount (%u) is not above MAX_ATTEMPTS (%u): SQS counts deliveries, and moves messages to "
                   "the DLQ itself, without an envelope, that did not fail",
                   q->max_receive_count, v->max_attempts);
    }
    if (v->dlq && q->max_receive_count && v->dlq->arn[0] && strcmp(q->dead_letter_target_arn, v->dlq->arn) != 0) {
        check_warn(r, "queue", v->queue_name, "Let DLQ_URL and the redrive policy name one queue",
                   "its redrive policy moves messages to %s, but DLQ_URL is %s: what failed is in two places",
                   q->dead_letter_target_arn, v->dlq->arn);
    }
    if (v->dlq && v->dlq->dead_letter_target_arn[0] && strcmp(v->dlq->dead_letter_target_arn, q->arn) == 0) {
        check_warn(r, "queue", v->dlq_name, "Take the DLQ's redrive policy away",
                   "the DLQ's redrive policy leads back to the queue: what failed goes round and round");
    }
}

static void check_times(struct check_report *r, const struct check_queues_view *v) {
    const unsigned queue = v->queue->retention, dlq = v->dlq->retention, longest = queue > dlq ? queue : dlq;
    unsigned days = longest / DAY + 1 + (longest % DAY != 0);
    char first[TIME_SIZE], second[TIME_SIZE], mend[96];
    if (dlq && dlq <= queue && dlq < RETENTION_MAX) {
        check_warn(r, "queue", v->dlq_name, "Set its MessageRetentionPeriod to 1209600 (14 days)",
                   "its retention (%s) is %s the queue's (%s): a message that SQS moves keeps its age, and may soon be "
                   "gone",
                   time_text(dlq, first), dlq < queue ? "shorter than" : "not longer than", time_text(queue, second));
    }
    if (v->audit_ttl_days && longest && v->audit_ttl_days < days) {
        (void)snprintf(mend, sizeof mend, "Set AUDIT_LOG_TTL_DAYS to %u at least", days);
        check_warn(r, "queue", v->queue_name, mend,
                   "AUDIT_LOG_TTL_DAYS (%u) is below the queues' retention and a day: a message delivered after its "
                   "audit record is gone is applied again",
                   v->audit_ttl_days);
    }
}

void check_queues_rule(struct check_report *r, const struct check_queues_view *v) {
    if (v->dlq) {
        check_kinds(r, v);
        check_times(r, v);
    }
    check_races(r, v);
}
