#include "shutdown.h"

#include "clock.h"

/* The part of the shutdown time that is kept for returning what could not be finished: a quarter, but at most this. */
static const int64_t LEAVE_MAX = 2 * MICROSECONDS;
static const int64_t LEAVE_LEAST = MICROSECONDS; /* also where there is no time at all */
/* How long after the drain's beginning open receives may still end by themselves: the wait of a long poll while
 * messages are in flight, and a round trip. */
static const int64_t LAST_RECEIVES = 1300 * MILLISECOND;

static int64_t all_time(const struct shutdown *s) {
    return s->seconds * MICROSECONDS;
}

static int64_t leave_time(const struct shutdown *s) {
    int64_t quarter = all_time(s) / 4, most = quarter < LEAVE_MAX ? quarter : LEAVE_MAX;
    return most > LEAVE_LEAST ? most : LEAVE_LEAST;
}

/* The part of the shutdown time that is left for what runs: at least half. */
static int64_t work_time(const struct shutdown *s) {
    int64_t half = all_time(s) / 2, rest = all_time(s) - leave_time(s);
    return rest > half ? rest : half;
}

void shutdown_begin(struct shutdown *s, unsigned seconds, int64_t now) {
    s->phase = PHASE_DRAINING;
    s->seconds = seconds;
    s->began_at = now;
    s->until = now + work_time(s);
}

void shutdown_hasten(struct shutdown *s) {
    if (s->phase != PHASE_DRAINING)
        return;
    s->phase = PHASE_LEAVING;
    s->until = s->began_at + LAST_RECEIVES;
}

enum shutdown_step shutdown_step(struct shutdown *s, const struct shutdown_view *v) {
    if (s->phase == PHASE_DRAINING && v->now >= s->until)
        shutdown_hasten(s);
    switch (s->phase) {
    case PHASE_DRAINING:
        if (v->receives > 0)
            return SHUTDOWN_WAIT; /* what is returned while a receive is open goes to that receive */
        if (v->in_flight > 0 || v->records_wait)
            return SHUTDOWN_RETURN_IDLE;
        break;
    case PHASE_LEAVING:
        if (v->receives > 0 && v->now < s->until)
            return SHUTDOWN_WAIT;
        s->phase = PHASE_EMPTYING;
        s->until = v->now + leave_time(s);
        return SHUTDOWN_RETURN_ALL;
    case PHASE_EMPTYING:
        if ((v->in_flight > 0 || v->receives > 0) && v->now < s->until)
            return SHUTDOWN_WAIT;
        break;
    case PHASE_WORKING:
    case PHASE_ENDED: return SHUTDOWN_WAIT;
    }
    s->phase = PHASE_ENDED;
    return SHUTDOWN_END;
}
