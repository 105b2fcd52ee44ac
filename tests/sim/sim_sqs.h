/* SQS, standard queues: visibility with its 12 hours, receive counts, duplicates, reordering, receipt handles that go stale and answer 200
 * without deleting, batches that fail in part. */
#pragma once

#include "sim_call.h"
#include "sqs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define SIM_QUEUES_MAX 4

struct sim_message {
    TAILQ_ENTRY(sim_message) link;
    size_t index; /* among all of the world's messages */
    struct sim_queue *queue;
    bool deleted;
    char id[48];
    char *body;
    char *error_type, *status_code, *error_envelope; /* "" where there is none */
    int64_t sent_at;      /* world time */
    int64_t visible_at;
    int64_t received_at;  /* last */
    unsigned receive_count, handle; /* the newest handle's number; 0: none yet */
    unsigned visibility_changes;
    bool copied; /* its duplicate was made already */
};
TAILQ_HEAD(sim_messages, sim_message);

struct sqs_call;
TAILQ_HEAD(sim_waiters, sqs_call);

struct sim_queue {
    struct sim_sqs *sqs;
    const char *name;
    char url[128];
    struct sqs_queue_attributes attributes; /* counts are filled when asked for */
    struct sim_messages messages; /* not deleted */
    size_t count;
    struct sim_waiters waiters;
    struct timer wakes; /* when a waiting receive may be served */
    enum sim_mode mode; /* this queue's own */
    bool exists;
    uint64_t sent, received, deleted, stale_deletes;
};

struct sim_sqs {
    struct world *world;
    struct sim_operation receive, remove, change, send, attributes, url;
    struct sim_queue queues[SIM_QUEUES_MAX];
    size_t queue_count;
    struct sim_message **all;
    size_t all_count, all_room;
    unsigned duplicates, reorders; /* per mille of deliveries */
    unsigned failed_entries;       /* per mille of entries of any batch, not the sender's fault */
    bool never_waits;              /* receives are answered at once */
    /* Of the next batch alone: the entries that fail, by place. */
    uint32_t fail_deletes, fail_sends;
    bool fail_as_senders; /* …as the sender's own fault */
    size_t last_delete_count, last_send_count;
    unsigned receives_waiting, most_receives_waiting;
    size_t largest_send_entry, largest_send_batch; /* bytes of bodies and attributes */
    /* Called before a message is deleted, and after one was sent (NULL: nobody asks). */
    void (*deleting)(void *ctx, struct sim_message *m);
    void (*was_sent)(void *ctx, struct sim_message *m);
    void *observer;
};

void sim_sqs_init(struct sim_sqs *sqs, struct world *w);
void sim_sqs_done(struct sim_sqs *sqs);
struct sqs_port sim_sqs_port(struct sim_sqs *sqs);
/* A queue with SQS's own defaults; the name is borrowed. */
struct sim_queue *sim_sqs_add_queue(struct sim_sqs *sqs, const char *name);
struct sim_queue *sim_sqs_queue(struct sim_sqs *sqs, const char *url);
/* Sends a message as a producer does. */
struct sim_message *sim_queue_send(struct sim_queue *queue, const char *body);
/* Delivers a message once more: it becomes visible at once, whoever holds it. */
void sim_queue_expose(struct sim_message *m);
/* Messages that are visible now; in flight or delayed. */
size_t sim_queue_visible(const struct sim_queue *queue);
void sim_sqs_set_mode(struct sim_sqs *sqs, enum sim_mode mode);
