/* A document path as conditions have them: address.city, items[0].price, `first name`, #n. */
#pragma once

#include "arena.h"
#include "buf.h"
#include "condition.h"
#include "failure.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_PATH_MAX 32 /* elements that DynamoDB takes of one */

struct path_element {
    struct span
        name; /* of an attribute or a map's member, resolved; its data is NULL for an element of a list, at index */
    uint32_t index;
    uint32_t ordinal; /* the number of the name's placeholder, once it has one */
};

/* Reads text (valid UTF-8, and a whole path); environment resolves placeholders. Names are kept in arena, or wherever
 * environment has them. CONDITION_REFUSED: ret_failure is a ValidationError of which only the reason counts, unless
 * environment lacks a placeholder: then it knows which. */
MUST_USE enum condition_status document_path_read(struct span text, const struct condition_environment *environment,
                                                  struct arena *arena,
                                                  struct path_element ret_elements[static DOCUMENT_PATH_MAX],
                                                  uint32_t *ret_count, struct failure *ret_failure);
/* The order of two elements: names by their bytes, then indexes; 0: the same. */
int path_element_compare(const struct path_element *a, const struct path_element *b);
/* Of two paths, element by element; one that begins the other stands before it. */
int document_path_compare(const struct path_element *a, uint32_t a_count, const struct path_element *b,
                          uint32_t b_count);
/* Appends the one text that means this path without placeholders: names bare where they can be, else in backquotes.
 * Request hashes are made of it. */
bool document_path_append(const struct path_element *elements, uint32_t count, struct buf *out);
/* Bytes that a name takes in it. */
size_t document_name_size(struct span name);
