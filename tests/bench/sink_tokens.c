#include "sink_tokens.h"

#include <stdlib.h>

#define FIRST_CAPACITY ((size_t)1 << 16)

/* FNV-1a, and the mixing of its bits that the table needs. */
static uint64_t hash_of(struct span token) {
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < token.len; i++)
        hash = (hash ^ (unsigned char)token.data[i]) * 1099511628211U;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t hash) {
    size_t at = (size_t)hash & (capacity - 1);
    while (slots[at] && slots[at] != hash)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(struct token_set *s) {
    size_t capacity = s->capacity ? s->capacity * 2 : FIRST_CAPACITY;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < s->capacity; i++)
        if (s->slots[i])
            *slot_of(slots, capacity, s->slots[i]) = s->slots[i];
    free(s->slots);
    s->slots = slots;
    s->capacity = capacity;
    return true;
}

bool tokens_add(struct token_set *s, struct span token, bool *ret_new) {
    if (s->count * 2 >= s->capacity && !grow(s))
        return false;
    uint64_t hash = hash_of(token), *slot = slot_of(s->slots, s->capacity, hash);
    *ret_new = *slot == 0;
    s->count += *ret_new;
    *slot = hash;
    return true;
}

bool tokens_has(const struct token_set *s, struct span token) {
    return s->capacity && *slot_of(s->slots, s->capacity, hash_of(token));
}

void tokens_free(struct token_set *s) {
    free(s->slots);
}
