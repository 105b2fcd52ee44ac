/* How messages leave a queue without anyone having deleted them: by age, by the redrive policy, by a move task. */
#include "sim_sqs_private.h"

#include <string.h>

void sim_queue_remove(struct sim_message *m) {
    struct sim_queue *queue = m->queue;
    sim_queue_changes(queue);
    TAILQ_REMOVE(&queue->messages, m, link);
    queue->count--;
}

void sim_queue_expire(struct sim_queue *queue) {
    int64_t now = queue->sqs->world->now, age = (int64_t)queue->attributes.retention * MICROSECONDS;
    struct sim_message *m, *next;
    if (age == 0 || now - queue->none_older < age)
        return;
    queue->none_older = now;
    for (m = TAILQ_FIRST(&queue->messages); m; m = next) {
        next = TAILQ_NEXT(m, link);
        if (now - m->sent_at >= age) {
            sim_queue_remove(m);
            m->expired = true;
            queue->expired++;
        } else if (m->sent_at < queue->none_older) {
            queue->none_older = m->sent_at;
        }
    }
}

static struct sim_queue *target_of(const struct sim_queue *queue) {
    struct sim_sqs *sqs = queue->sqs;
    for (size_t i = 0; i < sqs->queue_count; i++)
        if (sqs->queues[i].exists && !strcmp(sqs->queues[i].attributes.arn, queue->attributes.dead_letter_target_arn))
            return &sqs->queues[i];
    return NULL;
}

bool sim_message_moves(struct sim_message *m) {
    struct sim_queue *from = m->queue, *to = from->attributes.max_receive_count ? target_of(from) : NULL;
    if (!to || m->receive_count < from->attributes.max_receive_count)
        return false;
    sim_queue_remove(m);
    from->moved++;
    /* Its id stays; and on a standard queue its age, which may be beyond what the target keeps. */
    if (to->attributes.fifo)
        m->sent_at = from->sqs->world->now;
    sim_queue_enter(to, m);
    if (from->sqs->was_moved)
        from->sqs->was_moved(from->sqs->observer, m, from);
    return true;
}

size_t sim_queue_redrive(struct sim_queue *from, struct sim_queue *to) {
    const struct sim_message *last = TAILQ_LAST(&from->messages, sim_messages);
    struct sim_message *m, *next;
    size_t count = 0;
    world_enter();
    for (m = TAILQ_FIRST(&from->messages); m; m = m == last ? NULL : next) {
        next = TAILQ_NEXT(m, link);
        if (m->visible_at > from->sqs->world->now)
            continue;
        sim_queue_put(to, sim_message_copy(m));
        sim_queue_remove(m);
        m->deleted = true;
        count++;
    }
    world_leave();
    return count;
}
