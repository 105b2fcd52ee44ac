/* Time, passed in: the real clocks in the daemon, a virtual one in tests. All in microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MICROSECONDS 1000000LL /* in a second */
#define MILLISECOND 1000LL /* in microseconds */
#define NEVER INT64_MAX

struct clock {
    int64_t (*monotonic)(void *ctx); /* since some fixed moment; never goes back, and goes on in the machine's sleep */
    int64_t (*wall)(void *ctx); /* since 1970-01-01T00:00:00Z */
    void *ctx;
};

/* What the clock says. */
static inline int64_t clock_monotonic(const struct clock *c) {
    return c->monotonic(c->ctx);
}
/* What the clock says. Somebody may set it, backwards too. */
static inline int64_t clock_wall(const struct clock *c) {
    return c->wall(c->ctx);
}

/* The machine's own clocks (CLOCK_BOOTTIME, CLOCK_REALTIME). */
struct clock clock_system(void);

#define ISO8601_SIZE sizeof "2024-01-08T01:34:32.343Z"
/* The moment in UTC with milliseconds, terminated: 2024-01-08T01:34:32.343Z. Moments outside the years 1970-9999 are
 * clamped. */
void clock_iso8601(int64_t wall, char ret_text[static ISO8601_SIZE]);
