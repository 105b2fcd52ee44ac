#include "json_names.h"

#include "json_text.h"
#include "siphash.h"

#include <stdlib.h>

/* An object's first names are compared one by one, up to this many; further ones are hashed. */
#define DIRECT_MAX 8
#define FIRST_SLOTS 32
#define TEXT_MAX ((size_t)INT32_MAX) /* what a name's position and length can hold */

void json_names_init(struct json_names *names, const uint64_t seed[static 2]) {
    memcpy(names->seed, seed, sizeof names->seed);
    names->names = names->first_names;
    names->count = 0;
    names->capacity = JSON_NAMES_FIRST;
    names->objects = names->first_objects;
    names->depth = 0;
    names->depth_capacity = JSON_NAMES_FIRST_OBJECTS;
}

void json_names_done(struct json_names *names) {
    while (names->depth > 0)
        json_names_close(names);
    if (names->objects != names->first_objects)
        free(names->objects);
    if (names->names != names->first_names)
        free(names->names);
}

/* Enlarges an array: the first one, inside the struct, or one that this made. NULL: no memory; it is unchanged. */
static void *enlarge(void *array, const void *first, size_t used, size_t size) {
    if (array != first)
        return realloc(array, size);
    void *larger = realloc(NULL, size);
    if (larger)
        memcpy(larger, first, used);
    return larger;
}

bool json_names_open(struct json_names *names) {
    if (names->depth == names->depth_capacity) {
        size_t capacity = names->depth_capacity * 2;
        struct json_names_object *objects =
            enlarge(names->objects, names->first_objects, names->depth * sizeof *objects, capacity * sizeof *objects);
        if (!objects)
            return false;
        names->objects = objects;
        names->depth_capacity = capacity;
    }
    names->objects[names->depth++] = (struct json_names_object){.first = (uint32_t)names->count};
    return true;
}

void json_names_close(struct json_names *names) {
    struct json_names_object *object = &names->objects[--names->depth];
    names->count = object->first;
    free(object->slots);
}

static struct span raw_of(struct span text, const struct json_names_name *name) {
    return span_of(text.data + name->at, name->len);
}

static bool same(struct span text, const struct json_names_name *a, const struct json_names_name *b) {
    if (a->escaped || b->escaped)
        return json_raw_equal(raw_of(text, a), raw_of(text, b));
    return span_equal(raw_of(text, a), raw_of(text, b));
}

/* Hashes the decoded name, not its spelling. */
static uint32_t hash_of(const struct json_names *names, struct span text, const struct json_names_name *name) {
    struct siphash hash;
    siphash_begin(&hash, names->seed);
    if (name->escaped) {
        struct json_pieces pieces = json_pieces_of(raw_of(text, name));
        struct span piece;
        while (json_next_piece(&pieces, &piece))
            siphash_update(&hash, piece);
    } else {
        siphash_update(&hash, raw_of(text, name));
    }
    return (uint32_t)siphash_end(&hash);
}

/* The slot of an equal name, or the free slot where this one belongs. */
static uint32_t *find_slot(const struct json_names *names, const struct json_names_object *object, struct span text,
                           const struct json_names_name *name, uint32_t hash) {
    uint32_t mask = object->slot_count - 1;
    uint32_t i = hash & mask;
    for (uint32_t slot; (slot = object->slots[i]) != 0; i = (i + 1) & mask)
        if ((slot & ~mask) == (hash & ~mask) && same(text, &names->names[object->first + (slot & mask) - 1], name))
            break;
    return &object->slots[i];
}

/* Puts all names into a larger table. They are known to differ, so that none need be compared. */
static bool resize(const struct json_names *names, struct json_names_object *object, struct span text,
                   uint32_t slot_count) {
    free(object->slots);
    object->slot_count = 0;
    object->slots = calloc(slot_count, sizeof *object->slots);
    if (!object->slots)
        return false;
    object->slot_count = slot_count;
    uint32_t mask = slot_count - 1;
    for (size_t n = object->first; n < names->count; n++) {
        uint32_t hash = hash_of(names, text, &names->names[n]);
        uint32_t i = hash & mask;
        while (object->slots[i])
            i = (i + 1) & mask;
        object->slots[i] = (hash & ~mask) | (uint32_t)(n - object->first + 1);
    }
    return true;
}

static bool is_among_few(const struct json_names *names, const struct json_names_object *object, struct span text,
                         const struct json_names_name *name) {
    for (size_t n = object->first; n < names->count; n++) {
        const struct json_names_name *other = &names->names[n];
        bool may_be = other->len == name->len || other->escaped || name->escaped;
        if (may_be && same(text, other, name))
            return true;
    }
    return false;
}

static enum json_names_result add_hashed(struct json_names *names, struct json_names_object *object, struct span text,
                                         const struct json_names_name *name) {
    size_t count = names->count - object->first;
    uint32_t slot_count = object->slot_count;
    if (slot_count == 0)
        slot_count = FIRST_SLOTS;
    else if (count + 1 > slot_count - slot_count / 4)
        slot_count *= 2;
    if (slot_count != object->slot_count && !resize(names, object, text, slot_count))
        return JSON_NAMES_NO_MEMORY;
    uint32_t hash = hash_of(names, text, name);
    uint32_t *slot = find_slot(names, object, text, name, hash);
    if (*slot)
        return JSON_NAMES_REPEATED;
    *slot = (hash & ~(slot_count - 1)) | (uint32_t)(count + 1);
    return JSON_NAMES_NEW;
}

static bool make_room(struct json_names *names) {
    if (names->count < names->capacity)
        return true;
    size_t capacity = names->capacity + names->capacity / 2;
    struct json_names_name *array =
        enlarge(names->names, names->first_names, names->count * sizeof *array, capacity * sizeof *array);
    if (!array)
        return false;
    names->names = array;
    names->capacity = capacity;
    return true;
}

enum json_names_result json_names_add(struct json_names *names, struct span text, size_t at, size_t len, bool escaped) {
    if (at + len > TEXT_MAX || !make_room(names))
        return JSON_NAMES_NO_MEMORY;
    struct json_names_object *object = &names->objects[names->depth - 1];
    struct json_names_name name = {.at = (uint32_t)at, .len = (uint32_t)len & INT32_MAX, .escaped = escaped};
    if (names->count - object->first < DIRECT_MAX) {
        if (is_among_few(names, object, text, &name))
            return JSON_NAMES_REPEATED;
    } else {
        enum json_names_result result = add_hashed(names, object, text, &name);
        if (result != JSON_NAMES_NEW)
            return result;
    }
    names->names[names->count++] = name;
    return JSON_NAMES_NEW;
}
