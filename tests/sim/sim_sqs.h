/* SQS. Standard queues: visibility with its 12 hours, receive counts, duplicates, reordering, receipt handles that go
 * stale and answer 200 without deleting, batches that fail in part. FIFO queues: groups, deduplication, receives that
 * are asked for again. */
#pragma once

#include "sim_call.h"
#include "sqs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define SIM_QUEUES_MAX 4
#define SIM_MESSAGE_ID_SIZE 48

/* What a FIFO queue hands out in order. */
struct sim_group {
    LIST_ENTRY(sim_group) link;
    char *id;
    uint64_t blocked_in; /* the last receive (its number) that found one of its messages in flight */
};
LIST_HEAD(sim_groups, sim_group);

struct sim_message {
    TAILQ_ENTRY(sim_message) link;
    size_t index; /* among all of the world's messages */
    struct sim_queue *queue;
    bool deleted;
    bool expired; /* of old age; it is not `deleted` */
    char id[SIM_MESSAGE_ID_SIZE];
    char *body;
    char *error_type, *status_code, *error_envelope; /* "" where there is none */
    char *group_id, *deduplication_id; /* likewise */
    char *trace_header; /* likewise */
    struct message_attribute attributes[MESSAGE_ATTRIBUTES_MAX]; /* all others; their texts are its own */
    size_t attribute_count;
    struct sim_group *group; /* NULL on a standard queue */
    uint64_t sequence; /* 0 on a standard queue */
    int64_t sent_at; /* world time; retention counts from it */
    int64_t visible_at;
    int64_t received_at; /* last */
    unsigned receive_count, handle; /* the newest handle's number; 0: none yet */
    unsigned visibility_changes;
    bool copied; /* its duplicate was made already */
};
TAILQ_HEAD(sim_messages, sim_message);

struct sqs_call;
TAILQ_HEAD(sim_waiters, sqs_call);
struct sim_attempt;
TAILQ_HEAD(sim_attempts, sim_attempt);

/* Messages that are visible now (whether or not their group is blocked), in flight, or not yet receivable. */
struct sim_queue_counts {
    size_t visible, in_flight, delayed;
};

enum sim_sqs_action { SIM_RECEIVE, SIM_DELETE, SIM_CHANGE, SIM_SEND, SIM_ATTRIBUTES, SIM_URL, SIM_SQS_ACTIONS };
struct sim_rate {
    int64_t second;
    unsigned calls; /* within it */
};

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
    unsigned delay; /* seconds until what is sent can be received */
    size_t in_flight_max; /* beyond, a receive that doesn't wait gets OverLimit, all others nothing */
    int64_t none_older; /* than this: no message needs to be looked at for its age */
    int64_t count_lag, counted_at; /* microseconds that the counts may lag behind; when the last were taken */
    struct sim_queue_counts counted;
    /* FIFO alone: */
    bool content_based_deduplication;
    unsigned calls_per_second; /* of each action; beyond, RequestThrottled. 0: as many as come */
    struct sim_rate rates[SIM_SQS_ACTIONS];
    struct sim_groups groups;
    struct json_object *recent; /* deduplication id → {"index", "at"} of the message that came first with it */
    struct sim_attempts attempts;
    uint64_t receives, last_sequence;
    uint64_t duplicate_sends, repeated_receives;
    uint64_t sent, received, deleted, stale_deletes;
    uint64_t expired, moved; /* by age, by the redrive policy */
};

