/* Between one worker and the simulated services: all its calls go through here, so that they can be judged and traced
 * as its own. */
#pragma once

#include "judge.h"

#include "dynamodb.h"
#include "sqs.h"

struct watch;

struct watch_faults { /* strikes that only show in the answers */
    uint64_t dead_letters_failed, duplicates, reorders, failed_entries, short_polls, missing_tables, transactions;
};

struct watch {
    struct judge *judge;
    unsigned worker;
    struct sim_client *client; /* the worker's process */
    struct sqs_api sqs;
    struct dynamodb_api dynamodb;
    struct watch_faults *struck;
};

/* The platform that the worker gets; the real one is in w. */
struct sqs_api watch_sqs(struct watch *w);
struct dynamodb_api watch_dynamodb(struct watch *w);

/* A call that is watched. */
struct watched {
    struct watch *watch;
    struct call *call;
    void (*ended)(struct watched *c); /* takes it out of the books */
    unsigned life;
    void *user;
    union {
        sqs_received *received;
        sqs_batch_done *batch;
        sqs_attributes_done *attributes;
        transact_done *transact;
        get_item_done *get;
        call_done *put;
        describe_table_done *describe;
    } done;
    int64_t began;
    unsigned update; /* transactions, reads, records */
    bool audited; /* a transaction */
    unsigned count; /* entries; messages asked for */
    struct {
        size_t index; /* a message, or (DLQ) an update */
        unsigned handle, seconds;
        char identity[SIM_MESSAGE_ID_SIZE];
    } entries[SQS_BATCH_MAX];
    unsigned visibility;
    struct judged_receive receive;
};

/* watch.c */
struct watched *watched_new(struct watch *w, void *user);
/* call NULL: it could not be started, and c is gone. */
struct call *watched_started(struct watched *c, struct call *call);
/* Before the worker hears of it. */
void watched_end(struct watched *c);
void watched_cancel(struct watched *c, void (*cancel)(void *ctx, struct call *call), void *ctx);
/* "index#number" */
bool watched_handle(struct span handle, size_t *ret_index, unsigned *ret_number);
