#include "keyed_queue.h"

#include "siphash.h"

#include <stdlib.h>

static const size_t FIRST_BUCKETS = 64;
static const size_t SPARE_MAX = 512;

void keyed_queues_init(struct keyed_queues *queues, uint64_t seed0, uint64_t seed1) {
    *queues = (struct keyed_queues){.seed = {seed0, seed1}};
}

void keyed_queues_free(struct keyed_queues *queues) {
    for (size_t i = 0; i < queues->bucket_count; i++)
        for (struct keyed_queue *q = queues->buckets[i], *next; q; q = next) {
            next = q->next;
            free(q);
        }
    for (struct keyed_queue *q = queues->spare, *next; q; q = next) {
        next = q->next;
        free(q);
    }
    free(queues->buckets);
    queues->buckets = NULL;
    queues->spare = NULL;
    queues->bucket_count = queues->count = queues->spare_count = 0;
}

static struct keyed_queue *queue_take(struct keyed_queues *queues) {
    struct keyed_queue *q = queues->spare;
    if (!q)
        return malloc(sizeof *q);
    queues->spare = q->next;
    queues->spare_count--;
    return q;
}

static void queue_give_back(struct keyed_queues *queues, struct keyed_queue *q) {
    if (queues->spare_count == SPARE_MAX) {
        free(q);
        return;
    }
    q->next = queues->spare;
    queues->spare = q;
    queues->spare_count++;
}

/* A table that can't grow stays as it is: slower, not wrong. Only the first allocation has to succeed. */
static bool make_room(struct keyed_queues *queues) {
    if (queues->count < queues->bucket_count)
        return true;
    size_t count = queues->bucket_count ? queues->bucket_count * 2 : FIRST_BUCKETS;
    struct keyed_queue **buckets = calloc(count, sizeof(struct keyed_queue *));
    if (!buckets)
        return queues->bucket_count > 0;
    for (size_t i = 0; i < queues->bucket_count; i++)
        for (struct keyed_queue *q = queues->buckets[i], *next; q; q = next) {
            next = q->next;
            q->next = buckets[q->hash & (count - 1)];
            buckets[q->hash & (count - 1)] = q;
        }
    free(queues->buckets);
    queues->buckets = buckets;
    queues->bucket_count = count;
    return true;
}

struct keyed_queue *keyed_queues_get(struct keyed_queues *queues, struct span key) {
    if (!make_room(queues))
        return NULL;
    struct siphash h;
    siphash_begin(&h, queues->seed);
    siphash_update(&h, key);
    uint64_t hash = siphash_end(&h);
    struct keyed_queue **bucket = &queues->buckets[hash & (queues->bucket_count - 1)];
    for (struct keyed_queue *q = *bucket; q; q = q->next)
        if (q->hash == hash && span_equal(TAILQ_FIRST(&q->places)->key, key))
            return q;
    struct keyed_queue *q = queue_take(queues);
    if (!q)
        return NULL;
    *q = (struct keyed_queue){.hash = hash, .next = *bucket};
    TAILQ_INIT(&q->places);
    *bucket = q;
    queues->count++;
    return q;
}

void keyed_queue_put(struct keyed_queue *queue, struct place *place, struct place *after) {
    place->queue = queue;
    place->hash = queue->hash;
    queue->length++;
    if (after)
        TAILQ_INSERT_AFTER(&queue->places, after, place, link);
    else
        TAILQ_INSERT_HEAD(&queue->places, place, link);
}

void keyed_queues_leave(struct keyed_queues *queues, struct place *place) {
    struct keyed_queue *q = place->queue;
    TAILQ_REMOVE(&q->places, place, link);
    place->queue = NULL;
    q->length--;
    if (!TAILQ_EMPTY(&q->places))
        return;
    struct keyed_queue **at = &queues->buckets[q->hash & (queues->bucket_count - 1)];
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    queue_give_back(queues, q);
    queues->count--;
}
