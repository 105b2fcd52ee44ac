/* The scalars and sets of DynamoDB's JSON that stand in strings: numbers, base64, and sets of either or of strings.
 * Private to typed_value. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "json_string.h"
#include "number.h"
#include "typed_value.h"
#include "value_tape.h"

#include <stddef.h>
#include <stdint.h>

enum typed_number { TYPED_NUMBER_FINE, TYPED_NUMBER_NONE, TYPED_NUMBER_BEYOND };
/* A number as DynamoDB spells it in a string: as JSON has it, and with a plus sign, leading zeros, nothing on one side
 * of the point. */
MUST_USE enum typed_number typed_number_read(struct json_string text, struct number *ret_number);

enum typed_binary { TYPED_BINARY_FINE, TYPED_BINARY_NONE, TYPED_BINARY_NO_MEMORY };
/* Appends the bytes that text spells in base64. */
MUST_USE enum typed_binary typed_binary_read(struct json_string text, struct buf *out);

/* An element's text between its quotes, as it is sent. */
struct typed_element {
    uint32_t at, len; /* in texts */
};

struct typed_set {
    struct buf texts;
    struct typed_element *elements; /* sorted by their texts' bytes */
    size_t count;
    size_t item_size; /* bytes that DynamoDB counts */
    size_t text_size; /* bytes of the elements with quotes and commas */
    size_t zeros; /* bytes more in normal form */
};

enum typed_set_status {
    TYPED_SET_FINE,
    TYPED_SET_ELEMENT, /* *ret_at: the index of one that is none of this kind */
    TYPED_SET_REPEATED, /* two mean the same */
    TYPED_SET_TOO_LARGE, /* it has more elements than an item can hold */
    TYPED_SET_NO_MEMORY
};

/* Reads the array at n as a set of this kind (SS, NS or BS). *ret_set is written where it is fine; free it with
 * typed_set_free(). */
MUST_USE enum typed_set_status typed_set_read(const struct value_tape *t, tape_node n, enum typed_kind kind,
                                              struct typed_set *ret_set, size_t *ret_at);
/* Appends the array. */
bool typed_set_append(const struct typed_set *set, enum typed_kind kind, enum number_form form, struct buf *out);
void typed_set_free(struct typed_set *set);
