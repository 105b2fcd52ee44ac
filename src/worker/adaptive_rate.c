#include "adaptive_rate.h"

#include "clock.h"

#include <stddef.h>
#include <string.h>

static const double SPARE_RATE = 10;
static const double RATE_LEAST = 0.5, RATE_MOST = 1e6;
static const double RATE_UNKNOWN = 15; /* to begin with, where nothing is known */
static const double RATE_AFTER_LONG = 1; /* the least to begin with, however long nothing was admitted */
static const double SAFE_PART = 0.85; /* where the limit begins, as a part of what was admitted */
static const double FLOOR_PART = 0.5; /* of what is admitted: the rate never falls below it */
static const double STEEPEST = 0.7; /* the least part of the rate that is left after a second of falling */
static const double STEEP_BELOW = 5; /* below this rate a second has too few answers for that bound */
static const double RAMP = 0.19; /* doubles the rate in four answers */
static const double SURE_GROWTH = 0.15; /* the growth after SURE_AFTER without a throttle */
static const int64_t SURE_AFTER = 38 * MICROSECONDS;
static const int64_t LIFT_AFTER = 10 * MICROSECONDS; /* the limit ends, where nothing was throttled or held back */
static const int64_t TOLERANCE = 10 * MILLISECOND; /* a transaction may start this early: one timer serves several */
static const double NO_MATTER = 0.02; /* the part of answers that may be throttled without a limit */
static const double LIMIT_SCORE = 5;
static const int64_t RATE_WINDOW = 2 * MICROSECONDS, HOT_WINDOW = 5 * MICROSECONDS;
static const unsigned MANY_HOT = 32; /* this many newly hot records in HOT_WINDOW: it is the table */
static const unsigned SOME_HOT = 6;
static const unsigned STARVED_STREAK = 12;
static const int64_t STARVED_AFTER = 3 * MICROSECONDS;

static const unsigned FIRST_WINDOW = 24, WINDOW_KNOWN = 2000;
static const unsigned WINDOW_GROWTH = 1; /* for each answer: the window doubles with each round trip */

static const unsigned LEVEL = 8, HEAT_MAX = 8 * 7;
static const int64_t HOT_PACE = 25 * MILLISECOND;
static const int64_t HOT_LASTS = 500 * MILLISECOND; /* and longer, by the time that it takes to cool by a level */

static void roll(struct event_rate *r, int64_t now) {
    if (now - r->begins < r->window)
        return;
    r->before = now - r->begins < 2 * r->window ? r->current : 0;
    r->current = 0;
    r->begins = now - (now - r->begins) % r->window;
}

static void event_rate_init(struct event_rate *r, int64_t window, int64_t now) {
    *r = (struct event_rate){.window = window, .begins = now, .since = now};
}

static void event_rate_add(struct event_rate *r, int64_t now) {
    roll(r, now);
    r->current++;
}

/* Events in the last window. */
static double event_count(struct event_rate *r, int64_t now) {
    roll(r, now);
    double left = 1 - (double)(now - r->begins) / (double)r->window;
    return r->current + r->before * left;
}

