/* A client of the simulated services that waits: each call runs the world until its answer is there. */
#pragma once

#include "world.h"

struct sim_received {
    struct call_result result;
    struct sqs_message *messages[SQS_BATCH_MAX];
    size_t count;
};
struct sim_batch {
    struct call_result result;
    struct sqs_entry_result entries[SQS_BATCH_MAX];
    size_t count; /* 0 where the whole batch failed */
};

/* attempt_id: NULL for none. What is received is freed by sim_received_free(). */
struct sim_received sim_client_receive(struct sim_queue *queue, unsigned max_messages, unsigned visibility,
                                       unsigned wait, const char *attempt_id);
void sim_received_free(struct sim_received *r);
struct sim_batch sim_client_delete(struct sim_queue *queue, const struct span *handles, size_t count);
struct sim_batch sim_client_change(struct sim_queue *queue, const struct sqs_visibility_entry *entries, size_t count);
struct sim_batch sim_client_send(struct sim_queue *queue, const struct sqs_send_entry *entries, size_t count);
struct sqs_queue_attributes sim_client_attributes(struct sim_queue *queue);

struct sim_got {
    struct call_result result;
    bool found;
    char hash[REQUEST_HASH_TEXT_SIZE];
};

/* Bodies are requests as the service takes them. */
struct transact_result sim_client_transact(struct sim_dynamodb *db, const char *body);
struct sim_got sim_client_get_item(struct sim_dynamodb *db, const char *body);
struct call_result sim_client_put_item(struct sim_dynamodb *db, const char *body);
