#include "discovery_private.h"

#include <stdio.h>
#include <string.h>

static const unsigned DAY = 86400;
static const unsigned VISIBILITY_LEAST = 10;

bool queue_name_valid(const char *name) {
    size_t len = strlen(name);
    size_t stem = len > 5 && !strcmp(name + len - 5, ".fifo") ? len - 5 : len;
    return len > 0 && len <= 80 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") >= stem;
}

bool queue_url_name(const char *url, char ret_name[static QUEUE_NAME_SIZE]) {
    const char *host = strstr(url, "://"), *slash = strrchr(url, '/');
    if (!host || slash <= host + 2 || strlen(url) >= QUEUE_URL_SIZE || !queue_name_valid(slash + 1))
        return false;
    snprintf(ret_name, QUEUE_NAME_SIZE, "%s", slash + 1);
    return true;
}

bool queue_arn_parse(const char *arn, char ret_account[static 16], char ret_name[static QUEUE_NAME_SIZE]) {
    const char *part[6] = {arn};
    for (size_t i = 1; i < ARRAY_LENGTH(part); i++) {
        const char *colon = strchr(part[i - 1], ':');
        if (!colon)
            return false;
        part[i] = colon + 1;
    }
    size_t account = (size_t)(part[5] - part[4]) - 1;
    if (strncmp(arn, "arn:", 4) != 0 || strncmp(part[2], "sqs:", 4) != 0 || account >= 16 || !queue_name_valid(part[5]))
        return false;
    snprintf(ret_account, 16, "%.*s", (int)account, part[4]);
    snprintf(ret_name, QUEUE_NAME_SIZE, "%s", part[5]);
    return true;
}

static bool check_audit_table(struct log *log, const struct discovery_options *options,
                              const struct discovery_facts *facts) {
    const struct table_shape *audit = &facts->audit_table;
    if (!facts->audit_table_exists) {
        if (options->audit == AUDIT_OFF)
            return true;
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "AUDIT_LOG_TABLE names a table that doesn't exist: create it (string partition key log_id), or set "
                  "ENABLE_AUDIT_LOG=false",
                  LOG_C("given", options->audit_table));
        return false;
    }
    if (strcmp(audit->partition.name, "log_id") != 0 || audit->partition.type != KEY_STRING || audit->sort.name[0]) {
        LOG_EVENT(
            log, LOG_LEVEL_ERROR,
            "AUDIT_LOG_TABLE names a table with another key: its key must be exactly log_id, a string partition key",
            LOG_C("given", options->audit_table), LOG_C("partition_key", audit->partition.name),
            LOG_C("type", audit->partition.type == KEY_STRING   ? "S"
                          : audit->partition.type == KEY_NUMBER ? "N"
                                                                : "B"),
            LOG_C("sort_key", audit->sort.name[0] ? audit->sort.name : "none"));
        return false;
    }
    return true;
}

/* Whether the table is of a kind that takes transactions; where it isn't, logs so. */
static bool check_consistency(struct log *log, const char *setting, const struct table_shape *table) {
    if (!table->strongly_consistent)
        return true;
    char text[192];
    snprintf(
        text, sizeof text,
        "%s names a global table of strong multi-Region consistency (MRSC), which takes no transactions: name one of "
        "eventual consistency (MREC), or of one region",
        setting);
    LOG_EVENT(log, LOG_LEVEL_ERROR, text, LOG_C("given", table->name));
    return false;
}

bool discovery_check_table(struct log *log, const struct discovery_options *options,
                           const struct discovery_facts *facts, bool audit) {
    if (!audit)
        return check_consistency(log, "TABLE_NAME", &facts->table);
    bool fits = check_audit_table(log, options, facts);
    if (!fits || !facts->audit_table_exists)
        return fits;
    return check_consistency(log, "AUDIT_LOG_TABLE", &facts->audit_table);
}

