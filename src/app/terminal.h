/* What a descriptor is to people: a terminal of some width, or none. */
#pragma once

#include <stdbool.h>

/* Columns; 0: it is no terminal. */
unsigned terminal_width(int fd);
/* Whether text may be bold: it goes to a terminal that can show that, and the user doesn't mind (NO_COLOR,
 * TERM=dumb). */
bool terminal_is_rich(int fd);
