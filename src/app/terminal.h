/* What a descriptor is to people: a terminal of some width, or none. */
#pragma once

#include <stdbool.h>

/* Columns; 0: it is no terminal. */
unsigned terminal_width(int fd);
/* Whether text may be set off: a terminal that can, of somebody who doesn't mind (NO_COLOR, TERM=dumb). */
bool terminal_is_rich(int fd);
