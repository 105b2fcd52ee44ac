/* Linked with --wrap: the k-th allocation of the layers fails (the world's own, and cmocka's, don't). */
#include "world.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* The number of the allocation that fails, from 1; 0: none. */
unsigned long sim_memory_fail_at;
unsigned long sim_memory_count;

static bool fails(void) {
    return world_own_memory == 0 && sim_memory_fail_at && ++sim_memory_count == sim_memory_fail_at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}
