/* A borrowed run of bytes: the span doesn't own them, and no NUL need follow them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *data; /* NULL only where the thing itself is absent */
    size_t len;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

/* The same where a static one is initialized. */
#define SPAN_CONSTANT(literal)                                                                                         \
    { "" literal, sizeof(literal) - 1 }

/* A span over len bytes. */
static inline struct span span_of(const char *data, size_t len) {
    return (struct span){data, len};
}

/* A span over a C string; NULL gives the absent span. */
static inline struct span span_cstr(const char *s) {
    return (struct span){s, s ? strlen(s) : 0};
}

/* Whether both hold the same bytes; an absent span equals an empty one. */
static inline bool span_equal(struct span a, struct span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether it holds exactly this text. */
static inline bool span_is(struct span a, const char *s) {
    return span_equal(a, span_cstr(s));
}

/* Compares byte by byte; a prefix comes first. Returns <0, 0 or >0. */
static inline int span_compare(struct span a, struct span b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}
