/* Values in DynamoDB's own JSON, as typed_attributes has them: {"SS":["a"]}, {"B":"AAE="}, {"M":{"n":{"N":"5"}}}. */
#pragma once

#include "attribute_value.h"
#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "number.h"
#include "value_path.h"
#include "value_tape.h"

#include <stdbool.h>

enum typed_kind {
    TYPED_S,
    TYPED_N,
    TYPED_B,
    TYPED_BOOL,
    TYPED_NULL,
    TYPED_M,
    TYPED_L,
    TYPED_SS,
    TYPED_NS,
    TYPED_BS,
    TYPED_NONE
};

enum typed_status { TYPED_FINE, TYPED_REFUSED, TYPED_NO_MEMORY };

/* What the value at n is by the name of its only member; TYPED_NONE where it is no object of one member with such a
 * name. */
enum typed_kind typed_value_kind(const struct value_tape *t, tape_node n);
/* Checks the value at path: its form, numbers and base64, that sets are not empty and have no element twice, and that
 * it nests at most max_depth lists and maps. TYPED_REFUSED: f says what is wrong, with the path of the wrong part as
 * the record will have it, without the names of types. */
MUST_USE enum typed_status typed_value_check(const struct value_tape *t, tape_node n, const struct value_path *path,
                                             unsigned max_depth, struct value_size *ret_size, struct failure *f);
/* Appends a checked value in its one form: numbers as number.h has that form, base64 as its bytes have it, sets sorted
 * by the bytes of their elements' texts (numbers by those that are sent), a map's members as they stand on the tape.
 * With normal numbers and on a sorted tape it is frozen: request hashes are made of it. False: out has failed. */
bool typed_value_append(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out);
/* Appends the members of an object of checked values, without braces; before stands in front of the first. */
bool typed_members_append(const struct value_tape *t, tape_node object, char before, enum number_form form,
                          struct buf *out);
