/* The rules by which `check` judges what it found. Pure: facts in, lines out. */
#pragma once

#include "check_report.h"
#include "sqs.h"
#include "table_facts.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

/* offset: the services' time less ours, in microseconds. */
void check_clock_rule(struct check_report *r, int64_t offset);

/* A table beside the settings that concern it. */
struct check_table_view {
    const char *name; /* as it was given */
    const struct table_facts *facts;
    bool is_audit; /* it is the audit table */
    unsigned audit_ttl_days; /* AUDIT_LOG_TTL_DAYS; 0: none */
};
/* Status, key and kind. False: it is unfit, or can't be used yet. */
bool check_table_rule(struct check_report *r, const struct check_table_view *view);
/* What DynamoDB removes from it by time to live. */
void check_ttl_rule(struct check_report *r, const struct check_table_view *view);
/* Whether point-in-time recovery is on. */
void check_recovery_rule(struct check_report *r, const struct check_table_view *view);
/* Whether one transaction can span both. */
void check_tables_rule(struct check_report *r, const struct table_shape *table, const struct table_shape *audit);

/* Queue and DLQ beside the settings that concern them. */
struct check_queues_view {
    const char *queue_name, *dlq_name;
    const char *queue_url, *dlq_url;
    const struct sqs_queue_attributes *queue, *dlq; /* dlq: NULL, it is not known */
    const char *account; /* of the credentials; "": not told */
    unsigned max_attempts; /* MAX_ATTEMPTS */
    unsigned visibility; /* VISIBILITY_TIMEOUT; 0: the queue's, at least 10 */
    unsigned audit_ttl_days; /* AUDIT_LOG_TTL_DAYS; 0: none */
};
/* What each is, and what is wrong with it alone. */
void check_queue_rule(struct check_report *r, const struct check_queues_view *view);
void check_dlq_rule(struct check_report *r, const struct check_queues_view *view);
/* What is wrong with the two together, and the races between the redrive policy and what the worker does itself. */
void check_queues_rule(struct check_report *r, const struct check_queues_view *view);
