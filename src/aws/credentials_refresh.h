/* When credentials are to be fetched anew. Pure. All in microseconds; moments are the wall's. */
#pragma once

#include "random.h"

#include <stdint.h>

enum refresh_phase {
    REFRESH_NOT_YET,
    REFRESH_AHEAD, /* what is held is given, and the source is asked beside it */
    REFRESH_NEEDED /* who asks waits for the source */
};

struct refresh_times {
    int64_t ahead, needed; /* when the phases begin; NEVER */
};

/* For credentials that were fetched at now: a quarter of an hour and up to five minutes more before their end, and ten
 * minutes before it; of short lives the last half and the last quarter. */
struct refresh_times refresh_times(struct random *random, int64_t now, int64_t expires);
enum refresh_phase refresh_phase(const struct refresh_times *times, int64_t now);
/* How long to leave a source in peace that failed, where credentials are held that may still be good: 5 to 10 minutes,
 * but not longer than half of what is left of their life, where that is more than half a minute. */
int64_t refresh_pause(struct random *random, int64_t now, int64_t expires);
/* How long to leave it in peace after failure number n in a row (from 0), or after refusal number n, where nothing is
 * held that is good: doubling from 1 s to a minute. */
int64_t refresh_short_pause(unsigned n);
