/* One record's id, as a person gives it, against the ids of messages: they are the same in DynamoDB's normal form (1,
 * 1.0 and 1e0; base64 by its bytes; members of an object in any order). */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_choice {
    struct buf forms[2]; /* text as a string, and text as JSON: a message may have either */
    struct buf keys[2]; /* the same two as the table's key; empty: not a key of it */
    const struct table_shape *table; /* borrowed; NULL: not known */
    uint64_t hash_seed[2];
};

enum id_choice_status { ID_CHOICE_FINE, ID_CHOICE_UNFIT, ID_CHOICE_NO_MEMORY };

/* text: the string itself, or JSON (a number, an object of both key attributes, a string in quotes). With a table, it
 * has to fit its key. Where it is ID_CHOICE_UNFIT, ret_why says what keeps it from that. id_choice_free() in any case.
 */
MUST_USE enum id_choice_status id_choice_init(struct id_choice *c, struct span text, const struct table_shape *table,
                                              const uint64_t hash_seed[static 2], struct buf *ret_why);
/* Whether a message's id, JSON text, is this one. Absent: it is not. False where there is no memory, too; *ret_ok says
 * so. */
bool id_choice_is(const struct id_choice *c, struct span id, bool *ret_ok);
/* Takes a zeroed one too. */
void id_choice_free(struct id_choice *c);
