/* The program's metrics: counters, histograms, and gauges that are read when somebody asks. One table describes them
 * all; the scrape, the page and the manual's list come from it.
 *
 * Counting increments a number in memory: it allocates nothing and can't fail. Where nobody wants the figures, the
 * pointer is NULL, and the functions do nothing. No metric has a series for each message, record or value. */
#pragma once

#include "buf.h"
#include "clock.h"
#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_service { METRICS_DYNAMODB, METRICS_SQS, METRICS_SERVICES };
enum metrics_batch { METRICS_DELETES, METRICS_VISIBILITIES, METRICS_DEAD_LETTERS, METRICS_BATCHES };
enum metrics_receive { METRICS_RECEIVED_SOME, METRICS_RECEIVED_NONE, METRICS_RECEIVE_FAILED, METRICS_RECEIVES };
#define METRICS_ERRORS 5 /* the contract's error types, in its order */
#define METRICS_CALL_CLASSES 7 /* enum call_class */
#define METRICS_VERDICTS 16 /* enum verdict_kind */
/* The class and the verdict of those that mean throttled. */
#define METRICS_CLASS_THROTTLED 3
#define METRICS_VERDICT_THROTTLED 11
#define METRICS_LAST_DEAD_LETTERS 20

/* Which part of the work may be in trouble, and why. */
enum metrics_part {
    METRICS_STARTING, /* tables and queues haven't been seen yet */
    METRICS_APPLYING,
    METRICS_CONFIRMING, /* failures, by the audit table */
    METRICS_RECEIVING,
    METRICS_DELETING,
    METRICS_EXTENDING,
    METRICS_DEAD_LETTERING,
    METRICS_CREDENTIALS,
    METRICS_PARTS
};
enum metrics_cause {
    METRICS_THROTTLED,
    METRICS_UNREACHABLE, /* no answer, or one that isn't the service's */
    METRICS_DENIED,
    METRICS_NO_CREDENTIALS, /* none, or the service refuses them */
    METRICS_CLOCK,
    METRICS_MISSING, /* a table or queue is missing, or isn't what it was */
    METRICS_REFUSED, /* each message fails as if by its own fault */
    METRICS_OTHER,
    METRICS_CAUSES
};
enum metrics_state { METRICS_WAITING, METRICS_WORKING, METRICS_DEAD, METRICS_DONE, METRICS_RETURNING, METRICS_STATES };
struct metrics_depth { /* of a queue, approximately, as SQS counts */
    int64_t visible, in_flight, delayed;
};
#define METRICS_ABSENT INT64_MIN /* the value of a gauge that isn't known: it has no sample */

#define HISTOGRAM_BUCKETS 20 /* and one more for what is above the last bound */
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* of each bucket alone, not cumulative */
    int64_t sum;
};
/* Upper bounds of the buckets of durations, in microseconds. */
extern const int64_t HISTOGRAM_DURATIONS[HISTOGRAM_BUCKETS];
/* For messages in a batch, bucket n counts the batches of n messages. */
#define HISTOGRAM_BATCH 10

struct metrics {
    uint64_t received, applied, returned, set_aside, leases_lost, undeleted;
    uint64_t dead_lettered[METRICS_ERRORS];
    uint64_t receives[METRICS_RECEIVES];
    uint64_t transactions[METRICS_VERDICTS];
    uint64_t requests[METRICS_SERVICES][METRICS_CALL_CLASSES];
    uint64_t retries[METRICS_SERVICES][METRICS_CALL_CLASSES]; /* by what was tried again */
    uint64_t batches[METRICS_BATCHES][2]; /* answered, failed */
    uint64_t extensions[2]; /* extended, refused */
    struct histogram sent_to_applied, received_to_applied, transaction;
    struct histogram batch_duration[METRICS_BATCHES];
    struct histogram batch_fill[METRICS_BATCHES];
    struct histogram receive_fill;
    struct {
        int64_t wall;
        unsigned error; /* enum error_type */
    } last_dead_letters[METRICS_LAST_DEAD_LETTERS]; /* a ring; the next goes to dead_letters_seen % its size */
    uint64_t dead_letters_seen;

    /* Gauges, and counts that are kept elsewhere: whoever collects sets them, just before somebody reads. */
    int64_t ready, trouble[METRICS_PARTS][METRICS_CAUSES], trouble_since[METRICS_PARTS];
    int64_t in_flight[METRICS_STATES], max_in_flight, receives_open, rate_limit, oldest_age;
    struct metrics_depth queue, dlq;
    int64_t credentials_expire, clock_offset;
    int64_t calls[METRICS_SERVICES];
    int64_t connections_opened, transfers, response_bytes, log_lines_lost;
    int64_t started_at, resident_bytes, virtual_bytes, cpu_time, open_files, max_files;
    int64_t build;
};

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_DURATIONS, METRICS_FILL };
enum metrics_unit { METRICS_NUMBER, METRICS_SECONDS }; /* the latter are kept in microseconds */

