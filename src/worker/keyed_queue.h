/* Queues by key, for what must run one after the other: the updates of one record, or the messages of one group. This
 * module keeps and finds the queues; the order within a queue is up to its user. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A place in a queue; whatever stands in a queue embeds one. Zeroed, it is in no queue. */
struct place {
    TAILQ_ENTRY(place) link;
    struct keyed_queue *queue; /* NULL: none */
    uint64_t hash; /* of the key; stays after the place has left its queue */
    struct span key; /* borrowed while it is in the queue */
};
TAILQ_HEAD(place_list, place);

/* The queue of a key. It exists while it has a place in it. */
struct keyed_queue {
    struct keyed_queue *next; /* in its bucket */
    uint64_t hash;
    struct place_list places;
    unsigned length;
    unsigned applied; /* for a record: updates applied to it since the queue began */
};

struct keyed_queues {
    struct keyed_queue **buckets;
    size_t bucket_count; /* a power of two; 0 before the first */
    size_t count;
    struct keyed_queue *spare; /* for reuse: nearly every message needs one for a while */
    size_t spare_count;
    uint64_t seed[2];
};

void keyed_queues_init(struct keyed_queues *queues, uint64_t seed0, uint64_t seed1);
void keyed_queues_free(struct keyed_queues *queues);
/* The queue of a key. A new one is empty: the caller must put a place into it. NULL: no memory. */
MUST_USE struct keyed_queue *keyed_queues_get(struct keyed_queues *queues, struct span key);
/* Puts a place into a queue, behind another one, or (NULL) at its front. */
void keyed_queue_put(struct keyed_queue *queue, struct place *place, struct place *after);
/* Takes a place out of its queue. A queue that is empty then is gone. */
void keyed_queues_leave(struct keyed_queues *queues, struct place *place);
