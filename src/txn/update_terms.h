/* The placeholders that a message defines for its condition and its paths: expression_attribute_names and
 * expression_attribute_values. */
#pragma once

#include "arena.h"
#include "condition.h"
#include "failure.h"
#include "value_tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct placeholder_set {
    const char *member; /* whose placeholders these are */
    char sigil; /* '#' or ':' */
    uint32_t count;
    tape_node *names; /* sorted: the tape's object is */
    bool *used;
};

struct update_terms {
    const struct value_tape *tape; /* borrowed */
    struct arena *arena; /* borrowed */
    struct placeholder_set names, values;
    size_t text; /* bytes of all names and of all values' DynamoDB JSON as they are sent */
    size_t zeros; /* bytes more in normal form */
    /* The first placeholder that the condition or a path uses, but the message doesn't define. */
    const struct placeholder_set *undefined_in;
    struct span undefined;
    bool no_memory;
};

enum terms_status { TERMS_FINE, TERMS_REFUSED, TERMS_NO_MEMORY };

/* Takes the placeholders of both objects (TAPE_ROOT: the message has none) and checks them as such. Sorts the objects
 * on the tape. */
MUST_USE enum terms_status update_terms_init(struct update_terms *terms, struct value_tape *tape, struct arena *arena,
                                             tape_node names, tape_node values, struct failure *f);
/* Gives back what isn't the arena's. Takes a zeroed one too. */
void update_terms_free(struct update_terms *terms);
/* What a condition or a path asks for placeholders. */
struct condition_environment update_terms_environment(struct update_terms *terms);
/* False: neither the condition nor a path that was read uses one of them, and f says which. */
MUST_USE bool update_terms_all_used(const struct update_terms *terms, struct failure *f);
