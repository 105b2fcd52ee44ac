/* Moments as people give them: how long ago, or when. Pure. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_EXPECTED                                                                                                \
    "a duration back from now (90s, 15m, 2h30m, 3d, 1w) or a time with its zone (2026-11-29T08:30:00Z, "               \
    "2026-11-29T08:30+02:00; 2026-11-29 is its first moment in UTC)"

/* Reads text at the time now; wall microseconds. False: it is none of MOMENT_EXPECTED, or before 1970. */
MUST_USE bool moment_read(struct span text, int64_t now, int64_t *ret_wall);
