/* The names so far of all open objects in a text, to refuse a second member of the same name. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_names_result { JSON_NAMES_NEW, JSON_NAMES_REPEATED, JSON_NAMES_NO_MEMORY };

/* So many names and open objects need no allocation: they suffice for most texts. */
#define JSON_NAMES_FIRST 32
#define JSON_NAMES_FIRST_OBJECTS 8

/* Positions are kept in 32 bits and lengths in 31, so that a name takes 8 bytes; with its slot, a member of a large
 * object takes about 18. */
struct json_names_name {
    uint32_t at;
    uint32_t len : 31;
    uint32_t escaped : 1;
};

/* An open object. Its names begin at `first`, and end where those of the next object begin (or all end). */
struct json_names_object {
    uint32_t first;
    uint32_t slot_count; /* a power of two; 0: not hashed yet */
    uint32_t *slots; /* open addressing; 0: free. Low bits: 1 + the name's index from `first`. The rest: the same bits
                        of its hash */
};

/* It must not be moved. */
struct json_names {
    uint64_t seed[2];
    struct json_names_name *names; /* first_names, until these are too few; objects likewise */
    size_t count;
    size_t capacity;
    struct json_names_object *objects;
    size_t depth;
    size_t depth_capacity;
    struct json_names_name first_names[JSON_NAMES_FIRST];
    struct json_names_object first_objects[JSON_NAMES_FIRST_OBJECTS];
};

/* Allocates nothing, and leaves the arrays inside as they are: nothing in them is read before it is written. */
void json_names_init(struct json_names *names, const uint64_t seed[static 2]);
/* Frees what it holds. */
void json_names_done(struct json_names *names);
/* An object begins, or the innermost one ends. False: no memory. */
MUST_USE bool json_names_open(struct json_names *names);
void json_names_close(struct json_names *names);
/* Adds the name text[at, at + len) (raw, still escaped where `escaped`) to the innermost object. The text must not
 * change later. */
MUST_USE enum json_names_result json_names_add(struct json_names *names, struct span text, size_t at, size_t len,
                                               bool escaped);
