#include "lease.h"

#include "sqs.h"

/* A transaction starts only with at least this much left: enough to extend the lease once more. It is about a third of
 * the shortest lease. */
static const int64_t START_MARGIN = 3 * MICROSECONDS;
/* A lease is treated as over this much before SQS ends it: answers take time. */
static const int64_t END_MARGIN = MICROSECONDS;
static const int64_t LOST_CHECK = MICROSECONDS;

static int64_t now_of(const struct lease *l) {
    return clock_monotonic(l->all->platform->clock);
}

static int64_t length(const struct lease *l) {
    return (int64_t)*l->all->visibility * MICROSECONDS;
}

int64_t lease_end_of(const struct lease *l) {
    return l->until - END_MARGIN;
}

/* Sets the timer: to extend the lease when half of it is left; or for its end, where SQS extends it no further, or its
 * answer is awaited. Messages received in one batch stay together in time, and so share the batches of their
 * extensions. */
static void plan(struct lease *l) {
    int64_t at = l->last || l->asked ? lease_end_of(l) : l->until - length(l) / 2;
    timer_start(l->all->platform->timers, &l->timer, at);
}

/* How many seconds to ask for: SQS's 12 hours count from the receive. 0: there is nothing left to ask for. */
static unsigned seconds_left(const struct lease *l, int64_t now) {
    int64_t most = l->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS - now - 2 * END_MARGIN;
    int64_t wanted = length(l);
    if (most < wanted)
        wanted = most;
    return now + wanted > l->until ? (unsigned)(wanted / MICROSECONDS) : 0;
}

static void extend(struct lease *l, int64_t now) {
    unsigned seconds = seconds_left(l, now);
    l->last = seconds < *l->all->visibility; /* the 12 hours end with this extension */
    l->asked = l->asked || seconds > 0;
    plan(l);
    if (seconds > 0)
        l->all->due(l, LEASE_EXTEND, seconds);
}

static void on_timer(void *user) {
    struct lease *l = user;
    int64_t now = now_of(l);
    if (!l->lost && now < lease_end_of(l)) {
        extend(l, now);
        return;
    }
    l->lost = true;
    l->all->due(l, LEASE_OVER, 0);
}

void lease_begin(const struct leases *all, struct lease *l, int64_t received_at) {
    *l = (struct lease){.all = all, .received_at = received_at};
    l->until = received_at + length(l);
    timer_init(&l->timer, on_timer, l);
    plan(l);
}

void lease_end(struct lease *l) {
    timer_stop(l->all->platform->timers, &l->timer);
}

void lease_wait(struct lease *l) {
    timer_start(l->all->platform->timers, &l->timer, now_of(l) + LOST_CHECK);
}

bool lease_allows_start(const struct lease *l) {
    return !l->lost && l->until - now_of(l) >= START_MARGIN;
}

void lease_refused(struct lease *l) {
    int64_t now = now_of(l);
    l->asked = false;
    l->lost = true;
    l->until = l->until < now ? l->until : now;
    timer_start(l->all->platform->timers, &l->timer, now);
}

void lease_extended(struct lease *l, int64_t from, unsigned seconds) {
    l->asked = false;
    l->until = from + (int64_t)seconds * MICROSECONDS;
    plan(l);
}
