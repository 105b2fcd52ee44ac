#include "heap_count.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *block);

static struct { size_t now, begin, peak; } heap;

static void *take(void *block) {
    heap.now += malloc_usable_size(block);
    if (heap.now > heap.peak)
        heap.peak = heap.now;
    return block;
}

void *__wrap_malloc(size_t size) {
    return take(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return take(__real_calloc(count, size));
}

/* A block that grows counts twice for a moment, whether the allocator moves it or not: the worst that can be. One that
 * shrinks stays. */
void *__wrap_realloc(void *old, size_t size) {
    size_t before = malloc_usable_size(old);
    void *block = __real_realloc(old, size);
    if (!block)
        return NULL;
    bool grows = malloc_usable_size(block) > before;
    heap.now -= grows ? 0 : before;
    take(block);
    heap.now -= grows ? before : 0;
    return block;
}

void __wrap_free(void *block) {
    heap.now -= malloc_usable_size(block);
    __real_free(block);
}

void heap_count_begin(void) {
    heap.begin = heap.peak = heap.now;
}

size_t heap_count_peak(void) {
    return heap.peak - heap.begin;
}
