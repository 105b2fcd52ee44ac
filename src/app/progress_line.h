/* One line of progress, as text. Pure. */
#pragma once

#include "buf.h"
#include "progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_figures {
    double rate; /* rows a second; <0: not known */
    double seconds_left; /* <0: not known */
};

/* Appends the line, of at most width columns. color: with the escapes that color parts of it. */
void progress_line_append(const struct progress_options *o, const struct progress_view *view,
                          const struct progress_figures *figures, size_t width, bool color, struct buf *out);
/* Appends 1,234,567. */
void progress_append_number(uint64_t number, struct buf *out);
/* Appends 12 s, 3 min 05 s, 2 h 07 min, 3 d 04 h. */
void progress_append_time(double seconds, struct buf *out);
