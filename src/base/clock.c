#include "clock.h"

#include <string.h>
#include <time.h>

#define LAST_MOMENT (253402300799LL * MICROSECONDS + 999999) /* 9999-12-31T23:59:59.999999Z */

static int64_t read_clock(clockid_t id) {
    struct timespec t = {0};
    /* Neither clock can fail on Linux: both are always there, and t is ours. */
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * MICROSECONDS + t.tv_nsec / 1000;
}

static int64_t read_monotonic(void *ctx) {
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t read_wall(void *ctx) {
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

struct clock clock_system(void) {
    return (struct clock){.monotonic = read_monotonic, .wall = read_wall};
}

static void put_digits(char *to, unsigned width, int value) {
    for (; width > 0; width--, value /= 10)
        to[width - 1] = (char)('0' + value % 10);
}

void clock_iso8601(int64_t wall, char ret_text[static ISO8601_SIZE]) {
    wall = wall < 0 ? 0 : wall > LAST_MOMENT ? LAST_MOMENT : wall;
    time_t seconds = (time_t)(wall / MICROSECONDS);
    struct tm t = {.tm_year = 70, .tm_mday = 1};
    /* It fails only for years that an int doesn't hold. */
    (void)gmtime_r(&seconds, &t);
    memcpy(ret_text, "YYYY-MM-DDThh:mm:ss.mmmZ", ISO8601_SIZE);
    put_digits(ret_text, 4, t.tm_year + 1900);
    put_digits(ret_text + 5, 2, t.tm_mon + 1);
    put_digits(ret_text + 8, 2, t.tm_mday);
    put_digits(ret_text + 11, 2, t.tm_hour);
    put_digits(ret_text + 14, 2, t.tm_min);
    put_digits(ret_text + 17, 2, t.tm_sec);
    put_digits(ret_text + 20, 3, (int)(wall / MILLISECOND % 1000));
}
