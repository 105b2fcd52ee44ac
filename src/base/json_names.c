#include "json_names.h"

#include "json_text.h"
#include "siphash.h"

#include <stdlib.h>

/* An object's first names are compared one by one, up to this many; further ones are hashed. */
#define DIRECT_MAX 8
#define FIRST_SLOTS 32
#define FIRST_NAMES 32
#define FIRST_OBJECTS 8
/* Positions are kept in 32 bits and lengths in 31, so that a name takes 8 bytes; with its slot, a member of a large
 * object takes about 18. */
#define TEXT_MAX ((size_t)INT32_MAX)

struct name {
    uint32_t at;
    uint32_t len : 31;
    uint32_t escaped : 1;
};

/* An open object. Its names begin at `first`, and end where those of the next object begin (or all end). */
struct object {
    uint32_t first;
    uint32_t slot_count; /* a power of two; 0: not hashed yet */
    uint32_t *slots; /* open addressing; 0: free. Low bits: 1 + the name's index from `first`. The rest: the same bits
                        of its hash */
};

struct json_names {
    uint64_t seed[2];
    struct name *names;
    size_t count;
    size_t capacity;
    struct object *objects;
    size_t depth;
    size_t depth_capacity;
    /* names and objects point here until these are too small: they suffice for most texts. */
    struct name first_names[FIRST_NAMES];
    struct object first_objects[FIRST_OBJECTS];
};

struct json_names *json_names_new(const uint64_t seed[static 2]) {
    /* The arrays inside aren't cleared: nothing in them is read before it is written. */
    struct json_names *names = malloc(sizeof *names);
    if (!names)
        return NULL;
    memcpy(names->seed, seed, sizeof names->seed);
    names->names = names->first_names;
    names->count = 0;
    names->capacity = FIRST_NAMES;
    names->objects = names->first_objects;
    names->depth = 0;
    names->depth_capacity = FIRST_OBJECTS;
    return names;
}

void json_names_free(struct json_names *names) {
    if (!names)
        return;
    while (names->depth > 0)
        json_names_close(names);
    if (names->objects != names->first_objects)
        free(names->objects);
    if (names->names != names->first_names)
        free(names->names);
    free(names);
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
        struct object *objects =
            enlarge(names->objects, names->first_objects, names->depth * sizeof *objects, capacity * sizeof *objects);
        if (!objects)
            return false;
        names->objects = objects;
        names->depth_capacity = capacity;
    }
    names->objects[names->depth++] = (struct object){.first = (uint32_t)names->count};
    return true;
}

void json_names_close(struct json_names *names) {
    struct object *object = &names->objects[--names->depth];
    names->count = object->first;
    free(object->slots);
}

static struct span raw_of(struct span text, const struct name *name) {
    return span_of(text.data + name->at, name->len);
}

static bool same(struct span text, const struct name *a, const struct name *b) {
    if (a->escaped || b->escaped)
        return json_raw_equal(raw_of(text, a), raw_of(text, b));
    return span_equal(raw_of(text, a), raw_of(text, b));
}

/* Hashes the decoded name, not its spelling. */
static uint32_t hash_of(const struct json_names *names, struct span text, const struct name *name) {
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
static uint32_t *find_slot(const struct json_names *names, const struct object *object, struct span text,
                           const struct name *name, uint32_t hash) {
    uint32_t mask = object->slot_count - 1;
    uint32_t i = hash & mask;
    for (uint32_t slot; (slot = object->slots[i]) != 0; i = (i + 1) & mask)
        if ((slot & ~mask) == (hash & ~mask) && same(text, &names->names[object->first + (slot & mask) - 1], name))
            break;
    return &object->slots[i];
}

/* Puts all names into a larger table. They are known to differ, so that none need be compared. */
static bool resize(const struct json_names *names, struct object *object, struct span text, uint32_t slot_count) {
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

static bool is_among_few(const struct json_names *names, const struct object *object, struct span text,
                         const struct name *name) {
    for (size_t n = object->first; n < names->count; n++) {
        const struct name *other = &names->names[n];
        bool may_be = other->len == name->len || other->escaped || name->escaped;
        if (may_be && same(text, other, name))
            return true;
    }
    return false;
}

static enum json_names_result add_hashed(struct json_names *names, struct object *object, struct span text,
                                         const struct name *name) {
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
    struct name *array =
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
    struct object *object = &names->objects[names->depth - 1];
    struct name name = {.at = (uint32_t)at, .len = (uint32_t)len & INT32_MAX, .escaped = escaped};
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
