#include "metrics.h"

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

uint64_t histogram_count(const struct histogram *h) {
    uint64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        count += h->counts[i];
    return count;
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
