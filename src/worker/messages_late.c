/* Names what is tried in vain for long, which nothing else would: a throttle or a conflict of one record is no fault of
 * its message, and holds nobody else. */
#include "messages.h"

static const int64_t LATE = 60 * MICROSECONDS, QUIET = 600 * MICROSECONDS; /* between two lines */

static bool is_late(const struct message *m, int64_t now) {
    return m->job.state == JOB_PAUSED && now - m->lease.received_at >= LATE;
}

void messages_tell_late(struct messages *all) {
    int64_t now = clock_monotonic(all->platform->clock);
    unsigned count = 0;
    const struct message *m, *first = NULL;
    if (now < all->late_quiet_until)
        return;
    TAILQ_FOREACH(m, &all->in_state[MESSAGE_APPLYING], in_state) {
        if (!is_late(m, now))
            continue;
        count++;
        first = first && first->lease.received_at <= m->lease.received_at ? first : m;
    }
    if (count == 0)
        return;
    all->late_quiet_until = now + QUIET;
    LOG_EVENT(
        all->platform->log, LOG_LEVEL_WARNING,
        "Messages are tried in vain for a minute and more, while others get through: their records are throttled, "
        "or others work on them",
        LOG_I("messages", count), LOG_S("message_id", first->received->message_id),
        LOG_I("seconds", (now - first->lease.received_at) / MICROSECONDS),
        LOG_I("receive_count", first->received->receive_count));
}
