/* When credentials must be fetched anew. Pure. All in microseconds; moments are wall time. */
#pragma once

#include "random.h"

#include <stdint.h>

enum refresh_phase {
    REFRESH_NOT_YET,
    REFRESH_AHEAD, /* the held ones are given, and the source is asked meanwhile */
    REFRESH_NEEDED /* who asks waits for the source */
};

struct refresh_times {
    int64_t ahead, needed; /* when the phases begin; NEVER */
};

/* For credentials that were fetched at now. ahead: 15 to 20 minutes before they expire; needed: ten minutes before. If
 * their life is short: its last half, and its last quarter. */
struct refresh_times refresh_times(struct random *random, int64_t now, int64_t expires);
enum refresh_phase refresh_phase(const struct refresh_times *times, int64_t now);
/* How long not to ask a source that failed, while credentials are held: 5 to 10 minutes. If they haven't expired yet,
 * at most half of the life they have left, but at least half a minute. */
int64_t refresh_pause(struct random *random, int64_t now, int64_t expires);
/* How long not to ask it after failure or refusal number n in a row (from 0), if no good credentials are held: doubling
 * from 1 s up to a minute. */
int64_t refresh_short_pause(unsigned n);