struct sim_sqs {
    struct world *world;
    struct sim_operation receive, remove, change, send, attributes, url;
    struct sim_queue queues[SIM_QUEUES_MAX];
    size_t queue_count;
    struct sim_message **all;
    size_t all_count, all_room;
    unsigned duplicates,
        reorders; /* per mille of deliveries; FIFO: no duplicates, and only whole groups change places */
    unsigned failed_entries; /* per mille of entries of any batch, not the sender's fault */
    unsigned refused_entries; /* likewise, as the sender's own fault */
    unsigned
        ignored_deletes; /* per mille of deletes on standard queues: answered with 200, and the message comes again */
    unsigned expired_handles; /* per mille of deletes on standard queues, after the visibility is over, that are refused
                                 (FIFO: all) */
    unsigned counts_grow; /* per mille of deliveries whose count grows by one that nobody got */
    unsigned short_receives; /* per mille of receives that look at a part of the queue: fewer messages, or none where
                                they don't wait */
    unsigned ghost_receives; /* per mille of receives that are cancelled and wait on all the same */
    struct {
        uint64_t duplicates, reorders, failed_entries, refused_entries, ignored_deletes, expired_handles, counts_grow,
            short_receives, ghost_receives, over_limit;
    } happened;
    bool never_waits; /* receives are answered at once */
    bool corrupts; /* …with a message that can't be used, and no other */
    bool
        repeats_count; /* a receive that is asked for again by its attempt id is one more for ApproximateReceiveCount */
    /* Of the next batch alone: the entries that fail, by place. */
    uint32_t fail_deletes, fail_sends;
    bool fail_as_senders; /* …as the sender's own fault */
    size_t last_delete_count, last_send_count;
    char last_sent[SQS_BATCH_MAX][SIM_MESSAGE_ID_SIZE]; /* the MessageIds in the answer to the last batch of sends */
    uint64_t bad_handles; /* that no message ever had */
    unsigned receives_waiting, most_receives_waiting;
    size_t most_send_bytes; /* that something on the way lets pass, of bodies and attributes; 0: any */
    size_t largest_send_entry, largest_send_batch; /* bytes of bodies and attributes */
    /* Called before a message is deleted, and after one was sent (NULL: nobody asks). */
    void (*deleting)(void *ctx, struct sim_message *m);
    void (*was_sent)(void *ctx, struct sim_message *m);
    /* Called after the redrive policy moved a message. */
    void (*was_moved)(void *ctx, struct sim_message *m, struct sim_queue *from);
    void *observer;
};

void sim_sqs_init(struct sim_sqs *sqs, struct world *w);
void sim_sqs_done(struct sim_sqs *sqs);
struct sqs_api sim_sqs_api(struct sim_sqs *sqs);
/* A queue with SQS's own defaults; the name is borrowed. */
struct sim_queue *sim_sqs_add_queue(struct sim_sqs *sqs, const char *name);
/* A FIFO queue; its name should end in ".fifo". */
struct sim_queue *sim_sqs_add_fifo_queue(struct sim_sqs *sqs, const char *name);
struct sim_queue *sim_sqs_queue(struct sim_sqs *sqs, const char *url);
/* Sends a message as a producer does. */
struct sim_message *sim_queue_send(struct sim_queue *queue, const char *body);
/* The same on a FIFO queue. A duplicate is dropped, and what came first is returned. */
struct sim_message *sim_queue_send_fifo(struct sim_queue *queue, const char *body, const char *group_id,
                                        const char *deduplication_id);
/* Gives it message attributes, in place of those that it had. */
void sim_message_set_attributes(struct sim_message *m, const struct message_attribute *attributes, size_t count);
/* Delivers a message once more: it becomes visible at once, whoever holds it. */
void sim_queue_expose(struct sim_message *m);
/* Lets go of what is too old. Receives and counts do so themselves. */
void sim_queue_expire(struct sim_queue *queue);
/* What a move task does with all that is visible: each comes as a new message, with its body, attributes and group.
 * Returns how many. */
size_t sim_queue_redrive(struct sim_queue *from, struct sim_queue *to);
struct sim_queue_counts sim_queue_count(const struct sim_queue *queue);
static inline size_t sim_queue_visible(const struct sim_queue *queue) {
    return sim_queue_count(queue).visible;
}
void sim_sqs_set_mode(struct sim_sqs *sqs, enum sim_mode mode);
