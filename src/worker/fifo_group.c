#include "fifo_group.h"

void fifo_groups_init(struct fifo_groups *groups, uint64_t seed0, uint64_t seed1) {
    keyed_queues_init(&groups->queues, seed0, seed1);
}

void fifo_groups_free(struct fifo_groups *groups) {
    keyed_queues_free(&groups->queues);
}

bool fifo_group_enter(struct fifo_groups *groups, struct place *p, struct span group_id, bool *ret_first) {
    p->key = group_id;
    struct keyed_queue *queue = keyed_queues_get(&groups->queues, group_id);
    if (!queue)
        return false;
    *ret_first = TAILQ_EMPTY(&queue->places);
    keyed_queue_put(queue, p, TAILQ_LAST(&queue->places, place_list));
    return true;
}

struct place *fifo_group_leave(struct fifo_groups *groups, struct place *p) {
    if (!p->queue)
        return NULL;
    struct place *next = fifo_group_first(p) == p ? TAILQ_NEXT(p, link) : NULL;
    keyed_queues_leave(&groups->queues, p);
    return next;
}

bool fifo_group_waits(const struct place *p) {
    return p->queue && TAILQ_NEXT(p, link);
}

struct place *fifo_group_first(const struct place *p) {
    return p->queue ? TAILQ_FIRST(&p->queue->places) : NULL;
}

struct place *fifo_group_last_behind(const struct place *p, const struct place *end) {
    if (!p->queue)
        return NULL;
    struct place *last = end ? TAILQ_PREV(end, place_list, link) : TAILQ_LAST(&p->queue->places, place_list);
    return last == p ? NULL : last;
}
