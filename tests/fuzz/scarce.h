/* The same input once more with one call failing, an allocation or a call of a library: which one, the input says. Lack
 * of memory may be said, but never taken for anything else. */
#pragma once

#include "../torture/failing_calls.h"

#include <stddef.h>
#include <stdint.h>

/* Starts the plentiful run, whose calls are counted. */
static inline void plenty_begin(void) {
    failing_calls_begin(0);
}

/* Starts the scarce run: one of so many calls fails, by the input's bytes. */
static inline void scarce_begin(uint64_t calls, const uint8_t *data, size_t size) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619U;
    failing_calls_begin(calls ? 1 + hash % calls : 0);
}