/* Events a second. */
static double event_rate(struct event_rate *r, int64_t now) {
    int64_t age = now - r->since;
    int64_t over = age < r->window ? age : r->window;
    return over > 0 ? event_count(r, now) * (double)MICROSECONDS / (double)over : 0;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

static double smaller(double a, double b) {
    return a < b ? a : b;
}

void adaptive_rate_init(struct adaptive_rate *a, int64_t now) {
    memset(a, 0, offsetof(struct adaptive_rate, hot));
    a->spell = 1;
    a->next_at = a->bound_at = a->throttled_at = a->admitted_at = now;
    event_rate_init(&a->admitted, RATE_WINDOW, now);
    event_rate_init(&a->newly_hot, HOT_WINDOW, now);
    a->window = FIRST_WINDOW;
}

unsigned adaptive_rate_window(const struct adaptive_rate *a, unsigned most) {
    return a->window && a->window < most ? a->window : most;
}

int64_t adaptive_rate_wait(struct adaptive_rate *a, int64_t now) {
    if (!a->limited || a->next_at <= now + TOLERANCE)
        return 0;
    a->bound_at = now;
    return a->next_at - now;
}

void adaptive_rate_started(struct adaptive_rate *a, struct random *random, int64_t now) {
    if (!a->limited)
        return;
    /* Jitter, so that workers that were throttled together don't come back together. */
    double jitter = 0.5 + (double)random_below(random, 1024) / 1024;
    a->next_at = (a->next_at > now ? a->next_at : now) + (int64_t)((double)MICROSECONDS / a->rate * jitter);
}

unsigned adaptive_rate_now(const struct adaptive_rate *a) {
    return a->limited ? (unsigned)a->rate + 1 : 0;
}

/* Hot records. */

static const struct hot_record *find_hot(const struct adaptive_rate *a, uint64_t record, int64_t now) {
    const struct hot_record *hot = &a->hot[record & (HOT_RECORDS - 1)];
    return a->has_hot && hot->heat && hot->hash == record && now < hot->forget_at ? hot : NULL;
}

int64_t adaptive_rate_record_wait(const struct adaptive_rate *a, uint64_t record, int64_t now) {
    const struct hot_record *hot = find_hot(a, record, now);
    if (!hot)
        return 0;
    int64_t at = hot->next_at > a->hot_at ? hot->next_at : a->hot_at;
    return at > now ? at - now : 0;
}

void adaptive_rate_record_started(struct adaptive_rate *a, uint64_t record, int64_t now) {
    /* It may be the table after all. Then all hot records together start one transaction a second. */
    if (find_hot(a, record, now) && now - a->admitted_at >= STARVED_AFTER)
        a->hot_at = now + MICROSECONDS;
}

static void pace(struct hot_record *hot, struct random *random, int64_t now) {
    int64_t interval = HOT_PACE << (hot->heat + LEVEL - 1) / LEVEL;
    hot->next_at = now + interval / 2 + (int64_t)random_below(random, (uint64_t)interval);
}

/* Returns whether it was hot before: lately, or at any time since the last admitted answer. */
static bool heat_up(struct adaptive_rate *a, uint64_t record, struct random *random, int64_t now) {
    struct hot_record *hot = &a->hot[record & (HOT_RECORDS - 1)];
    if (!a->has_hot) {
        memset(a->hot, 0, sizeof a->hot);
        a->has_hot = true;
    }
    bool was_hot = find_hot(a, record, now) || (hot->heat && hot->hash == record && hot->spell == a->spell);
    if (!was_hot) {
        *hot = (struct hot_record){.hash = record};
        event_rate_add(&a->newly_hot, now);
    }
    hot->heat = hot->heat + LEVEL < HEAT_MAX ? hot->heat + LEVEL : HEAT_MAX;
    if (hot->spell != a->spell)
        a->streak_records++;
    hot->spell = a->spell;
    pace(hot, random, now);
    int64_t turn = a->limited ? (int64_t)((double)MICROSECONDS / a->rate) : 0, wait = hot->next_at - now;
    hot->forget_at = now + HOT_LASTS + LEVEL * (wait > turn ? wait : turn);
    return was_hot;
}

static bool cool_down(struct adaptive_rate *a, uint64_t record, struct random *random, int64_t now) {
    if (!find_hot(a, record, now))
        return false;
    struct hot_record *hot = &a->hot[record & (HOT_RECORDS - 1)];
    hot->heat--;
    pace(hot, random, now);
    return true;
}

static bool tells_of_table(struct adaptive_rate *a, const struct rated_attempt *answer, bool was_hot, int64_t now) {
    return answer->attempt > a->blind_until && (!was_hot || event_count(&a->newly_hot, now) > MANY_HOT);
}

/* The law. */

/* 1 at one transaction a second, towards 0 at many. At low rates answers are few, and each must count for more. */
static double scarcity(double rate) {
    return 3.5 / (larger(rate, 1) + 2.5);
}

static double cut(double rate) {
    return 0.1 + 0.2 * scarcity(rate);
}

/* The growth that balances the cut where the part `throttled` of the calls is throttled. */
static double growth(double rate) {
    double throttled = 0.02 + 0.04 * scarcity(rate);
    return cut(rate) * throttled / (1 - throttled);
}

/* Whether the limit decides how much is started, rather than how much there is to do. */
static bool binds(const struct adaptive_rate *a, int64_t now) {
    return (double)(now - a->bound_at) < (2 + 2 / a->rate) * (double)MICROSECONDS;
}

static void limit(struct adaptive_rate *a, double rate, uint64_t attempts, int64_t now) {
    a->limited = true;
    a->window = 0; /* the rate is the bound now */
    a->ramping = false;
    a->rate = larger(rate, RATE_LEAST);
    a->next_at = a->bound_at = a->throttled_at = now;
    a->blind_until = attempts;
    a->score = 0;
}

/* The first limit. Where next to nothing was admitted lately, there may have been nothing to do: that doesn't tell how
 * much there is room for. */
static void limit_first(struct adaptive_rate *a, uint64_t attempts, int64_t now) {
    double safe = SAFE_PART * event_rate(&a->admitted, now);
    limit(a, larger(safe, RATE_UNKNOWN), attempts, now);
    a->ramping = safe < RATE_UNKNOWN;
}

static void slow_down(struct adaptive_rate *a, int64_t now) {
    double admitted = event_rate(&a->admitted, now);
    /* A limit that doesn't bind may stand far above what is really done. Then the cut begins at twice what was admitted
     * and some more, since little may have been done for other reasons. The same holds for a limit that has just
     * doubled several times, on capacity that a pause had saved up. */
    bool has_ramped = a->ramping && a->rate > 2 * RATE_UNKNOWN;
    double base = binds(a, now) && !has_ramped ? a->rate : smaller(a->rate, 2 * admitted + SPARE_RATE);
    /* Many throttles at once tell no more than a few do: only the next second tells more. */
    if (now - a->descends_at >= MICROSECONDS) {
        a->descends_at = now;
        a->descends_from = base;
    }
    double steepest = a->descends_from > STEEP_BELOW ? STEEPEST * a->descends_from : RATE_LEAST;
    double floor = larger(FLOOR_PART * admitted, steepest);
    double lower = larger(base * (1 - cut(base)), floor);
    a->rate = smaller(a->rate, lower);
    a->ramping = false;
    a->throttled_at = now;
}

static void speed_up(struct adaptive_rate *a, int64_t now) {
    int64_t quiet = now - a->throttled_at;
    if (quiet > LIFT_AFTER && now - a->bound_at > LIFT_AFTER) {
        a->limited = false;
        a->score = 0;
    } else if (binds(a, now)) {
        double part = a->ramping ? RAMP : quiet > SURE_AFTER ? SURE_GROWTH : growth(a->rate);
        a->rate = smaller(a->rate * (1 + part), RATE_MOST);
    }
}

void adaptive_rate_admitted(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                            int64_t now) {
    bool was_hot = cool_down(a, answer->record, random, now);
    event_rate_add(&a->admitted, now);
    a->admitted_at = now;
    a->hot_at = 0;
    a->streak = a->streak_records = 0;
    a->spell++;
    if (!tells_of_table(a, answer, was_hot, now))
        return;
    if (a->window)
        a->window = a->window < WINDOW_KNOWN ? a->window + WINDOW_GROWTH : 0;
    if (a->limited)
        speed_up(a, now);
    else
        a->score = larger(a->score - NO_MATTER, 0);
}

int64_t adaptive_rate_throttled(struct adaptive_rate *a, const struct rated_attempt *answer, struct random *random,
                                int64_t now) {
    bool was_hot = heat_up(a, answer->record, random, now);
    a->streak++;
    if (tells_of_table(a, answer, was_hot, now)) {
        if (a->limited)
            slow_down(a, now);
        else if (++a->score >= LIMIT_SCORE)
            limit_first(a, answer->attempts, now);
    }
    return adaptive_rate_record_wait(a, answer->record, now);
}

bool adaptive_rate_is_starved(const struct adaptive_rate *a, int64_t now) {
    struct event_rate newly_hot = a->newly_hot;
    if (a->streak >= STARVED_STREAK && event_count(&newly_hot, now) >= SOME_HOT)
        return true;
    /* A few records may be hot for as long as they like: each is paced by itself. */
    return a->streak_records >= SOME_HOT && now - a->admitted_at >= STARVED_AFTER;
}

void adaptive_rate_suspend(struct adaptive_rate *a, uint64_t attempts, int64_t now) {
    limit(a, a->limited ? a->rate : SAFE_PART * event_rate(&a->admitted, now), attempts, now);
    a->held_at = now;
}

void adaptive_rate_resume(struct adaptive_rate *a, uint64_t attempts, int64_t now) {
    /* The longer nothing was admitted, the less capacity there may be. */
    double seconds = (double)(now - a->held_at) / (double)MICROSECONDS;
    double least = larger(RATE_UNKNOWN / (1 + seconds), RATE_AFTER_LONG);
    limit(a, larger(FLOOR_PART * event_rate(&a->admitted, now), least), attempts, now);
    a->ramping = true;
    a->streak = a->streak_records = 0;
    a->spell++;
}
