/* The tree of a condition, and the passes over it. Private to the condition language.
 *
 * parse (condition_parse.c) → resolve and check (condition_check.c) → number the placeholders
 * (condition_placeholders.c) → print (condition_print.c). Nodes stand in one array in the order of the text, so a pass
 * that doesn't care for structure is a loop. */
#pragma once

#include "condition.h"

#include <stdint.h>

enum node_kind {
    /* Conditions. */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_EQUAL,
    NODE_NOT_EQUAL,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_GREATER,
    NODE_GREATER_EQUAL,
    NODE_BETWEEN,
    NODE_IN,
    NODE_ATTRIBUTE_EXISTS,
    NODE_ATTRIBUTE_NOT_EXISTS,
    NODE_ATTRIBUTE_TYPE,
    NODE_BEGINS_WITH,
    NODE_CONTAINS,
    /* Operands. */
    NODE_SIZE,
    NODE_PATH, /* its elements are its children */
    NODE_VALUE, /* a :placeholder */
    NODE_STRING,
    NODE_NUMBER,
    NODE_TRUE,
    NODE_FALSE,
    NODE_NULL,
    /* Elements of a path. */
    NODE_NAME,
    NODE_INDEX
};

struct node {
    enum node_kind kind;
    bool placeholder; /* NODE_NAME: text is a #placeholder, not yet the attribute's name */
    bool owns_text; /* text stands in the condition's bytes */
    char type; /* operands: the type as condition_environment has it, 0 where only the item knows */
    int value; /* NODE_VALUE: what the environment calls it; literals: -1 */
    unsigned index; /* NODE_INDEX */
    unsigned ordinal; /* names and values: the number of the placeholder that it is bound to */
    uint32_t at; /* where it stands: byte offset in the text */
    const struct node *same; /* names and values: the first node with the same ordinal */
    struct span text; /* NODE_NAME: the attribute's name; NODE_STRING: what it means; NODE_NUMBER: as it was written */
    struct node *child; /* the first */
    struct node *next; /* sibling */
};

struct condition {
    struct node *root;
    size_t node_count, node_capacity;
    size_t byte_count; /* of the texts that nodes own, behind the nodes */
    char *bytes;
    struct node nodes[];
};

static inline bool node_is_condition(const struct node *n) {
    return n->kind <= NODE_CONTAINS;
}
static inline bool node_is_literal(const struct node *n) {
    return n->kind >= NODE_STRING && n->kind <= NODE_NULL;
}
/* A literal or a :placeholder. */
static inline bool node_is_value(const struct node *n) {
    return n->kind >= NODE_VALUE && n->kind <= NODE_NULL;
}

/* The operator or function as DynamoDB spells it. */
const char *node_operator(enum node_kind kind);
/* The field that messages about a condition name. */
#define CONDITION_FIELD SPAN("condition_expression")
/* The 1-based number of the Unicode character that begins at this byte of text. */
size_t condition_position(struct span text, size_t at);

/* Resolves the placeholders, and refuses conditions of right syntax that DynamoDB would refuse. */
MUST_USE enum condition_status condition_check(struct condition *c, struct span text,
                                               const struct condition_environment *environment,
                                               struct failure *ret_failure);
/* Gives names and values their ordinals. */
MUST_USE enum condition_status condition_number_placeholders(struct condition *c,
                                                             const struct condition_environment *environment,
                                                             struct failure *ret_failure);
/* Appends a value node in DynamoDB JSON. */
bool condition_append_value(const struct node *value, const struct condition_environment *environment,
                            enum number_form form, struct buf *out);
