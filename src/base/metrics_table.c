/* The table of metrics. The scrape and the manual's list are written from it. */
#include "metrics.h"

#include "compiler.h"

#include <stddef.h>

const char *const METRICS_ERROR_NAMES[METRICS_ERRORS] = {
    "InvalidInputError", "ValidationError", "RecordNotFoundError", "ConditionalCheckFailed", "DatabaseError",
};
const char *const METRICS_PART_NAMES[METRICS_PARTS] = {
    "starting", "applying", "confirming", "receiving", "deleting", "extending", "dead_lettering", "credentials",
};
const char *const METRICS_CAUSE_NAMES[METRICS_CAUSES] = {
    "throttled", "unreachable", "denied", "credentials", "clock", "missing", "refused", "other",
};
const char *const METRICS_STATE_NAMES[METRICS_STATES] = {
    "waiting", "applying", "dead_lettering", "deleting", "returning",
};
static const char *const services[] = {"dynamodb", "sqs"};
static const char *const classes[METRICS_CALL_CLASSES] = {
    "ok", "refused", "failed", "throttled", "credentials", "denied", "clock",
};
static const char *const verdicts[METRICS_VERDICTS] = {
    "applied",        "applied_before",  "applied_unknown", "key_reused",  "not_found", "condition_false",
    "refused",        "refused_vaguely", "item_refused",    "failed",      "conflict",  "throttled",
    "token_mismatch", "no_answer",       "token_taken",     "environment",
};
static const char *const receives[METRICS_RECEIVES] = {"messages", "empty", "failed"};
static const char *const batches[METRICS_BATCHES] = {"delete", "visibility", "dead_letter"};
static const char *const ends[] = {"answered", "failed"};
static const char *const extensions[] = {"extended", "refused"};
static const char *const depths[] = {"visible", "in_flight", "delayed"};
static const char *const versions[] = {TABLE_UPDATER_VERSION};

#define LABEL(name, values)                                                                                            \
    { name, values, ARRAY_LENGTH(values) }
