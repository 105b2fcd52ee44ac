/* The DLQ message: the error envelope around the original, always deliverable, always recoverable byte for byte. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "message_attribute.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the queue says of the delivery that failed. */
struct delivery_facts {
    struct span message_id;
    struct span queue; /* its name */
    struct span group_id; /* absent on a standard queue */
    unsigned receive_count;
    int64_t sent_at; /* wall microseconds */
    const struct message_attribute *attributes; /* its own, sorted by name; those with our names don't count */
    size_t attribute_count;
};

enum dead_letter_form {
    DEAD_LETTER_WRAPPED, /* the envelope is the body, the original in details.source.body */
    DEAD_LETTER_BESIDE, /* the original is the body, the envelope the attribute ErrorEnvelope */
    DEAD_LETTER_BARE /* the original is the body, with what fits of ErrorType and StatusCode */
};

struct dead_letter {
    enum dead_letter_form form;
    struct buf body;
    struct buf error_envelope; /* the attribute; empty: not sent */
    const char *error_type; /* the attribute ErrorType; NULL: not sent */
    char status_code[4]; /* the attribute StatusCode; empty: not sent */
    struct message_attribute
        attributes[MESSAGE_ATTRIBUTES_MAX]; /* those of the original that are kept; their texts are the delivery's */
    size_t attribute_count;
    size_t size; /* bytes that SQS counts: body, and names, types and values of the attributes */
};

/* Makes the DLQ message of u's failure, of at most limit bytes. It takes the first form, from at_least on, in which it
 * fits together with all of the original's attributes that find a place (a message has ten). Where none does, it takes
 * the first form that fits at all, and keeps those attributes that fit, in the order of their names. The last form is
 * made whatever its size. at_least lets the caller fall back where the queue refused a form. An original that can't be
 * a body of SQS's (somebody wrapped it by hand) is only ever wrapped, at last in an envelope that has nothing but its
 * key. False: no memory. */
MUST_USE bool dead_letter_make(const struct update *u, const struct delivery *delivery,
                               const struct delivery_facts *facts, int64_t wall, size_t limit,
                               enum dead_letter_form at_least, struct dead_letter *ret_letter);
void dead_letter_free(struct dead_letter *letter);
