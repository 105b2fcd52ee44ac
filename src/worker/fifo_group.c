/* FIFO queues: the messages of one group take effect one after the other, in the order that SQS gives them in. SQS
 * gives out no more of a group while one of it is in flight; so a group's order is lost, if at all, among those that
 * were received together. Of these only the first has begun, and the others stand behind it in the group's line.
 *
 * A message leaves its line when it can have no effect any more. An audited one that was applied: at once, since its
 * audit record makes any further delivery harmless. Any other: when SQS has acknowledged its delete. For where the
 * delete fails it is delivered again, and without an audit record DynamoDB remembers its token for ten minutes only,
 * and one that failed may succeed the next time: begun before that, its successors would be overwritten by it. This
 * costs a group without audit records a delete's round trip for each message.
 *
 * A message that leaves its line in any other way (given back, or its visibility timeout is over) comes again, and
 * takes all that stand behind it along. They become visible last first, so that whoever receives the group next gets it
 * whole. (In any order it would be safe: SQS holds back a message while an earlier one of its group is in flight.) */
#include "queue_worker_private.h"

static struct message *message_at(struct place *place) {
    return container_of(place, struct message, in_group);
}

static const struct message *first_of_line(const struct message *m) {
    return message_at(TAILQ_FIRST(&m->in_group.queue->places));
}

/* In a drain nothing begins any more. */
static void begin_first(struct place *place) {
    if (!place)
        return;
    struct message *m = message_at(place);
    if (m->state == MESSAGE_WAITING && m->worker->phase == PHASE_WORKING)
        message_begin(m);
}

bool group_enter(struct message *m, bool *ret_first) {
    m->in_group.key = m->received->group_id;
    struct keyed_queue *queue = keyed_queues_get(&m->worker->groups, m->in_group.key);
    if (!queue)
        return false;
    *ret_first = TAILQ_EMPTY(&queue->places);
    keyed_queue_put(queue, &m->in_group, TAILQ_LAST(&queue->places, place_list));
    return true;
}

void group_forget(struct message *m) {
    if (m->in_group.queue)
        keyed_queues_leave(&m->worker->groups, &m->in_group);
}

bool group_waits(const struct message *m) {
    return m->in_group.queue && TAILQ_NEXT(&m->in_group, link);
}

void group_passed(struct message *m) {
    if (!m->in_group.queue)
        return;
    struct place *next = TAILQ_NEXT(&m->in_group, link);
    group_forget(m);
    begin_first(next);
}

/* The next delivery of the same message, where it stands in the line as well: from there on the order is whole. */
static struct place *next_delivery(const struct message *m) {
    struct place *at = TAILQ_NEXT(&m->in_group, link);
    while (at && !span_equal(message_at(at)->received->message_id, m->received->message_id))
        at = TAILQ_NEXT(at, link);
    return at;
}

void group_broken(struct message *m) {
    if (!m->in_group.queue)
        return;
    bool was_first = first_of_line(m) == m;
    struct place *again = next_delivery(m), *before;
    for (struct place *at = again ? TAILQ_PREV(again, place_list, link)
                                  : TAILQ_LAST(&m->in_group.queue->places, place_list);
         at != &m->in_group; at = before) {
        before = TAILQ_PREV(at, place_list, link);
        group_forget(message_at(at));
        message_return(message_at(at), 0, "An earlier message of its group comes again");
    }
    group_forget(m);
    if (was_first)
        begin_first(again);
}

/* Whether the first of m's line waits for what may last long, while others could go on. */
static bool is_stuck(const struct message *m) {
    const struct applier *e = &m->worker->applier;
    const struct message *first = first_of_line(m);
    if (first->state == MESSAGE_DEAD_LETTERING)
        return batcher_in_trouble(&m->worker->dead_letters);
    if (first->state != MESSAGE_APPLYING)
        return false;
    if (first->job.state == JOB_LOOKING || first->job.state == JOB_CONFIRMING)
        return first->job.pauses > 0;
    bool others_run = e->counts[JOB_READY] || e->counts[JOB_PAUSED] || e->counts[JOB_RUNNING] > e->probes_running;
    return job_is_suspect(&first->job) && !others_run;
}

void groups_make_room(struct queue_worker *w, unsigned in_flight_most) {
    struct message *next;
    for (struct message *m = TAILQ_LAST(&w->messages[MESSAGE_WAITING], message_list); m; m = next) {
        next = TAILQ_PREV(m, message_list, in_state);
        if (messages_in_flight(w) - w->message_counts[MESSAGE_RETURNING] <= in_flight_most)
            return;
        if (is_stuck(m))
            message_return(m, 0, "The first of its group waits, and others need the room");
    }
}
