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

static struct held *held_at(struct place *place) {
    return container_of(place, struct held, in_group);
}

static const struct held *first_of_line(const struct held *h) {
    return held_at(TAILQ_FIRST(&h->in_group.line->places));
}

/* In a drain nothing begins any more. */
static void begin_first(struct place *place) {
    if (!place)
        return;
    struct held *h = held_at(place);
    if (h->state == HELD_BEHIND && h->worker->phase == PHASE_WORKING)
        held_begin(h);
}

bool group_enter(struct held *h, bool *ret_first) {
    h->in_group.key = h->message->group_id;
    struct waiting_line *line = lines_get(&h->worker->groups, h->in_group.key);
    if (!line)
        return false;
    *ret_first = TAILQ_EMPTY(&line->places);
    line_put(line, &h->in_group, TAILQ_LAST(&line->places, place_list));
    return true;
}

void group_forget(struct held *h) {
    if (h->in_group.line)
        lines_leave(&h->worker->groups, &h->in_group);
}

bool group_waits(const struct held *h) {
    return h->in_group.line && TAILQ_NEXT(&h->in_group, link);
}

void group_passed(struct held *h) {
    if (!h->in_group.line)
        return;
    struct place *next = TAILQ_NEXT(&h->in_group, link);
    group_forget(h);
    begin_first(next);
}

/* The next delivery of the same message, where it stands in the line as well: from there on the order is whole. */
static struct place *next_delivery(const struct held *h) {
    struct place *at = TAILQ_NEXT(&h->in_group, link);
    while (at && !span_equal(held_at(at)->message->message_id, h->message->message_id))
        at = TAILQ_NEXT(at, link);
    return at;
}

void group_broken(struct held *h) {
    if (!h->in_group.line)
        return;
    bool was_first = first_of_line(h) == h;
    struct place *again = next_delivery(h), *before;
    for (struct place *at = again ? TAILQ_PREV(again, place_list, link)
                                  : TAILQ_LAST(&h->in_group.line->places, place_list);
         at != &h->in_group; at = before) {
        before = TAILQ_PREV(at, place_list, link);
        group_forget(held_at(at));
        held_give_back(held_at(at), 0, "An earlier message of its group comes again");
    }
    group_forget(h);
    if (was_first)
        begin_first(again);
}

/* Whether the first of h's line waits for what may last long, while others could go on. */
static bool is_stuck(const struct held *h) {
    const struct engine *e = &h->worker->engine;
    const struct held *first = first_of_line(h);
    if (first->state == HELD_DEAD_LETTER)
        return batcher_in_trouble(&h->worker->dead_letters);
    if (first->state != HELD_WORKING)
        return false;
    if (first->job.state == JOB_LOOKING || first->job.state == JOB_CONFIRMING)
        return first->job.pauses > 0;
    bool others_run = e->counts[JOB_READY] || e->counts[JOB_PAUSED] || e->counts[JOB_RUNNING] > e->probes_running;
    return job_is_suspect(&first->job) && !others_run;
}

void groups_make_room(struct queue_worker *w, unsigned held_most) {
    struct held *next;
    for (struct held *h = TAILQ_LAST(&w->held[HELD_BEHIND], held_list); h; h = next) {
        next = TAILQ_PREV(h, held_list, in_state);
        if (held_count(w) - w->held_counts[HELD_GIVING_BACK] <= held_most)
            return;
        if (is_stuck(h))
            held_give_back(h, 0, "The first of its group waits, and others need the room");
    }
}
