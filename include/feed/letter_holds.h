/* Messages of the DLQ that are hidden from others while we look at them. They are known by their ids, stay hidden as
 * long as the look takes, and are given back at the end. If the process is killed, they come back by themselves within
 * the visibility timeout. */
#pragma once

#include "compiler.h"
#include "dlq_platform.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define HOLDS_MAX 100000 /* SQS hides 120,000 of a queue at most, and others receive as well */
#define HOLDS_VISIBILITY 60U /* seconds; extended in time */

struct hold {
    LIST_ENTRY(hold) in_bucket;
    TAILQ_ENTRY(hold) link;
    int64_t expires; /* monotonic */
    unsigned mark; /* this and owner belong to whoever added it */
    void *owner;
    char *handle;
    size_t handle_len, id_len;
    char id[];
};
TAILQ_HEAD(hold_list, hold);
LIST_HEAD(hold_bucket, hold);
LIST_HEAD(hold_flights, hold_flight);

struct holds {
    const struct dlq_platform *platform;
    const char *queue_url;
    struct hold_list held; /* those that end first, first */
    struct hold_list returning;
    struct hold_bucket *buckets;
    size_t bucket_count, count; /* of those held */
    uint64_t seed[2];
    struct hold_flights flights;
    unsigned extensions, returns; /* under way */
    struct timer timer, retry;
    bool ends; /* all are given back */
    int64_t give_up_at;
    void (*changed)(void *ctx); /* something that was returning no longer is */
    void *ctx;
    uint64_t lost; /* couldn't be given back: they are hidden until their time is over */
    struct call_result failure; /* the last that kept some from being given back; CALL_OK: none did */
};

/* platform and queue_url are borrowed. */
void holds_init(struct holds *h, const struct dlq_platform *platform, const char *queue_url, void (*changed)(void *ctx),
                void *ctx);
/* What was received now, hidden for HOLDS_VISIBILITY. NULL: no memory. */
MUST_USE struct hold *holds_add(struct holds *h, struct span message_id, struct span receipt_handle);
/* NULL: it isn't held. */
struct hold *holds_find(const struct holds *h, struct span message_id);
/* It was received once more. False: no memory, and it has its old handle. */
MUST_USE bool holds_renew(struct holds *h, struct hold *hold, struct span receipt_handle);
static inline struct span hold_handle(const struct hold *hold) {
    return span_of(hold->handle, hold->handle_len);
}
static inline struct span hold_id(const struct hold *hold) {
    return span_of(hold->id, hold->id_len);
}
/* It is deleted from the queue: forgets it. */
void holds_forget(struct holds *h, struct hold *hold);
/* Gives it back; it is no longer known. */
void holds_return(struct holds *h, struct hold *hold);
/* Gives all back, within seconds where that can't be done at once; `changed` tells of each step. */
void holds_return_all(struct holds *h);
/* Whether nothing is on its way back. */
bool holds_are_returned(const struct holds *h);
/* Ends all at once. */
void holds_free(struct holds *h);
