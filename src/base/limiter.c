#include "limiter.h"

#include "clock.h"

static int64_t burst_credit(const struct limiter *l) {
    int64_t burst = l->rate / 10;
    return (burst > 1 ? burst : 1) * MICROSECONDS;
}

/* Keeps less than one event above the burst, so that a caller who is a moment late for each event still gets the whole
 * rate. */
static int64_t most_credit(const struct limiter *l) {
    return burst_credit(l) + MICROSECONDS - 1;
}

void limiter_init(struct limiter *l, uint32_t rate, int64_t now) {
    *l = (struct limiter){.rate = rate, .at = now};
    l->credit = burst_credit(l);
}

static void earn(struct limiter *l, int64_t now) {
    if (now <= l->at)
        return;
    int64_t missing = most_credit(l) - l->credit;
    /* Divided, not multiplied: the time since the last look may be of any length. */
    if (now - l->at > missing / l->rate)
        l->credit += missing;
    else
        l->credit += (now - l->at) * l->rate;
    l->at = now;
}

bool limiter_take(struct limiter *l, int64_t now, int64_t *ret_wait) {
    if (l->rate == 0)
        return true;
    earn(l, now);
    if (l->credit >= MICROSECONDS) {
        l->credit -= MICROSECONDS;
        return true;
    }
    *ret_wait = (MICROSECONDS - l->credit + l->rate - 1) / l->rate;
    return false;
}

void limiter_set_rate(struct limiter *l, uint32_t rate, int64_t now) {
    if (rate == l->rate)
        return;
    if (l->rate == 0 || rate == 0) {
        limiter_init(l, rate, now);
        return;
    }
    earn(l, now);
    l->rate = rate;
    if (l->credit > most_credit(l))
        l->credit = most_credit(l);
}
