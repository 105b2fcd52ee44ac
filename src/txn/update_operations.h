/* What a message does beside setting whole attributes: set, increment, append and remove, each at a document path. */
#pragma once

#include "document_path.h"
#include "json_string.h"
#include "update_member.h"
#include "value_tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than fit the 4,096 bytes of an expression, however short their placeholders are: `#0,` each. */
#define UPDATES_MAX 1366

struct update_operation {
    enum member member;
    uint32_t place; /* among all that the message updates, in the order of updated_attributes */
    struct json_string written; /* the path as the message has it */
    uint32_t first, count; /* the path's elements */
    tape_node value; /* TAPE_ROOT: a removal has none */
};

struct update_operations {
    struct update_operation *list; /* in the order of place; once sorted, by member and path */
    struct path_element *elements;
    uint32_t count, element_count, element_capacity;
    size_t text; /* bytes that a request has of their values, paths and names, nearly */
    size_t zeros; /* bytes more in normal form */
    size_t record_size; /* bytes that they leave in the record, at least */
    size_t audit_size; /* bytes that they take in an audit record's `update` */
};

static inline const struct path_element *operation_path(const struct update_operations *o,
                                                        const struct update_operation *operation) {
    return o->elements + operation->first;
}
/* Whether the path has an index: after an update it may mean another element. */
bool operation_has_index(const struct update_operations *o, const struct update_operation *operation);
/* Whether DynamoDB's ADD does it: an increment of a whole attribute. Increments inside of something are written as
 * sums. */
static inline bool operation_is_addition(const struct update_operation *operation) {
    return operation->member == MEMBER_INCREMENT && operation->count == 1;
}
/* Gives back what isn't the arena's. Takes a zeroed one too. */
void update_operations_free(struct update_operations *o);
