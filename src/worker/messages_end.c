/* Returns messages whose outcome isn't known: because the worker stops, because others need the room, or because
 * nothing tells whose fault a failure is. */
#include "messages.h"

#include <stdio.h>

static const unsigned STUBBORN_DELAY = 30; /* seconds */

void messages_return_rest(struct messages *all, bool everything) {
    static const char *const why = "The worker stops";
    struct message *next;
    for (struct message *m; (m = TAILQ_LAST(&all->in_state[MESSAGE_WAITING], message_list));)
        message_return(m, 0, why);
    for (struct message *m = TAILQ_FIRST(&all->in_state[MESSAGE_APPLYING]); m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        bool decides = m->job.state == JOB_LOOKING || m->job.state == JOB_CONFIRMING;
        bool runs = m->job.state == JOB_RUNNING || (decides && m->job.pauses == 0);
        if (everything || !runs)
            message_return(m, 0, why);
    }
    for (struct message *m = TAILQ_FIRST(&all->in_state[MESSAGE_DEAD_LETTERING]); everything && m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        if (m->letter.entry.flight) /* acknowledged, the message is deleted; else the letter isn't sent again */
            dead_letters_until(&m->letter, clock_monotonic(all->platform->clock));
        else
            message_return(m, 0, why);
    }
}

void messages_hurry(struct messages *all) {
    batcher_hurry(&all->deletions.batcher);
    batcher_hurry(&all->visibilities.batcher);
    batcher_hurry(&all->dead_letters.batcher);
}

/* Whether the first of its group's line waits for something that may last long, while other groups could go on. */
static bool is_stuck(const struct message *m) {
    const struct messages *all = m->all;
    const struct place *place = fifo_group_first(&m->in_group);
    const struct message *first = container_of(place, const struct message, in_group);
    if (first->state == MESSAGE_DEAD_LETTERING)
        return batcher_in_trouble(&all->dead_letters.batcher);
    if (first->state != MESSAGE_APPLYING)
        return false;
    if (first->job.state == JOB_LOOKING || first->job.state == JOB_CONFIRMING)
        return first->job.pauses > 0;
    return job_is_suspect(&first->job) && !applier_is_busy(all->applier);
}

void messages_make_room(struct messages *all, unsigned most) {
    struct message *next;
    for (struct message *m = TAILQ_LAST(&all->in_state[MESSAGE_WAITING], message_list); m; m = next) {
        next = TAILQ_PREV(m, message_list, in_state);
        if (messages_in_flight(all) - all->counts[MESSAGE_RETURNING] <= most)
            return;
        if (m->in_group.queue && is_stuck(m))
            message_return(m, 0, "The first of its group waits, and others need the room");
    }
}

bool messages_only_stubborn(const struct messages *all) {
    unsigned inside = all->counts[MESSAGE_APPLYING] + all->counts[MESSAGE_WAITING], count = messages_in_flight(all);
    return count > 0 && count == inside && applier_only_stubborn(all->applier);
}

bool messages_settle_stubborn(struct messages *all, unsigned max_attempts) {
    bool all_tried = true;
    unsigned returned = 0;
    char failure[JOB_SIGNATURE_SIZE] = "";
    struct message *m, *next;
    TAILQ_FOREACH(m, &all->in_state[MESSAGE_APPLYING], in_state) {
        all_tried = all_tried && m->received->receive_count >= max_attempts;
    }
    for (m = TAILQ_FIRST(&all->in_state[MESSAGE_APPLYING]); m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        if (all_tried)
            LOG_EVENT(all->platform->log, LOG_LEVEL_ERROR,
                      "Left on the queue: it fails, and nothing succeeds that would tell whether it is its own fault",
                      LOG_S("message_id", m->received->message_id), LOG_C("failure", m->job.signature),
                      LOG_I("receive_count", m->received->receive_count));
        else if (m->received->receive_count < max_attempts) {
            if (returned++ == 0) /* one line for all, which mostly fail alike */
                (void)snprintf(failure, sizeof failure, "%s", m->job.signature);
            message_return(m, STUBBORN_DELAY, "It fails, has deliveries left, and nothing else is there");
        }
    }
    if (returned > 0)
        LOG_EVENT(
            all->platform->log, LOG_LEVEL_WARNING,
            "All that is left fails, and nothing succeeds that would tell whose fault it is: it is given back, and "
            "tried again",
            LOG_I("messages", returned), LOG_C("failure", failure), LOG_I("seconds", STUBBORN_DELAY));
    return all_tried;
}
