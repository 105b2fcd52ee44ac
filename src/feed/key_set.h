/* A set of idempotency keys, each by its hash. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_SET_MAX ((size_t)1 << 20) /* more aren't remembered */

struct key_set { /* zeroed but for the seed: empty */
    uint64_t seed[2];
    uint64_t *slots; /* 0: free */
    size_t capacity, count;
};

/* Without memory for it, the key is left out. */
void key_set_add(struct key_set *set, struct span key);
bool key_set_has(const struct key_set *set, struct span key);
void key_set_free(struct key_set *set);
