#include "credentials_refresh.h"

#include "clock.h"

#define MINUTE (60 * MICROSECONDS)
#define AHEAD (15 * MINUTE)
#define AHEAD_JITTER (5 * MINUTE) /* so that a fleet that started together doesn't ask together */
#define NEEDED (10 * MINUTE)
#define PAUSE_LEAST (5 * MINUTE)
#define PAUSE_JITTER (5 * MINUTE)
#define PAUSE_NEAR_THE_END (MINUTE / 2)

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

struct refresh_times refresh_times(struct random *random, int64_t now, int64_t expires) {
    if (expires == NEVER) {
        return (struct refresh_times){NEVER, NEVER};
    }
    int64_t life = expires > now ? expires - now : 0;
    int64_t jitter = (int64_t)random_below(random, (uint64_t)AHEAD_JITTER);
    return (struct refresh_times){expires - least(AHEAD + jitter, life / 2), expires - least(NEEDED, life / 4)};
}

enum refresh_phase refresh_phase(const struct refresh_times *times, int64_t now) {
    return now >= times->needed ? REFRESH_NEEDED : now >= times->ahead ? REFRESH_AHEAD : REFRESH_NOT_YET;
}

int64_t refresh_pause(struct random *random, int64_t now, int64_t expires) {
    int64_t pause = PAUSE_LEAST + (int64_t)random_below(random, (uint64_t)PAUSE_JITTER);
    if (expires == NEVER || expires <= now) {
        return pause;
    }
    int64_t half = (expires - now) / 2;
    return half > PAUSE_NEAR_THE_END ? least(pause, half) : PAUSE_NEAR_THE_END;
}

int64_t refresh_short_pause(unsigned n) {
    return n >= 6 ? MINUTE : MICROSECONDS << n;
}
