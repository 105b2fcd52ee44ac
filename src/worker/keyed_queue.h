/* Lines of what runs one after the other, told apart by a key: the updates of one record, the messages of one group.
 * This keeps the queues and finds them; who stands where in one is up to its user. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A place in a queue; whoever stands in one embeds it. Zeroed, it is in none. */
struct place {
    TAILQ_ENTRY(place) link;
    struct keyed_queue *queue; /* NULL: none */
    uint64_t hash; /* of the key; stays when it is in none any more */
    struct span key; /* borrowed for as long as it stands there */
};
TAILQ_HEAD(place_list, place);

/* The queue of a key. It exists while someone stands in it. */
struct keyed_queue {
    struct keyed_queue *next; /* in its bucket */
    uint64_t hash;
    struct place_list places;
    unsigned length;
    unsigned applied; /* of records: updates that have changed it since the queue began */
};

struct keyed_queues {
    struct keyed_queue **buckets;
    size_t bucket_count; /* a power of two; 0 before the first */
    size_t count;
    uint64_t seed[2];
};

void keyed_queues_init(struct keyed_queues *queues, uint64_t seed0, uint64_t seed1);
void keyed_queues_free(struct keyed_queues *queues);
/* The queue of a key; where it is new, the caller puts the first into it. NULL: no memory. */
MUST_USE struct keyed_queue *keyed_queues_get(struct keyed_queues *queues, struct span key);
/* Puts a place into a queue, behind another one, or (NULL) at its front. */
void keyed_queue_put(struct keyed_queue *queue, struct place *place, struct place *after);
/* Takes a place out. An empty queue ends. */
void keyed_queues_leave(struct keyed_queues *queues, struct place *place);