bool discovery_check_places(struct log *log, const struct discovery_facts *facts) {
    const struct table_shape *table = &facts->table, *audit = &facts->audit_table;
    bool known = facts->audit_table_exists && table->region[0] && audit->region[0];
    if (!known || (!strcmp(table->region, audit->region) && !strcmp(table->account, audit->account)))
        return true;
    LOG_EVENT(
        log, LOG_LEVEL_ERROR,
        "TABLE_NAME and AUDIT_LOG_TABLE name tables of different accounts or regions, which no transaction can span: "
        "name an audit table beside the updated one (or one that doesn't exist, where no message shall have an audit "
        "record)",
        LOG_C("table", table->name), LOG_C("table_region", table->region), LOG_C("table_account", table->account),
        LOG_C("audit_table", audit->name), LOG_C("audit_region", audit->region),
        LOG_C("audit_account", audit->account));
    return false;
}

bool discovery_check_queues(struct log *log, const struct discovery_facts *facts) {
    const struct queue_facts *queue = &facts->queue, *dlq = &facts->dlq;
    bool fits = true;
    if (!strcmp(dlq->url, queue->url) ||
        (dlq->attributes.arn[0] && !strcmp(dlq->attributes.arn, queue->attributes.arn))) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "DLQ_URL names the queue itself: it must be another queue",
                  LOG_C("given", dlq->url));
        fits = false;
    }
    if (dlq->attributes.fifo != queue->attributes.fifo) {
        LOG_EVENT(
            log, LOG_LEVEL_ERROR,
            queue->attributes.fifo
                ? "DLQ_URL names a standard queue, but the queue is a FIFO queue: its DLQ must be a FIFO queue as well"
                : "DLQ_URL names a FIFO queue, but the queue is a standard one: both must be of one kind",
            LOG_C("queue", queue->url), LOG_C("given", dlq->url));
        fits = false;
    }
    if (dlq->attributes.max_message_size < queue->attributes.max_message_size) {
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "The DLQ's MaximumMessageSize is below the queue's, so that not every message could go there: raise "
                  "it to the queue's at least",
                  LOG_I("dlq_maximum", dlq->attributes.max_message_size),
                  LOG_I("queue_maximum", queue->attributes.max_message_size));
        fits = false;
    }
    return fits;
}

static void warn(struct log *log, const struct discovery_options *options, const struct discovery_facts *facts) {
    const struct sqs_queue_attributes *queue = &facts->queue.attributes, *dlq = &facts->dlq.attributes;
    if (queue->max_receive_count && queue->max_receive_count <= options->max_attempts)
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "The queue's own redrive policy may move messages to its DLQ, without an envelope, before "
                  "MAX_ATTEMPTS is reached: set its maxReceiveCount well above",
                  LOG_I("maxReceiveCount", queue->max_receive_count), LOG_I("MAX_ATTEMPTS", options->max_attempts),
                  LOG_I("retention_seconds", queue->retention));
    unsigned retention = queue->retention > dlq->retention ? queue->retention : dlq->retention;
    if (facts->audit_table_exists && options->audit_ttl_days &&
        options->audit_ttl_days < retention / DAY + 1 + (retention % DAY != 0))
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "AUDIT_LOG_TTL_DAYS is below the queues' retention plus a day: a message delivered after its audit "
                  "record expired would be applied again",
                  LOG_I("given", options->audit_ttl_days),
                  LOG_I("at_least", retention / DAY + 1 + (retention % DAY != 0)));
}

static unsigned visibility_of(const struct discovery_options *options, const struct discovery_facts *facts) {
    unsigned own = facts->queue.attributes.visibility_timeout;
    return options->visibility ? options->visibility : own > VISIBILITY_LEAST ? own : VISIBILITY_LEAST;
}

void discovery_set_visibility(struct discovery *d, unsigned seconds) {
    d->options.visibility = seconds;
    if (d->facts.visibility) /* the facts are complete */
        d->facts.visibility = visibility_of(&d->options, &d->facts);
}

void discovery_finish(struct log *log, const struct discovery_options *options, struct discovery_facts *facts) {
    if (!options->queue || options->without_dlq)
        return;
    facts->visibility = visibility_of(options, facts);
    warn(log, options, facts);
}
