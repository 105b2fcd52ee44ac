#include "metrics.h"

#include "compiler.h"

#include <assert.h>

/* From a quick transaction to a day of backlog. */
const int64_t HISTOGRAM_DURATIONS[HISTOGRAM_BUCKETS] = {
    1 * MILLISECOND,      2500,
    5 * MILLISECOND,      10 * MILLISECOND,
    25 * MILLISECOND,     50 * MILLISECOND,
    100 * MILLISECOND,    250 * MILLISECOND,
    500 * MILLISECOND,    1 * MICROSECONDS,
    2500 * MILLISECOND,   5 * MICROSECONDS,
    10 * MICROSECONDS,    30 * MICROSECONDS,
    60 * MICROSECONDS,    300 * MICROSECONDS,
    1800 * MICROSECONDS,  3600 * MICROSECONDS,
    21600 * MICROSECONDS, 86400 * MICROSECONDS,
};

void metrics_init(struct metrics *m) {
    *m = (struct metrics){.build = 1};
    int64_t *const unknown[] = {&m->ready,       &m->max_in_flight, &m->receives_open,     &m->rate_limit,
                                &m->oldest_age,  &m->queue.visible, &m->queue.in_flight,   &m->queue.delayed,
                                &m->dlq.visible, &m->dlq.in_flight, &m->dlq.delayed,       &m->clock_offset,
                                &m->started_at,  &m->cpu_time,      &m->resident_bytes,    &m->virtual_bytes,
                                &m->open_files,  &m->max_files,     &m->credentials_expire};
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++)
        *unknown[i] = METRICS_ABSENT;
    for (size_t i = 0; i < METRICS_PARTS; i++)
        m->trouble_since[i] = METRICS_ABSENT;
}

uint64_t histogram_count(const struct histogram *h) {
    uint64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        count += h->counts[i];
    return count;
}

int64_t histogram_quantile(const struct histogram *now, const struct histogram *then, unsigned per_mille) {
    uint64_t all = histogram_count(now) - histogram_count(then), below = 0;
    if (all == 0)
        return METRICS_ABSENT;
    uint64_t rank = (all * per_mille + 999) / 1000; /* at least 1 */
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t here = now->counts[i] - then->counts[i];
        if (here > 0 && below + here >= rank) {
            int64_t low = i ? HISTOGRAM_DURATIONS[i - 1] : 0, high = HISTOGRAM_DURATIONS[i];
            return low + (int64_t)((double)(high - low) * (double)(rank - below) / (double)here);
        }
        below += here;
    }
    return HISTOGRAM_DURATIONS[HISTOGRAM_BUCKETS - 1];
}

uint64_t metrics_throttles(const struct metrics *m) {
    return m->transactions[METRICS_VERDICT_THROTTLED] + m->requests[METRICS_SQS][METRICS_CLASS_THROTTLED];
}

void metrics_dead_lettered(struct metrics *m, unsigned error, int64_t wall) {
    if (!m)
        return;
    assert(error > 0 && error <= METRICS_ERRORS);
    m->dead_lettered[error - 1]++;
    size_t at = m->dead_letters_seen++ % METRICS_LAST_DEAD_LETTERS;
    m->last_dead_letters[at].wall = wall;
    m->last_dead_letters[at].error = error;
}
