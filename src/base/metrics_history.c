#include "metrics_history.h"

void metrics_history_begin(struct metrics_history *h, const struct metrics *m, int64_t now) {
    *h = (struct metrics_history){.before = *m, .at = now};
}

static int64_t sum_of(const struct metrics_depth *depth) {
    return depth->visible == METRICS_ABSENT ? METRICS_ABSENT : depth->visible + depth->in_flight + depth->delayed;
}

void metrics_history_step(struct metrics_history *h, const struct metrics *m, int64_t now, int64_t wall) {
    struct history_step *step = &h->steps[h->count++ % HISTORY_STEPS];
    const struct metrics *then = &h->before;
    *step = (struct history_step){
        .wall = wall,
        .duration = now - h->at,
        .received = m->received - then->received,
        .applied = m->applied - then->applied,
        .returned = m->returned - then->returned,
        .throttles = metrics_throttles(m) - metrics_throttles(then),
        .median = histogram_quantile(&m->received_to_applied, &then->received_to_applied, 500),
        .p99 = histogram_quantile(&m->received_to_applied, &then->received_to_applied, 990),
        .oldest_age = m->oldest_age,
        .backlog = sum_of(&m->queue),
        .dlq = sum_of(&m->dlq),
    };
    for (size_t i = 0; i < METRICS_ERRORS; i++)
        step->dead_lettered[i] = m->dead_lettered[i] - then->dead_lettered[i];
    for (size_t i = 0; i < METRICS_STATES; i++)
        step->in_flight += m->in_flight[i];
    h->before = *m;
    h->at = now;
}

size_t metrics_history_length(const struct metrics_history *h) {
    return h->count < HISTORY_STEPS ? (size_t)h->count : HISTORY_STEPS;
}

const struct history_step *metrics_history_at(const struct metrics_history *h, size_t i) {
    size_t first = h->count < HISTORY_STEPS ? 0 : (size_t)(h->count % HISTORY_STEPS);
    return &h->steps[(first + i) % HISTORY_STEPS];
}

uint64_t metrics_history_rate(const struct metrics_history *h) {
    size_t length = metrics_history_length(h);
    const struct history_step *last = length ? metrics_history_at(h, length - 1) : NULL;
    return last && last->duration > 0 ? last->applied * 10 * (uint64_t)MICROSECONDS / (uint64_t)last->duration : 0;
}
