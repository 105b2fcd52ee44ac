#include "governor.h"

#include "clock.h"

static const double SPARE_RATE = 10;
static const double RATE_LEAST = 0.5, RATE_MOST = 1e6;
static const double RATE_UNKNOWN = 15; /* to begin with, where nothing tells */
static const double RATE_AFTER_LONG = 1; /* …that any is left */
static const double SAFE_PART = 0.85; /* of what was admitted, where the limit begins */
static const double FLOOR_PART = 0.5; /* of what is admitted: however many are throttled together, no lower */
static const double STEEPEST = 0.7; /* of the rate, what is left after a second */
static const double STEEP_BELOW = 5; /* where there are few in a second */
static const double RAMP = 0.19; /* doubles in four answers */
static const double SURE_GROWTH = 0.15; /* after a while without a throttle */
static const int64_t SURE_AFTER = 38 * MICROSECONDS;
static const int64_t LIFT_AFTER = 10 * MICROSECONDS; /* without a throttle, and without holding anything back */
static const int64_t TOLERANCE = 10 * MILLISECOND; /* starts before their time, so that a timer serves several */
static const double NO_MATTER = 0.02; /* the part of answers that may be throttled without a limit */
static const double LIMIT_SCORE = 5;
static const int64_t RATE_WINDOW = 2 * MICROSECONDS, HOT_WINDOW = 5 * MICROSECONDS;
static const unsigned MANY_HOT = 32; /* newly hot records in HOT_WINDOW: it is the table */
static const unsigned SOME_HOT = 6;
static const unsigned STARVED_STREAK = 12;
static const int64_t STARVED_AFTER = 3 * MICROSECONDS;

static const unsigned FIRST_WINDOW = 24, WINDOW_KNOWN = 2000;
static const unsigned WINDOW_GROWTH = 3; /* for each answer: four times as many in each round trip */

static const unsigned LEVEL = 8, HEAT_MAX = 8 * 7;
static const int64_t HOT_PACE = 25 * MILLISECOND;
static const int64_t HOT_LASTS = 500 * MILLISECOND; /* and as long as it takes to cool by a level */

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

void governor_init(struct governor *g, int64_t now) {
    *g = (struct governor){.spell = 1, .next_at = now, .bound_at = now, .throttled_at = now, .admitted_at = now};
    event_rate_init(&g->admitted, RATE_WINDOW, now);
    event_rate_init(&g->newly_hot, HOT_WINDOW, now);
    g->window = FIRST_WINDOW;
}

unsigned governor_window(const struct governor *g, unsigned most) {
    return g->window && g->window < most ? g->window : most;
}

int64_t governor_wait(struct governor *g, int64_t now) {
    if (!g->limited || g->next_at <= now + TOLERANCE)
        return 0;
    g->bound_at = now;
    return g->next_at - now;
}

void governor_started(struct governor *g, struct random *random, int64_t now) {
    if (!g->limited)
        return;
    /* Jitter, so that workers that were throttled together don't come back together. */
    double jitter = 0.5 + (double)random_below(random, 1024) / 1024;
    g->next_at = (g->next_at > now ? g->next_at : now) + (int64_t)((double)MICROSECONDS / g->rate * jitter);
}

unsigned governor_rate(const struct governor *g) {
    return g->limited ? (unsigned)g->rate + 1 : 0;
}

/* Hot records. */

static const struct hot_record *find_hot(const struct governor *g, uint64_t record, int64_t now) {
    const struct hot_record *hot = &g->hot[record & (GOVERNOR_RECORDS - 1)];
    return hot->heat && hot->hash == record && now < hot->forget_at ? hot : NULL;
}

int64_t governor_record_wait(const struct governor *g, uint64_t record, int64_t now) {
    const struct hot_record *hot = find_hot(g, record, now);
    if (!hot)
        return 0;
    int64_t at = hot->next_at > g->hot_at ? hot->next_at : g->hot_at;
    return at > now ? at - now : 0;
}

void governor_record_started(struct governor *g, uint64_t record, int64_t now) {
    /* It may be the table after all: all hot records together ask once a second then. */
    if (find_hot(g, record, now) && now - g->admitted_at >= STARVED_AFTER)
        g->hot_at = now + MICROSECONDS;
}

static void pace(struct hot_record *hot, struct random *random, int64_t now) {
    int64_t interval = HOT_PACE << (hot->heat + LEVEL - 1) / LEVEL;
    hot->next_at = now + interval / 2 + (int64_t)random_below(random, (uint64_t)interval);
}

/* Whether it was hot before: lately, or since anything was admitted at all. */
static bool heat_up(struct governor *g, uint64_t record, struct random *random, int64_t now) {
    struct hot_record *hot = &g->hot[record & (GOVERNOR_RECORDS - 1)];
    bool was_hot = find_hot(g, record, now) || (hot->heat && hot->hash == record && hot->spell == g->spell);
    if (!was_hot) {
        *hot = (struct hot_record){.hash = record};
        event_rate_add(&g->newly_hot, now);
    }
    hot->heat = hot->heat + LEVEL < HEAT_MAX ? hot->heat + LEVEL : HEAT_MAX;
    if (hot->spell != g->spell)
        g->streak_records++;
    hot->spell = g->spell;
    pace(hot, random, now);
    int64_t turn = g->limited ? (int64_t)((double)MICROSECONDS / g->rate) : 0, wait = hot->next_at - now;
    hot->forget_at = now + HOT_LASTS + LEVEL * (wait > turn ? wait : turn);
    return was_hot;
}

