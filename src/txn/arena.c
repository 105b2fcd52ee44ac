#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    _Alignas(max_align_t) char bytes[];
};

void arena_free(struct arena *a) {
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n) {
    const size_t alignment = _Alignof(max_align_t);
    if (n > PTRDIFF_MAX / 2)
        return NULL;
    size_t rounded = (n + alignment - 1) / alignment * alignment;
    if (rounded <= ARENA_INLINE_SIZE - a->used) {
        void *piece = a->first + a->used;
        a->used += rounded;
        return piece;
    }
    struct arena_chunk *chunk = malloc(sizeof *chunk + rounded);
    if (!chunk)
        return NULL;
    chunk->next = a->chunks;
    a->chunks = chunk;
    return chunk->bytes;
}

struct span arena_copy(struct arena *a, struct span bytes) {
    char *copy = arena_alloc(a, bytes.len + 1);
    if (!copy)
        return (struct span){NULL, 0};
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return span_of(copy, bytes.len);
}
