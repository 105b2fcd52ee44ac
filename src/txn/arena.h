/* Small pieces of memory that live as long as the message they belong to, and never move. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stddef.h>

#define ARENA_INLINE_SIZE 1024 /* enough for the tape, key and condition of nearly every message */

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t used; /* of first */
    _Alignas(max_align_t) char first[ARENA_INLINE_SIZE];
};

/* A zeroed arena is an empty one. It must not be moved while its pieces are in use. */
void arena_free(struct arena *a);
/* n bytes, aligned for anything; NULL: no memory. */
MUST_USE void *arena_alloc(struct arena *a, size_t n);
/* A copy of bytes; its data is NULL where there is no memory. */
MUST_USE struct span arena_copy(struct arena *a, struct span bytes);
