/* Condition expressions: DynamoDB's grammar, and literals wherever an operand may stand.
 *
 * A condition is parsed into a tree, checked, bound (each name and literal becomes a placeholder) and printed again
 * from the tree. Nothing of the producer's text is ever pasted: it can't reach beyond its own parentheses by
 * construction. Grammar: Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions".
 */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "number.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Operators and functions: DynamoDB allows an expression 300; the guard in front of the condition
 * (`attribute_exists(#k) AND …`) takes two of them. */
#define EXPRESSION_OPERATORS_MAX 300
#define CONDITION_OPERATORS_MAX (EXPRESSION_OPERATORS_MAX - 2)

#define EXPRESSION_SIZE_MAX 4096 /* bytes that DynamoDB takes of one */

struct condition; /* a parsed condition, immutable; one block of memory */

/* What the message defines beside the condition: placeholders of DynamoDB's own form. Both functions are asked for one
 * by its name with '#' or ':' (a part of the condition's text). They answer with something the caller keeps (an index),
 * or -1 where there is no such placeholder. */
struct condition_environment {
    /* The attribute's name must outlive the condition. */
    int (*find_name)(void *ctx, struct span placeholder, struct span *ret_attribute_name);
    /* The type as DynamoDB has it: 'S', 'N', '0' (BOOL), '-' (NULL), 'L', 'M'. */
    int (*find_value)(void *ctx, struct span placeholder, char *ret_type);
    /* Appends the value in DynamoDB JSON ({"S":"x"}), in the one form that its meaning has: no spaces, numbers as
     * number.h has that form, strings as json_append_string() writes them, a map's members sorted. False: out has
     * failed. */
    bool (*append_value)(void *ctx, int value, enum number_form form, struct buf *out);
    void *ctx;
    bool unguarded; /* no guard stands in front of the condition: all of DynamoDB's operators are its own */
    /* Where the parsed condition is to be, which is freed with that; NULL: in a block of its own, which
     * condition_free() frees. Answers NULL where there is no memory. */
    void *(*allocate)(void *ctx, size_t size);
};

enum condition_status {
    CONDITION_FINE,
    CONDITION_REFUSED, /* *ret_failure: a ValidationError on condition_expression, with the position and what was
                          expected */
    CONDITION_NO_MEMORY
};

/* Parses and checks text (valid UTF-8; not kept). Where the syntax is right, find_* is called for every placeholder
 * that the condition uses, even if the condition is refused: so the caller sees which are used. Positions in messages
 * are those of the wrong token, in Unicode characters from 1. */
MUST_USE enum condition_status condition_parse(struct span text, const struct condition_environment *environment,
                                               struct condition **ret_condition, struct failure *ret_failure);
void condition_free(struct condition *c);

/* Whether the condition is an OR at its top: only then does it need parentheses as an operand of AND. */
bool condition_is_or(const struct condition *c);

/* Numbers the placeholders of one request: names and values of the update come first, then the condition's. */
struct placeholders {
    struct buf *names; /* members of ExpressionAttributeNames: "#0":"version",… */
    struct buf *values; /* members of ExpressionAttributeValues: ":0":{"N":"5"},… */
    unsigned name_count, value_count;
};

static const char placeholder_digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
/* The slow path of placeholder_append(): a number of any length. */
bool placeholder_append_long(struct buf *out, char sigil, unsigned number);
/* Appends sigil ('#' or ':') and number in base 36 (0-9, a-z): how all placeholders of a request are written. Inline,
 * for the first 36 are nearly all that there are. */
static inline bool placeholder_append(struct buf *out, char sigil, unsigned number) {
    if (number >= sizeof placeholder_digits - 1)
        return placeholder_append_long(out, sigil, number);
    char *to = buf_reserve(out, 2);
    if (!to)
        return false;
    to[0] = sigil;
    to[1] = placeholder_digits[number];
    buf_advance(out, 2);
    return true;
}

/* The same as the name of a member, with its colon: "#0": */
static inline bool placeholder_append_key(struct buf *out, char sigil, unsigned number) {
    if (number >= sizeof placeholder_digits - 1)
        return buf_append_char(out, '"') && placeholder_append_long(out, sigil, number) && buf_append_cstr(out, "\":");
    char *to = buf_reserve(out, sizeof "'#0':" - 1);
    if (!to)
        return false;
    to[0] = to[3] = '"';
    to[1] = sigil;
    to[2] = placeholder_digits[number];
    to[4] = ':';
    buf_advance(out, sizeof "'#0':" - 1);
    return true;
}

/* Appends the bound condition to expression, as short as can be (parentheses and spaces only where they are needed),
 * and its names and values to placeholders. Within the condition, one attribute name gets one placeholder, and so do
 * equal values, numbered in the order of their first appearance: what is appended depends on what the condition means
 * alone. False: a buffer has failed. */
bool condition_bind(const struct condition *c, const struct condition_environment *environment,
                    struct placeholders *placeholders, struct buf *expression);

/* Appends the canonical form: what the condition means, for request hashes. Spelling, spaces, redundant parentheses,
 * which placeholders were used, how numbers are written and how chains of AND or of OR are grouped make no difference
 * to it. The format is frozen: the tree, the names and the values, with nothing between them.
 *   - The tree: every operation as operator(operand,…); the operators are AND, OR, NOT, =, <>, <, <=, >, >=, BETWEEN,
 * IN and the functions' names; a path is #n.#n[index], a value :n, with n as placeholder_append() writes it.
 *   - The names of attributes: a JSON array of strings; the n-th is #n.
 *   - The values: a JSON array of DynamoDB JSON; the n-th is :n.
 *   - For instance, `version < 5.0` is <(#0,:0)["version"][{"N":"5"}]. */
bool condition_append_canonical(const struct condition *c, const struct condition_environment *environment,
                                struct buf *out);
