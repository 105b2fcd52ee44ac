/* A JSON text that was read, as a tape of 4-byte words over its bytes: one word for a scalar or a name, two for an
 * array or an object. No tree of nodes: the densest text (nested empty arrays) costs four times its size, most cost
 * less than half of theirs, and freeing it is one call.
 *
 * A word is the offset of the node's first byte and its type. A container's second word is how many words it takes as a
 * whole, so that a sibling is one step away and a subtree can be moved. A member is its name's word with its value
 * behind it. Of scalars that follow one another in an array only the first has a word, and the text tells the others: a
 * long array costs nothing. */
#pragma once

#include "arena.h"
#include "block.h"
#include "compiler.h"
#include "json_reader.h"
#include "json_string.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_ESCAPED 8U /* in the word of a NAME or STRING that holds a backslash */
#define TAPE_TEXT_MAX (((size_t)1 << 28) - 1) /* what an offset in a word can hold */

enum tape_type { TAPE_OBJECT, TAPE_ARRAY, TAPE_NAME, TAPE_STRING, TAPE_NUMBER, TAPE_TRUE, TAPE_FALSE, TAPE_NULL };

struct value_tape {
    struct span text; /* borrowed */
    uint32_t *words;
    uint32_t count, capacity;
    bool lent; /* the words belong to an arena */
};

/* The index of a node's first word. The text's one value is node 0, which is no child of another. */
typedef uint32_t tape_node;
#define TAPE_ROOT ((tape_node)0)

enum tape_status { TAPE_READ, TAPE_REFUSED, TAPE_NO_MEMORY };

struct tape_error {
    enum json_error error;
    size_t position;
};

/* Reads text, strict and without repeated names. *ret_tape is written where it is TAPE_READ, *ret_error where it is
 * TAPE_REFUSED. A text beyond TAPE_TEXT_MAX is refused as JSON_SYNTAX at that position. */
MUST_USE enum tape_status tape_read(struct span text, const uint64_t hash_seed[static 2], struct value_tape *ret_tape,
                                    struct tape_error *ret_error);
/* The same. The words of a short tape are put into the arena, which must outlive it. */
MUST_USE enum tape_status tape_read_into(struct span text, const uint64_t hash_seed[static 2], struct arena *arena,
                                         struct value_tape *ret_tape, struct tape_error *ret_error);
/* Takes a zeroed one too. */
void tape_free(struct value_tape *t);

static inline enum tape_type tape_type_of(const struct value_tape *t, tape_node n) {
    return (enum tape_type)(t->words[n] & 7);
}
/* Where the node begins in the text: a bracket, the first byte of a number or a literal, the first byte behind an
 * opening quote. */
static inline size_t tape_offset(const struct value_tape *t, tape_node n) {
    return t->words[n] >> 4;
}
static inline bool tape_is_container(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) <= TAPE_ARRAY;
}
/* The word behind the node and all that is in it: the next sibling, or the end of the parent. */
static inline tape_node tape_next(const struct value_tape *t, tape_node n) {
    return n + (tape_is_container(t, n) ? t->words[n + 1] : 1);
}
/* The children of a container stand from tape_first() to before tape_next() of the container. An object's are names,
 * each with its value behind it (name + 1); an array's are containers and the first ones of runs of scalars. */
static inline tape_node tape_first(tape_node container) {
    return container + 2;
}
static inline bool tape_is_empty(const struct value_tape *t, tape_node container) {
    return t->words[container + 1] == 2;
}
static inline tape_node tape_next_member(const struct value_tape *t, tape_node name) {
    return tape_next(t, name + 1);
}
/* Walks over the names of an object's members. Values may be sorted meanwhile, but the object's end stays. */
#define TAPE_FOREACH_MEMBER(t, object, name)                                                                           \
    for (tape_node name = tape_first(object), name##_end = tape_next(t, object); (name) < name##_end;                  \
         (name) = tape_next_member(t, name))

/* A value that is no container, read from the text. */
struct tape_scalar {
    enum tape_type type;
    struct json_string text; /* of a STRING without its quotes; else as it stands, with nothing escaped */
};

struct tape_scalar tape_scalar(const struct value_tape *t, tape_node n);
/* Steps to the scalar behind this one of an array. False: the array ends there, or its next node stands there. */
bool tape_next_scalar(const struct value_tape *t, struct tape_scalar *scalar);
/* What stands behind an opening quote, up to the closing one. */
struct json_string tape_escaped_string(const struct value_tape *t, size_t begin);
/* The same as a length, of one that has no escapes. */
size_t tape_length_to_quote(const struct value_tape *t, size_t begin);
static inline struct json_string tape_plain_string(const struct value_tape *t, size_t begin) {
    const char *data = t->text.data + begin;
    unsigned quotes = t->text.len - begin >= BLOCK_SIZE ? block_bits((block)(block_load(data) == (uint8_t)'"')) : 0;
    size_t len = quotes ? block_first(quotes) : tape_length_to_quote(t, begin);
    return (struct json_string){span_of(data, len), false};
}
/* A NAME or a STRING. */
static inline struct json_string tape_string(const struct value_tape *t, tape_node n) {
    return t->words[n] & TAPE_ESCAPED ? tape_escaped_string(t, tape_offset(t, n))
                                      : tape_plain_string(t, tape_offset(t, n));
}
/* The exact text of a NUMBER. */
struct span tape_number(const struct value_tape *t, tape_node n);
/* The exact text of a NUMBER, or of a STRING with its quotes. */
struct span tape_scalar_text(const struct value_tape *t, tape_node n);
/* The value of an object's member, or TAPE_ROOT where it has none of that name (or n is no object). */
tape_node tape_find(const struct value_tape *t, tape_node n, const char *name);
/* Members of an object. */
uint32_t tape_count(const struct value_tape *t, tape_node object);

/* Sorts the members of every object in the value by the bytes of their names. False: no memory; some may be sorted
 * already. */
MUST_USE bool tape_sort(struct value_tape *t, tape_node value);
