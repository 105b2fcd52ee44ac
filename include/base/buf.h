/* A byte buffer that grows up to a ceiling given when it is made.
 *
 * Failure is sticky: after the first append that found no room or no memory, all later appends do nothing and the
 * buffer says so. A writer may therefore append many times and check once, with buf_ok(), before it uses the result. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum buf_failure {
    BUF_FINE,
    BUF_FULL, /* the ceiling was reached */
    BUF_NO_MEMORY /* there was no memory */
};

struct buf {
    char *data; /* owned, or lent; NULL while nothing was appended; NUL-terminated otherwise (the NUL is not counted) */
    size_t len;
    size_t capacity;
    size_t max; /* ceiling of len, in bytes */
    size_t bound; /* len stays below it: the least of capacity and max + 1; it is len once the buffer has failed. So an
                     append looks at this alone. A lower one costs a slow path, which sets it right */
    enum buf_failure failure;
    bool lent; /* data belongs to the caller */
};

/* Makes an empty buffer that never holds more than max bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
/* The same, with storage of the caller's. It is used until it is too small, and must last as long as the buffer does.
 */
void buf_init_lent(struct buf *b, char *storage, size_t size, size_t max);
/* The slow path of buf_free(): there is something to give back. */
void buf_free_slowly(struct buf *b);
/* Gives the storage back and leaves an empty buffer with the same ceiling. Takes a zeroed one too. Inline, for most
 * buffers of a message are never used. */
static inline void buf_free(struct buf *b) {
    if (b->data || b->failure != BUF_FINE)
        buf_free_slowly(b);
}
/* Empties it, failure included, and keeps the storage. */
void buf_reset(struct buf *b);
/* Makes it a failed one, for a reason of its writer's. */
void buf_fail(struct buf *b, enum buf_failure failure);
/* Gives back storage that it doesn't need for what it holds, where there is memory for that. */
void buf_trim(struct buf *b);
/* The slow path of buf_append(): the storage has to grow, or can't. */
bool buf_append_slowly(struct buf *b, const void *data, size_t len);
/* Appends. False: the buffer has failed, now or before. The data must not lie in the buffer itself. These are inline,
 * since nearly every byte of a request passes through here, mostly in constants of a few bytes. */
static inline bool buf_append(struct buf *b, const void *data, size_t len) {
    if (len == 0 || len >= b->bound - b->len)
        return buf_append_slowly(b, data, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}
static inline bool buf_append_span(struct buf *b, struct span s) {
    return buf_append(b, s.data, s.len);
}
static inline bool buf_append_cstr(struct buf *b, const char *s) {
    return buf_append(b, s, strlen(s));
}
static inline bool buf_append_char(struct buf *b, char c) {
    return buf_append(b, &c, 1);
}
/* Appends a text between two others, with one look for all three. Inline, for what stands around it is mostly constant.
 */
ALWAYS_INLINE static inline bool buf_append_between(struct buf *b, struct span before, struct span text,
                                                    struct span after) {
    size_t len = before.len + text.len + after.len; /* no text is so long that this overflows */
    if (len >= b->bound - b->len)
        return buf_append_span(b, before) && buf_append_span(b, text) && buf_append_span(b, after);
    char *to = b->data + b->len;
    memcpy(to, before.data, before.len);
    if (text.len > 0)
        memcpy(to + before.len, text.data, text.len);
    memcpy(to + before.len + text.len, after.data, after.len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}
/* Appends a number in decimal digits. */
bool buf_append_integer(struct buf *b, int64_t number);
/* Appends printf-formatted text. */
bool buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* The slow path of buf_reserve(): the storage has to grow, or can't. */
MUST_USE char *buf_reserve_slowly(struct buf *b, size_t n);
/* Makes room for at least n more bytes, and returns where to write them. NULL: the buffer has failed. buf_advance()
 * counts what was written. */
MUST_USE static inline char *buf_reserve(struct buf *b, size_t n) {
    if (n >= b->bound - b->len)
        return buf_reserve_slowly(b, n);
    return b->data + b->len;
}
static inline void buf_advance(struct buf *b, size_t n) {
    assert(n < b->capacity - b->len);
    b->len += n;
    b->data[b->len] = '\0';
}

/* Whether everything that was appended is there. */
static inline bool buf_ok(const struct buf *b) {
    return b->failure == BUF_FINE;
}
/* What it holds, until it changes. */
static inline struct span buf_span(const struct buf *b) {
    return span_of(b->data ? b->data : "", b->len);
}
