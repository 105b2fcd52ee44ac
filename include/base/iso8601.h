/* Reads moments as the services write them: ISO 8601 with a zone. clock_iso8601() writes them. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

/* 2024-01-08T01:34:32Z, with a fraction of a second or without; the zone is Z, UTC or ±hh:mm (also ±hhmm). Wall
 * microseconds. False: text isn't such a moment. One without a zone isn't: it could mean any of 26 hours. */
MUST_USE bool iso8601_parse(struct span text, int64_t *ret_wall);