static bool cool_down(struct governor *g, uint64_t record, struct random *random, int64_t now) {
    if (!find_hot(g, record, now))
        return false;
    struct hot_record *hot = &g->hot[record & (GOVERNOR_RECORDS - 1)];
    hot->heat--;
    pace(hot, random, now);
    return true;
}

static bool tells_of_table(struct governor *g, const struct governed *answer, bool was_hot, int64_t now) {
    return answer->attempt > g->blind_until && (!was_hot || event_count(&g->newly_hot, now) > MANY_HOT);
}

/* The law. */

/* 1 at one a second, towards 0 at many: at low rates answers are few, and must tell more. */
static double scarcity(double rate) {
    return 3.5 / (larger(rate, 1) + 2.5);
}

static double cut(double rate) {
    return 0.1 + 0.2 * scarcity(rate);
}

/* Balances the cut where this part of the calls is throttled. */
static double growth(double rate) {
    double throttled = 0.02 + 0.04 * scarcity(rate);
    return cut(rate) * throttled / (1 - throttled);
}

/* Whether it is the limit that decides how much is started, and not how much there is to do. */
static bool binds(const struct governor *g, int64_t now) {
    return (double)(now - g->bound_at) < (2 + 2 / g->rate) * (double)MICROSECONDS;
}

static void limit(struct governor *g, double rate, uint64_t attempts, int64_t now) {
    g->limited = true;
    g->window = 0; /* the rate bounds it */
    g->ramping = false;
    g->rate = larger(rate, RATE_LEAST);
    g->next_at = g->bound_at = g->throttled_at = now;
    g->blind_until = attempts;
    g->score = 0;
}

/* Where next to nothing was admitted lately, there may have been nothing to do: that tells nothing of what there is
 * room for. */
static void limit_first(struct governor *g, uint64_t attempts, int64_t now) {
    double safe = SAFE_PART * event_rate(&g->admitted, now);
    limit(g, larger(safe, RATE_UNKNOWN), attempts, now);
    g->ramping = safe < RATE_UNKNOWN;
}

static void slow_down(struct governor *g, int64_t now) {
    double admitted = event_rate(&g->admitted, now);
    /* A limit that doesn't bind stands too high by as much as it is above what is done; but what is done may have been
     * little for other reasons. So does one that has just doubled and doubled again, on what a pause had saved up. */
    bool has_ramped = g->ramping && g->rate > 2 * RATE_UNKNOWN;
    double base = binds(g, now) && !has_ramped ? g->rate : smaller(g->rate, 2 * admitted + SPARE_RATE);
    /* Many throttles at once tell no more than a few: the next second tells more. */
    if (now - g->descends_at >= MICROSECONDS) {
        g->descends_at = now;
        g->descends_from = base;
    }
    double steepest = g->descends_from > STEEP_BELOW ? STEEPEST * g->descends_from : RATE_LEAST;
    double floor = larger(FLOOR_PART * admitted, steepest);
    double lower = larger(base * (1 - cut(base)), floor);
    g->rate = smaller(g->rate, lower);
    g->ramping = false;
    g->throttled_at = now;
}

static void speed_up(struct governor *g, int64_t now) {
    int64_t quiet = now - g->throttled_at;
    if (quiet > LIFT_AFTER && now - g->bound_at > LIFT_AFTER) {
        g->limited = false;
        g->score = 0;
    } else if (binds(g, now)) {
        double part = g->ramping ? RAMP : quiet > SURE_AFTER ? SURE_GROWTH : growth(g->rate);
        g->rate = smaller(g->rate * (1 + part), RATE_MOST);
    }
}

void governor_admitted(struct governor *g, const struct governed *answer, struct random *random, int64_t now) {
    bool was_hot = cool_down(g, answer->record, random, now);
    event_rate_add(&g->admitted, now);
    g->admitted_at = now;
    g->hot_at = 0;
    g->streak = g->streak_records = 0;
    g->spell++;
    if (!tells_of_table(g, answer, was_hot, now))
        return;
    if (g->window)
        g->window = g->window < WINDOW_KNOWN ? g->window + WINDOW_GROWTH : 0;
    if (g->limited)
        speed_up(g, now);
    else
        g->score = larger(g->score - NO_MATTER, 0);
}

int64_t governor_throttled(struct governor *g, const struct governed *answer, struct random *random, int64_t now) {
    bool was_hot = heat_up(g, answer->record, random, now);
    g->streak++;
    if (tells_of_table(g, answer, was_hot, now)) {
        if (g->limited)
            slow_down(g, now);
        else if (++g->score >= LIMIT_SCORE)
            limit_first(g, answer->attempts, now);
    }
    return governor_record_wait(g, answer->record, now);
}

bool governor_is_starved(const struct governor *g, int64_t now) {
    struct event_rate newly_hot = g->newly_hot;
    if (g->streak >= STARVED_STREAK && event_count(&newly_hot, now) >= SOME_HOT)
        return true;
    /* A few records may be hot for as long as they like: each is paced by itself. */
    return g->streak_records >= SOME_HOT && now - g->admitted_at >= STARVED_AFTER;
}

void governor_hold(struct governor *g, uint64_t attempts, int64_t now) {
    limit(g, g->limited ? g->rate : SAFE_PART * event_rate(&g->admitted, now), attempts, now);
    g->held_at = now;
}

void governor_resume(struct governor *g, uint64_t attempts, int64_t now) {
    /* The longer it lasted, the less there may be. */
    double seconds = (double)(now - g->held_at) / (double)MICROSECONDS;
    double least = larger(RATE_UNKNOWN / (1 + seconds), RATE_AFTER_LONG);
    limit(g, larger(FLOOR_PART * event_rate(&g->admitted, now), least), attempts, now);
    g->ramping = true;
    g->streak = g->streak_records = 0;
    g->spell++;
}