#define AT(field) offsetof(struct metrics, field)
#define COUNTER(name, help, field, ...)                                                                                \
    {                                                                                                                  \
        "table_updater_" name, help, METRICS_COUNTER, METRICS_NUMBER, AT(field), {                                     \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define GAUGE(name, help, unit, field, ...)                                                                            \
    {                                                                                                                  \
        "table_updater_" name, help, METRICS_GAUGE, unit, AT(field), {                                                 \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define HISTOGRAM(name, help, kind, field, ...)                                                                        \
    {                                                                                                                  \
        "table_updater_" name, help, kind, METRICS_NUMBER, AT(field), {                                                \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define NO_LABEL                                                                                                       \
    { NULL, NULL, 0 }

const struct metrics_row METRICS[] = {
    COUNTER("messages_received_total", "Messages received from the queue.", received, NO_LABEL),
    COUNTER("messages_applied_total", "Messages whose update was applied, or had been.", applied, NO_LABEL),
    COUNTER("messages_dead_lettered_total", "Messages that went to the DLQ, by error.", dead_lettered,
            LABEL("error", METRICS_ERROR_NAMES)),
    COUNTER("messages_returned_total", "Messages made visible on the queue again.", returned, NO_LABEL),
    COUNTER("messages_set_aside_total",
            "Times that a message failed by itself while others got through, and was put off for longer.", set_aside,
            NO_LABEL),
    COUNTER("messages_lease_lost_total", "Messages whose visibility timeout ran out before they were done with.",
            leases_lost, NO_LABEL),
    COUNTER("messages_undeleted_total",
            "Messages done with that could not be deleted in time: they may be delivered once more.", undeleted,
            NO_LABEL),
    HISTOGRAM("message_sent_to_applied_seconds", "From the sending of a message until its update was applied.",
              METRICS_DURATIONS, sent_to_applied, NO_LABEL),
    HISTOGRAM("message_received_to_applied_seconds", "From the receive of a message until its update was applied.",
              METRICS_DURATIONS, received_to_applied, NO_LABEL),
    COUNTER("transactions_total",
            "Transactions by what DynamoDB's answer means: conflict and throttled are tried again.", transactions,
            LABEL("result", verdicts)),
    HISTOGRAM("transaction_seconds", "From the start of a transaction until its answer.", METRICS_DURATIONS,
              transaction, NO_LABEL),
    COUNTER("receives_total", "Receives by what they brought.", receives, LABEL("result", receives)),
    HISTOGRAM("receive_messages", "Messages that a receive brought.", METRICS_FILL, receive_fill, NO_LABEL),
    COUNTER("batches_total",
            "Calls that delete messages, change their visibility timeouts or send them to the DLQ, by outcome; failed: "
            "as a whole.",
            batches, LABEL("kind", batches), LABEL("result", ends)),
    HISTOGRAM("batch_messages", "Messages in such a call.", METRICS_FILL, batch_fill, LABEL("kind", batches)),
    HISTOGRAM("batch_seconds", "From the start of such a call until its answer.", METRICS_DURATIONS, batch_duration,
              LABEL("kind", batches)),
    COUNTER("lease_extensions_total", "Visibility timeouts extended while a message is worked on.", extensions,
            LABEL("result", extensions)),
    COUNTER("requests_total", "Requests to a service by how they ended.", requests, LABEL("service", services),
            LABEL("result", classes)),
    COUNTER("retries_total",
            "Requests to a service made again within one call, by how the one before ended; transactions are tried "
            "again beyond these.",
            retries, LABEL("service", services), LABEL("result", classes)),
    GAUGE("calls_in_flight", "Calls of a service under way.", METRICS_NUMBER, calls, LABEL("service", services)),
    GAUGE("ready", "1 where /readyz says so.", METRICS_NUMBER, ready, NO_LABEL),
    GAUGE("trouble", "1 while a part of the work is held back by the cause.", METRICS_NUMBER, trouble,
          LABEL("part", METRICS_PART_NAMES), LABEL("cause", METRICS_CAUSE_NAMES)),
    GAUGE("trouble_since_timestamp_seconds", "When that began; no sample where a part is in no trouble.",
          METRICS_SECONDS, trouble_since, LABEL("part", METRICS_PART_NAMES)),
    GAUGE("messages_in_flight", "Messages received, and neither deleted nor returned, by what they wait for.",
          METRICS_NUMBER, in_flight, LABEL("state", METRICS_STATE_NAMES)),
    GAUGE("max_in_flight", "The setting MAX_IN_FLIGHT.", METRICS_NUMBER, max_in_flight, NO_LABEL),
    GAUGE("receives_in_flight", "Receives under way.", METRICS_NUMBER, receives_open, NO_LABEL),
    GAUGE("rate_limit_transactions_per_second",
          "Transactions a second that MAX_RATE and DynamoDB's throttles leave; no sample where nothing bounds them.",
          METRICS_NUMBER, rate_limit, NO_LABEL),
    GAUGE("oldest_message_age_seconds", "Since the oldest message in flight was sent; 0 where none is.",
          METRICS_SECONDS, oldest_age, NO_LABEL),
    GAUGE("queue_messages", "Messages on the queue as SQS counts them, asked for once a minute.", METRICS_NUMBER, queue,
          LABEL("state", depths)),
    GAUGE("dlq_messages", "Messages on the DLQ, likewise.", METRICS_NUMBER, dlq, LABEL("state", depths)),
    GAUGE("credentials_expiry_timestamp_seconds",
          "When the credentials held expire; no sample where they don't, or none are held.", METRICS_SECONDS,
          credentials_expire, NO_LABEL),
    GAUGE("clock_offset_seconds", "What is added to this machine's clock to sign requests with the service's time.",
          METRICS_SECONDS, clock_offset, NO_LABEL),
    COUNTER("log_lines_lost_total", "Log lines that nobody took.", log_lines_lost, NO_LABEL),
    COUNTER("connections_opened_total", "Connections opened to services.", connections_opened, NO_LABEL),
    GAUGE("transfers_in_flight", "HTTP requests under way.", METRICS_NUMBER, transfers, NO_LABEL),
    GAUGE("response_bytes", "Memory that the bodies of responses under way take.", METRICS_NUMBER, response_bytes,
          NO_LABEL),
    GAUGE("build_info", "1; the version is a label.", METRICS_NUMBER, build, LABEL("version", versions)),
    {"process_start_time_seconds",
     "When the process started.",
     METRICS_GAUGE,
     METRICS_SECONDS,
     AT(started_at),
     {NO_LABEL}},
    {"process_cpu_seconds_total",
     "CPU time of the process.",
     METRICS_COUNTER,
     METRICS_SECONDS,
     AT(cpu_time),
     {NO_LABEL}},
    {"process_resident_memory_bytes",
     "Resident memory.",
     METRICS_GAUGE,
     METRICS_NUMBER,
     AT(resident_bytes),
     {NO_LABEL}},
    {"process_virtual_memory_bytes", "Virtual memory.", METRICS_GAUGE, METRICS_NUMBER, AT(virtual_bytes), {NO_LABEL}},
    {"process_open_fds", "Open file descriptors.", METRICS_GAUGE, METRICS_NUMBER, AT(open_files), {NO_LABEL}},
    {"process_max_fds", "How many may be open.", METRICS_GAUGE, METRICS_NUMBER, AT(max_files), {NO_LABEL}},
};
const size_t METRICS_COUNT = ARRAY_LENGTH(METRICS);
