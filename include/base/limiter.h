/* A token bucket: at most rate events a second, with a burst of at most a tenth of a second's worth (at least one). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limiter {
    uint32_t rate; /* events a second; 0: no limit */
    int64_t credit; /* in microsecond-events: rate * MICROSECONDS pays for one second */
    int64_t at; /* monotonic microseconds of the last look */
};

void limiter_init(struct limiter *l, uint32_t rate, int64_t now);
/* Takes one event, where one is free now. False: none is; *ret_wait is how many microseconds until one is. */
bool limiter_take(struct limiter *l, int64_t now, int64_t *ret_wait);
/* Another rate from now on; what was earned at the old one counts, up to the new burst. */
void limiter_set_rate(struct limiter *l, uint32_t rate, int64_t now);
