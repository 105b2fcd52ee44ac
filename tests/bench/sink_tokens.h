/* The request tokens that were seen, as their 64-bit hashes: two of a million are alike once in thirty million runs. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct token_set {
    uint64_t *slots; /* 0: empty */
    size_t capacity; /* a power of two */
    size_t count;
};

/* *ret_new: it was not seen before. False: no memory. */
bool tokens_add(struct token_set *s, struct span token, bool *ret_new);
bool tokens_has(const struct token_set *s, struct span token);
void tokens_free(struct token_set *s);
