/* Condition expressions: DynamoDB's grammar, and literals wherever an operand may stand.
 *
 * A condition is parsed into a tree, checked, bound (each name and literal becomes a placeholder) and printed again from the tree.
 * Nothing of the producer's text is ever pasted: it can't reach beyond its own parentheses by construction.
 * Grammar: Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions". */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

struct condition; /* a parsed condition, immutable; one allocation block, freed as a whole */
struct digest;

/* What the message defines beside the condition: the placeholders of DynamoDB's own form. Both are asked by name with its '#' or
 * ':' and answer with something the caller keeps (an index), or -1 where there is no such placeholder. */
struct condition_environment {
    int (*find_name)(void *ctx, struct span placeholder, struct span *ret_attribute_name);
    int (*find_value)(void *ctx, struct span placeholder, char *ret_type); /* its DynamoDB type: 'S', 'N', '0' (BOOL), '-' (NULL), 'L', 'M' */
    /* Appends the value in DynamoDB JSON ({"S":"x"}); false where out has failed. */
    bool (*append_value)(void *ctx, int value, struct buf *out);
    void *ctx;
};

enum condition_status {
    CONDITION_FINE,
    CONDITION_REFUSED, /* *ret_failure: a ValidationError on condition_expression, with the position and what was expected */
    CONDITION_NO_MEMORY
};

/* Parses and checks text. Which of the environment's placeholders were used is told by the calls of find_*. */
MUST_USE enum condition_status condition_parse(struct span text, const struct condition_environment *environment,
                                               struct condition **ret_condition, struct failure *ret_failure);
void condition_free(struct condition *c);

/* Numbers the placeholders of one request: names and values of the update come first, then the condition's. */
struct placeholders {
    struct buf *names;  /* members of ExpressionAttributeNames: "#0":"version",… */
    struct buf *values; /* members of ExpressionAttributeValues: ":0":{"N":"5"},… */
    unsigned name_count, value_count;
};

/* Appends the bound condition to expression, as short as can be (placeholders #0, #1 … and :0, :1 … in base 36; parentheses only
 * where precedence asks for them), and its names and values to placeholders. One attribute name gets one placeholder within
 * the condition. False: a buffer has failed. */
bool condition_bind(const struct condition *c, const struct condition_environment *environment, struct placeholders *placeholders,
                    struct buf *expression);
/* Appends the canonical form, with names and values in place: what the condition means, for request hashes. Spelling, spaces,
 * redundant parentheses, which placeholders were used and how numbers are written make no difference to it. The format is frozen. */
bool condition_append_canonical(const struct condition *c, const struct condition_environment *environment, struct buf *out);
