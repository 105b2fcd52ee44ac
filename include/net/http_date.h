/* Dates as HTTP has them (RFC 9110, section 5.6.7). */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads an IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT; the obsolete forms aren't read. ret_wall: microseconds since
 * 1970. */
MUST_USE bool http_date_parse(struct span text, int64_t *ret_wall);