struct metrics_label {
    const char *name; /* NULL: none */
    const char *const *values;
    size_t count;
};
/* A row of the table: one family of series. */
struct metrics_row {
    const char *name;
    const char *help; /* a sentence, plain ASCII, without quotes and backslashes */
    enum metrics_kind kind;
    enum metrics_unit unit;
    size_t offset; /* in struct metrics, of the first value; the last label varies fastest */
    struct metrics_label labels[2];
};
extern const struct metrics_row METRICS[];
extern const size_t METRICS_COUNT;
extern const char *const METRICS_ERROR_NAMES[METRICS_ERRORS], *const METRICS_PART_NAMES[METRICS_PARTS];
extern const char *const METRICS_CAUSE_NAMES[METRICS_CAUSES], *const METRICS_STATE_NAMES[METRICS_STATES];

/* Gauges that nobody has set are absent. */
void metrics_init(struct metrics *m);
/* Appends all metrics in Prometheus's text format 0.0.4, or in OpenMetrics 1.0. False: out has failed. */
bool metrics_append_text(const struct metrics *m, bool open_metrics, struct buf *out);

/* microseconds; a negative one (clocks differ) counts as none. */
static inline void histogram_duration(struct histogram *h, int64_t duration) {
    unsigned bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS && duration > HISTOGRAM_DURATIONS[bucket])
        bucket++;
    h->counts[bucket]++;
    h->sum += duration > 0 ? duration : 0;
}
static inline void histogram_batch(struct histogram *h, size_t count) {
    h->counts[count < HISTOGRAM_BATCH ? count : HISTOGRAM_BATCH]++;
    h->sum += (int64_t)count;
}
/* How many values it has counted. */
uint64_t histogram_count(const struct histogram *h);
/* The quantile (per_mille of a thousand) of the durations counted since `then`, in microseconds, interpolated within
 * its bucket. METRICS_ABSENT: none were counted. */
int64_t histogram_quantile(const struct histogram *now, const struct histogram *then, unsigned per_mille);
/* How often transactions and SQS's calls were throttled. */
uint64_t metrics_throttles(const struct metrics *m);

/* A message came. */
static inline void metrics_received(struct metrics *m) {
    if (m)
        m->received++;
}
/* A message was applied: how long after it was sent (NEVER: that isn't known), and after it was received. */
static inline void metrics_applied(struct metrics *m, int64_t since_sent, int64_t since_received) {
    if (!m)
        return;
    m->applied++;
    if (since_sent != NEVER)
        histogram_duration(&m->sent_to_applied, since_sent);
    histogram_duration(&m->received_to_applied, since_received);
}
/* The DLQ acknowledged a message that failed so (enum error_type, not ERROR_NONE). */
void metrics_dead_lettered(struct metrics *m, unsigned error, int64_t wall);
/* A message is visible again on the queue. */
static inline void metrics_returned(struct metrics *m) {
    if (m)
        m->returned++;
}
/* A message fails by itself, while others get through: it is tried ever more rarely. */
static inline void metrics_set_aside(struct metrics *m) {
    if (m)
        m->set_aside++;
}
/* A message's visibility timeout ran out before it was done with. */
static inline void metrics_lease_lost(struct metrics *m) {
    if (m)
        m->leases_lost++;
}
/* A message is done with, and could not be deleted in time. */
static inline void metrics_undeleted(struct metrics *m) {
    if (m)
        m->undeleted++;
}
/* The visibility timeout of a message was extended, or SQS refused that. */
static inline void metrics_extension(struct metrics *m, bool refused) {
    if (m)
        m->extensions[refused]++;
}
/* A receive ended. count: its messages, where it worked. */
static inline void metrics_receive(struct metrics *m, bool failed, size_t count) {
    if (!m)
        return;
    m->receives[failed ? METRICS_RECEIVE_FAILED : count > 0 ? METRICS_RECEIVED_SOME : METRICS_RECEIVED_NONE]++;
    if (!failed)
        histogram_batch(&m->receive_fill, count);
}
/* A transaction was answered, or ended without an answer. verdict: its enum verdict_kind; duration: its time. */
static inline void metrics_transaction(struct metrics *m, unsigned verdict, int64_t duration) {
    if (!m)
        return;
    m->transactions[verdict]++;
    histogram_duration(&m->transaction, duration);
}
/* A call with a batch of count entries ended. failed: as a whole. */
static inline void metrics_batch(struct metrics *m, enum metrics_batch kind, bool failed, size_t count,
                                 int64_t duration) {
    if (!m)
        return;
    m->batches[kind][failed]++;
    histogram_batch(&m->batch_fill[kind], count);
    histogram_duration(&m->batch_duration[kind], duration);
}
/* A request to a service ended. call_class: how, an enum call_class. */
static inline void metrics_request(struct metrics *m, enum metrics_service service, unsigned call_class) {
    if (m)
        m->requests[service][call_class]++;
}
/* A request that ended so is made again within its call. */
static inline void metrics_retry(struct metrics *m, enum metrics_service service, unsigned call_class) {
    if (m)
        m->retries[service][call_class]++;
}
