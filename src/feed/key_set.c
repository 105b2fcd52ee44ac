#include "key_set.h"

#include "siphash.h"

#include <stdlib.h>

#define CAPACITY_LEAST 1024

static uint64_t hash_of(const struct key_set *set, struct span key) {
    struct siphash hash;
    siphash_begin(&hash, set->seed);
    siphash_update(&hash, key);
    uint64_t value = siphash_end(&hash);
    return value ? value : 1;
}

/* Where the value is, or the free slot for it. */
static size_t find(const uint64_t *slots, size_t capacity, uint64_t value) {
    size_t at = value & (capacity - 1);
    while (slots[at] && slots[at] != value)
        at = (at + 1) & (capacity - 1);
    return at;
}

static bool grow(struct key_set *set) {
    size_t wanted = set->capacity ? set->capacity * 2 : CAPACITY_LEAST;
    uint64_t *slots = set->count < KEY_SET_MAX ? calloc(wanted, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            slots[find(slots, wanted, set->slots[i])] = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->capacity = wanted;
    return true;
}

void key_set_add(struct key_set *set, struct span key) {
    if (set->count >= set->capacity / 2 && !grow(set))
        return;
    uint64_t value = hash_of(set, key);
    size_t at = find(set->slots, set->capacity, value);
    set->count += set->slots[at] == 0;
    set->slots[at] = value;
}

bool key_set_has(const struct key_set *set, struct span key) {
    if (!set->capacity)
        return false;
    uint64_t value = hash_of(set, key);
    return set->slots[find(set->slots, set->capacity, value)] == value;
}

void key_set_free(struct key_set *set) {
    free(set->slots);
    set->slots = NULL;
    set->capacity = set->count = 0;
}
