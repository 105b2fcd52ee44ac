#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

static void set_bound(struct buf *b) {
    b->bound = b->capacity <= b->max ? b->capacity : b->max + 1;
}

void buf_init(struct buf *b, size_t max) {
    /* One byte is kept for the NUL, and no object is larger than PTRDIFF_MAX. */
    *b = (struct buf){.max = max < PTRDIFF_MAX ? max : PTRDIFF_MAX - 1};
}

void buf_init_lent(struct buf *b, char *storage, size_t size, size_t max) {
    buf_init(b, max);
    if (size == 0)
        return;
    storage[0] = '\0';
    b->data = storage;
    b->capacity = size;
    b->lent = true;
    set_bound(b);
}

void buf_free_slowly(struct buf *b) {
    if (!b->lent)
        free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->failure = BUF_FINE;
    set_bound(b);
    if (b->data)
        b->data[0] = '\0';
}

void buf_fail(struct buf *b, enum buf_failure failure) {
    b->failure = failure;
    b->bound = b->len;
}

void buf_trim(struct buf *b) {
    char *data = b->lent || !b->data ? NULL : realloc(b->data, b->len + 1);
    if (!data)
        return;
    b->data = data;
    b->capacity = b->len + 1;
    set_bound(b);
}

static bool fail(struct buf *b, enum buf_failure failure) {
    buf_fail(b, failure);
    return false;
}

static bool grow(struct buf *b, size_t len) {
    size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY / 2;
    capacity = capacity > b->max / 2 ? b->max + 1 : capacity * 2;
    if (capacity < len + 1)
        capacity = len + 1;
    char *data = realloc(b->lent ? NULL : b->data, capacity);
    if (!data)
        return fail(b, BUF_NO_MEMORY);
    if (b->lent)
        memcpy(data, b->data, b->len);
    data[b->len] = '\0';
    b->data = data;
    b->capacity = capacity;
    b->lent = false;
    return true;
}

char *buf_reserve_slowly(struct buf *b, size_t n) {
    if (!buf_ok(b))
        return NULL;
    if (n > b->max - b->len) {
        fail(b, BUF_FULL);
        return NULL;
    }
    if (b->len + n >= b->capacity && !grow(b, b->len + n))
        return NULL;
    set_bound(b);
    return b->data + b->len;
}

bool buf_append_slowly(struct buf *b, const void *data, size_t len) {
    if (len == 0)
        return buf_ok(b);
    char *to = buf_reserve(b, len);
    if (!to)
        return false;
    memcpy(to, data, len);
    buf_advance(b, len);
    return true;
}

bool buf_append_integer(struct buf *b, int64_t number) {
    char text[sizeof "-9223372036854775808"];
    size_t at = sizeof text;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        text[--at] = '-';
    return buf_append(b, text + at, sizeof text - at);
}

bool buf_printf(struct buf *b, const char *format, ...) {
    if (!buf_ok(b))
        return false;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return fail(b, BUF_NO_MEMORY);
    char *to = buf_reserve(b, (size_t)n);
    if (!to)
        return false;
    va_start(args, format);
    int written = vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    if (written != n) {
        *to = '\0';
        return fail(b, BUF_NO_MEMORY);
    }
    buf_advance(b, (size_t)n);
    return true;
}
