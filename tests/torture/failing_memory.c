#include "failing_calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

static int64_t live;

int64_t failing_calls_live(void) {
    return live;
}

static void *count_block(void *block) {
    live += block != NULL;
    return block;
}

static bool fails(const char *name) {
    if (!failing_call(name))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size) {
    return fails("malloc") ? NULL : count_block(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails("calloc") ? NULL : count_block(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size) {
    if (fails("realloc"))
        return NULL;
    void *block = __real_realloc(old, size);
    live += block && !old;
    return block;
}

char *__wrap_strdup(const char *text) {
    if (fails("strdup"))
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = count_block(__real_malloc(size));
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void __wrap_free(void *block) {
    live -= block != NULL;
    __real_free(block);
}
