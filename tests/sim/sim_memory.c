/* Linked with --wrap: the k-th allocation of the layers fails (the world's own, and cmocka's, don't). */
#include "sim_memory.h"

#include "world.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

unsigned long sim_memory_fail_at, sim_memory_count;
bool sim_memory_all_after;

static bool fails(void) {
    if (world_own_memory > 0 || sim_memory_fail_at == 0)
        return false;
    sim_memory_count++;
    return sim_memory_count == sim_memory_fail_at || (sim_memory_all_after && sim_memory_count > sim_memory_fail_at);
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
