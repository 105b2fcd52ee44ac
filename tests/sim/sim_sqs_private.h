/* Between the files of the simulated SQS. */
#pragma once

#include "world.h"

struct sqs_call {
    struct sim_call base; /* first */
    struct sim_sqs *sqs;
    struct sim_queue *queue; /* NULL: there is none at that URL */
    void *user;
    union {
        sqs_received *received;
        sqs_batch_done *batch;
        sqs_attributes_done *attributes;
        sqs_url_done *url;
    } done;
    /* Receive. */
    TAILQ_ENTRY(sqs_call) waiting;
    unsigned max_messages, visibility;
    int64_t wait, wait_until;
    struct sqs_message *messages[SQS_BATCH_MAX];
    /* Batches. */
    size_t count;
    char *handles[SQS_BATCH_MAX];
    unsigned seconds[SQS_BATCH_MAX];
    struct sim_message *sends[SQS_BATCH_MAX]; /* not yet sent */
    struct sqs_entry_result results[SQS_BATCH_MAX];
    struct sqs_queue_attributes attributes;
    char name[128];
};

/* sim_sqs_receive.c */
enum sim_executed sim_receive_execute(struct sim_call *base);
void sim_receive_deliver(struct sim_call *base);
void sim_receive_abandon(struct sim_call *base);
/* Messages may have become visible. */
void sim_queue_serve(struct sim_queue *queue);
/* sim_sqs_batch.c */
enum sim_executed sim_delete_execute(struct sim_call *base);
enum sim_executed sim_change_execute(struct sim_call *base);
enum sim_executed sim_send_execute(struct sim_call *base);
void sim_batch_deliver(struct sim_call *base);
/* sim_sqs.c */
struct sim_message *sim_message_new(struct sim_sqs *sqs, struct span body);
/* Replaces one of its texts. */
void sim_message_set(char **text, struct span by);
void sim_message_free(struct sim_message *m);
void sim_queue_put(struct sim_queue *queue, struct sim_message *m);
/* Whether the queue itself is out of order: then the answer is written. */
bool sim_queue_refuses(struct sqs_call *call);
/* The message of a handle, and whether the handle is its newest. */
struct sim_message *sim_message_of(struct sim_sqs *sqs, const char *handle, bool *ret_newest);
