/* Between the files of the simulated SQS. */
#pragma once

#include "world.h"

struct sqs_call {
    struct sim_call base; /* first */
    struct sim_sqs *sqs;
    struct sim_queue *queue; /* NULL: there is none at that URL */
    enum sim_sqs_action action;
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
    char *attempt_id; /* NULL: none */
    struct sqs_message *messages[SQS_BATCH_MAX];
    size_t given[SQS_BATCH_MAX]; /* their indexes */
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
bool sim_receive_abandon(struct sim_call *base);
/* Messages may have become visible. */
void sim_queue_serve(struct sim_queue *queue);
/* Hands a message out anew: its handle, count and visibility change. */
void sim_receive_take(struct sqs_call *call, struct sim_message *m);
/* Puts a message into the answer as it is. */
void sim_receive_give(struct sqs_call *call, const struct sim_message *m);
/* Frees what is in the answer. */
void sim_receive_drop(struct sqs_call *call);
bool sim_receive_has(const struct sqs_call *call, const struct sim_message *m);
/* sim_sqs_fifo.c */
void sim_fifo_init(struct sim_queue *queue);
void sim_fifo_done(struct sim_queue *queue);
/* A message comes onto the queue: its group and sequence number. */
void sim_fifo_enter(struct sim_queue *queue, struct sim_message *m);
/* The code that a send is refused with; NULL: it is fine, and has its deduplication id. */
const char *sim_fifo_refuses(struct sim_queue *queue, struct sim_message *m);
/* The message that was sent with the same deduplication id not long ago; NULL: none. */
struct sim_message *sim_fifo_first(struct sim_queue *queue, const struct sim_message *m);
void sim_fifo_remember(struct sim_queue *queue, const struct sim_message *m);
/* At most so many messages. False: nothing is available. */
bool sim_fifo_serve(struct sqs_call *call, size_t max);
/* Counts a call of the action; true: it is one too many in this second. */
bool sim_fifo_too_fast(struct sim_queue *queue, enum sim_sqs_action action);
/* sim_sqs_batch.c */
enum sim_executed sim_delete_execute(struct sim_call *base);
enum sim_executed sim_change_execute(struct sim_call *base);
void sim_batch_deliver(struct sim_call *base);
void sim_entry_refused(struct sqs_entry_result *r, const char *code);
/* Whether the i-th entry of a batch fails as the test or chance wants it: then its result is written. */
bool sim_entry_fails(struct sim_sqs *sqs, uint32_t mask, size_t i, struct sqs_entry_result *r);
/* sim_sqs_send.c */
enum sim_executed sim_send_execute(struct sim_call *base);
/* sim_queue.c */
struct sim_message *sim_message_new(struct span body);
/* Replaces one of its texts. */
void sim_message_set(char **text, struct span by);
void sim_message_free(struct sim_message *m);
/* Its contents, as a new message that is not on any queue. */
struct sim_message *sim_message_copy(const struct sim_message *m);
/* A new message, whose age begins. */
void sim_queue_put(struct sim_queue *queue, struct sim_message *m);
/* Any message; it becomes visible after the queue's delay. */
void sim_queue_enter(struct sim_queue *queue, struct sim_message *m);
/* The counts are about to change. */
void sim_queue_changes(struct sim_queue *queue);
/* The counts as the service tells them. */
struct sim_queue_counts sim_queue_told(struct sim_queue *queue);
/* A send: puts the message, or drops it as a duplicate or as refused (NULL: *ret_code says why). Returns what the
 * answer names. */
struct sim_message *sim_queue_offer(struct sim_queue *queue, struct sim_message *m, const char **ret_code);
/* The message of a handle, and whether the handle is its newest. NULL: it is no handle. */
struct sim_message *sim_message_of(struct sim_queue *queue, const char *handle, bool *ret_newest);
/* sim_queue_life.c */
/* Takes it off its queue. */
void sim_queue_remove(struct sim_message *m);
/* Whether it was received often enough for the redrive policy: then it is on the policy's target. */
bool sim_message_moves(struct sim_message *m);
/* sim_sqs.c */
/* Whether the queue itself is out of order: then the answer is written. */
bool sim_queue_refuses(struct sqs_call *call);
