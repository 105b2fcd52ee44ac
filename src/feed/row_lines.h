/* The physical lines of a source. A row may take several: from its mark on, all of it is kept together, up to a bound.
 * Private to the reader of rows. */
#pragma once

#include "buf.h"
#include "row_source.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_lines {
    struct row_source *source; /* borrowed */
    struct buf window; /* what was read and may still be needed */
    size_t mark, at; /* in window: where the row begins; where the next line does */
    size_t scanned; /* no newline between at and here */
    size_t row_max; /* bytes from mark on that are kept together */
    uint64_t offset; /* of window's beginning in the decompressed text */
    uint64_t line; /* number of the line at `at`, from 1 */
    bool ended;
    const char *why; /* after LINE_BROKEN */
};

enum line_status {
    LINE_READ, /* *ret_line is a line with its newline (the last one may lack it) */
    LINE_PART, /* *ret_line is a line, or where it has no newline a part of one, that makes the row longer than it may
                  be: the row has to be marked anew, and so the window stays bounded */
    LINE_WAIT, /* as SOURCE_WAIT */
    LINE_END,
    LINE_BROKEN /* what was read of a line behind the last newline is not given out */
};

void row_lines_init(struct row_lines *l, struct row_source *source, size_t row_max);
void row_lines_free(struct row_lines *l);
/* The next line, or part of one; valid until the next call. */
enum line_status row_lines_next(struct row_lines *l, struct span *ret_line);
/* The row begins with the next line. */
static inline void row_lines_mark(struct row_lines *l) {
    l->mark = l->at;
}
/* The row so far: the lines since the mark. */
static inline struct span row_lines_row(const struct row_lines *l) {
    return span_of(l->window.data ? l->window.data + l->mark : "", l->at - l->mark);
}
/* Where the next line begins in the decompressed text. */
static inline uint64_t row_lines_offset(const struct row_lines *l) {
    return l->offset + l->at;
}
/* The next bytes without taking them: `count`, or fewer where the text ends. LINE_READ, LINE_WAIT or LINE_BROKEN. */
enum line_status row_lines_peek(struct row_lines *l, size_t count, struct span *ret_bytes);
/* The next line is the one at this offset, which isn't before the present one, and has this number. */
void row_lines_go_to(struct row_lines *l, uint64_t offset, uint64_t line);
