/* DynamoDB: tables of items, transactions with conditions, tokens, conflicts and capacity, as far as table-updater uses
 * them. The real request bodies are read. */
#pragma once

#include "dynamodb.h"
#include "sim_call.h"
#include "table_shape.h"

#include <json-c/json.h>
#include <stdbool.h>

#define SIM_TABLES_MAX 8
#define SIM_TOKEN_SIZE 37

/* Capacity units, in millionths. */
struct sim_bucket {
    int64_t level, at;
    bool begun; /* else it is full */
};
struct sim_partition {
    LIST_ENTRY(sim_partition) link;
    char *key;
    struct sim_bucket bucket;
};
LIST_HEAD(sim_partitions, sim_partition);

struct sim_table {
    struct table_shape shape;
    const struct table_shape *described; /* what DescribeTable says instead; NULL: its shape */
    bool exists, active;
    struct json_object *items; /* by the JSON text of their key */
    /* Write units a second, of the table and of each partition key alone (0: no limit), and how many seconds' worth may
     * be saved up (0: one). on_demand: too little is a ThrottlingError, not ProvisionedThroughputExceeded. */
    unsigned write_capacity, partition_capacity, burst_seconds;
    bool on_demand;
    struct sim_bucket bucket;
    struct sim_partitions partitions;
    uint64_t units; /* that were used */
};

/* A transaction about to run, for a test's own faults. */
struct sim_transaction {
    const char *record; /* JSON text of the record's key */
    const char *log_id; /* of the audit record; "" where there is none */
    const char *token;
    bool audited;
    struct span body;
};
enum sim_fate {
    SIM_RUN,
    SIM_ANSWER, /* *ret_result is the answer; nothing is written */
    SIM_COMMIT_AND_CUT /* it runs, and the answer never comes */
};

struct sim_dynamodb {
    struct world *world;
    struct sim_operation transact, get_item, put_item, describe;
    struct sim_table tables[SIM_TABLES_MAX];
    const char *denied_table; /* that nobody may describe; NULL: none */
    size_t table_count;
    struct json_object *tokens; /* of what was committed: token → {"request", "at"} */
    struct json_object *running_tokens; /* token → request */
    struct json_object *locks; /* [table, key] → true: a transaction is about to write it */
    /* Microseconds from a transaction's checks to its commit: its items are locked so long, and its client may be gone
     * by then. */
    int64_t commit_time, commit_jitter;
    struct json_object *commits; /* the first 36 digits of a log_id → how many commits */
    struct json_object *running; /* record → transactions under way now */
    int most_running_of_one_record;
    uint64_t committed, records_put;
    /* Per mille of transactions that are answered so: */
    unsigned conflicts, throttles, errors, in_progress;
    unsigned limits; /* RequestLimitExceeded */
    unsigned denials; /* AccessDeniedException */
    unsigned validations; /* ValidationException */
    unsigned mixtures; /* cancelled with a random reason, a conflict or a kind of throttle, in any of the positions */
    unsigned
        late_requests; /* the connection breaks, and up to late_by later the request runs all the same (0: a minute) */
    unsigned errors_after; /* per mille of commits: answered with a 500 */
    int64_t late_by;
    struct {
        uint64_t conflicts, throttles, errors, in_progress, limits, denials, validations, mixtures, late_requests,
            errors_after;
        uint64_t locked, short_of_capacity, tokens_replayed, tokens_mismatched, tokens_running;
    } happened; /* the second line: not by chance */
    enum sim_fate (*hook)(void *ctx, const struct sim_transaction *t, struct transact_result *ret_result);
    void *hook_ctx;
    /* Called after a transaction was committed (NULL: nobody asks). */
    void (*was_committed)(void *ctx, const struct sim_transaction *t);
    void *observer;
    struct buf
        applied; /* the values of attribute "n" in the order of commits, a space behind each (for tests of order) */
};

void sim_dynamodb_init(struct sim_dynamodb *db, struct world *w);
void sim_dynamodb_done(struct sim_dynamodb *db);
struct dynamodb_api sim_dynamodb_api(struct sim_dynamodb *db);
/* A table with a string key `key`. */
struct sim_table *sim_dynamodb_add_table(struct sim_dynamodb *db, const char *name, const char *key);
struct sim_table *sim_dynamodb_table(struct sim_dynamodb *db, const char *name);
/* An index by this attribute is there, or isn't: DescribeTable says so. What is written is not checked against it. */
void sim_table_set_index(struct sim_table *table, const char *attribute, enum key_type type, bool present);
/* Puts an item with the string key and one number attribute. */
void sim_table_put(struct sim_table *table, const char *key, const char *number_name, const char *number);
/* The text of an attribute's value ("" where there is none). */
const char *sim_table_get(const struct sim_table *table, const char *key, const char *attribute);
size_t sim_table_count(const struct sim_table *table);
/* All operations get this mode. */
void sim_dynamodb_set_mode(struct sim_dynamodb *db, enum sim_mode mode);
/* How often the transaction with this log_id (or token: its first 36 digits) was committed. */
int sim_dynamodb_commits(const struct sim_dynamodb *db, const char *log_id);

/* Answers for hooks. */
void sim_answer_exception(struct transact_result *r, int status, const char *code);
/* audit NULL: one action. */
void sim_answer_cancelled(struct transact_result *r, const char *update, const char *audit);
