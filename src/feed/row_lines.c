#include "row_lines.h"

#include <string.h>

#define PIECE_MAX ((size_t)256 * 1024) /* no less than a source gives at once */

void row_lines_init(struct row_lines *l, struct row_source *source, size_t row_max) {
    *l = (struct row_lines){.source = source, .row_max = row_max, .line = 1};
    buf_init(&l->window, row_max + 2 * PIECE_MAX);
}

void row_lines_free(struct row_lines *l) {
    buf_free(&l->window);
}

/* What stands before the row is needed no more. */
static void compact(struct row_lines *l) {
    size_t gone = l->mark;
    if (gone == 0) {
        return;
    }
    memmove(l->window.data, l->window.data + gone, l->window.len - gone);
    l->window.len -= gone;
    l->offset += gone;
    l->at -= gone;
    l->scanned -= gone;
    l->mark = 0;
}

static enum line_status read_more(struct row_lines *l) {
    struct span piece;
    switch (row_source_next(l->source, &piece)) {
    case SOURCE_WAIT: return LINE_WAIT;
    case SOURCE_BROKEN: l->why = row_source_why(l->source); return LINE_BROKEN;
    case SOURCE_END: l->ended = true; return LINE_READ;
    case SOURCE_PIECE: break;
    }
    compact(l);
    if (!buf_append_span(&l->window, piece)) {
        l->why = "There is no memory";
        return LINE_BROKEN;
    }
    return LINE_READ;
}

/* Takes what there is of the line at `at`, up to `end`. */
static struct span take(struct row_lines *l, size_t end) {
    struct span line = span_of(l->window.data + l->at, end - l->at);
    l->at = l->scanned = end;
    return line;
}

enum line_status row_lines_next(struct row_lines *l, struct span *ret_line) {
    for (;;) {
        size_t ahead = l->window.len - l->scanned;
        const char *newline = ahead ? memchr(l->window.data + l->scanned, '\n', ahead) : NULL;
        l->scanned = newline ? (size_t)(newline - l->window.data) : l->window.len;
        size_t end = l->scanned + (newline != NULL);
        if (end - l->mark > l->row_max) {
            *ret_line = take(l, end);
            l->line += newline != NULL;
            return LINE_PART;
        }
        if (newline || (l->ended && l->at < l->window.len)) {
            *ret_line = take(l, end);
            l->line++;
            return LINE_READ;
        }
        if (l->ended) {
            return LINE_END;
        }
        enum line_status status = read_more(l);
        if (status != LINE_READ) {
            return status;
        }
    }
}

enum line_status row_lines_peek(struct row_lines *l, size_t count, struct span *ret_bytes) {
    while (l->window.len - l->at < count && !l->ended) {
        enum line_status status = read_more(l);
        if (status != LINE_READ) {
            return status;
        }
    }
    size_t there = l->window.len - l->at;
    *ret_bytes = span_of(there ? l->window.data + l->at : "", there < count ? there : count);
    return LINE_READ;
}

void row_lines_go_to(struct row_lines *l, uint64_t offset, uint64_t line) {
    uint64_t read = l->offset + l->window.len;
    if (offset > read) {
        row_source_skip(l->source, offset - read);
        buf_reset(&l->window);
        l->offset = offset;
        l->at = 0;
    } else if (offset > row_lines_offset(l)) {
        l->at = (size_t)(offset - l->offset);
    }
    l->mark = l->scanned = l->at;
    l->line = line;
}
