/* JSON values as DynamoDB's: S, N, BOOL, NULL, L and M, measured as DynamoDB counts them and written as its JSON.
 * Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats". */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "number.h"
#include "value_path.h"
#include "value_tape.h"

#include <stdbool.h>
#include <stddef.h>

#define ITEM_SIZE_MAX ((size_t)400 * 1024)
#define ATTRIBUTE_NAME_MAX 65535
#define STORED_DEPTH_MAX 31 /* arrays and objects that a stored value may nest */
#define CONDITION_DEPTH_MAX 32 /* a condition's value */

struct value_size {
    size_t item; /* bytes that DynamoDB counts for the value, without its name */
    size_t text; /* bytes of its DynamoDB JSON as it is sent */
    size_t zeros; /* bytes more in normal form */
    unsigned depth; /* arrays and objects that it nests; 0 for a scalar */
};

/* Checks the value at path: its numbers, the names of its maps' members, and that it nests no deeper than max_depth.
 * False: f says what is wrong, with the path of the number or name (of its map, where it is empty), or path itself for
 * the depth. */
MUST_USE bool attribute_value_check(const struct value_tape *t, tape_node n, const struct value_path *path,
                                    unsigned max_depth, struct value_size *ret_size, struct failure *f);
/* Appends a checked value in DynamoDB JSON: {"S":"x"}, {"N":"1.5"}, {"M":{…}} with the members as they stand on the
 * tape. On a sorted tape this is the canonical form, and with normal numbers it is frozen: request hashes are made of
 * it. */
bool attribute_value_append(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out);
/* Appends the members of a checked object, with braces: what stands in {"M":…}. */
bool attribute_map_append(const struct value_tape *t, tape_node object, enum number_form form, struct buf *out);
/* The same without braces. */
void attribute_members_append(const struct value_tape *t, tape_node object, enum number_form form, struct buf *out);
/* The DynamoDB type as a letter: S, N, L, M, '0' for BOOL and '-' for NULL. */
char attribute_value_type(const struct value_tape *t, tape_node n);
