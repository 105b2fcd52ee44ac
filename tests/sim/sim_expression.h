/* DynamoDB's expressions, as far as the tests' transactions have them: SET a = :v; attribute_exists, attribute_not_exists, comparisons
 * of a top-level attribute, AND, OR, NOT, parentheses. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

struct sim_expression {
    struct json_object *names, *values; /* of the request; may be NULL */
    struct json_object *item;           /* as it stands; NULL: there is none */
};

/* Whether the condition holds; NULL holds. Ends the process over what it doesn't know. */
bool sim_condition_holds(const struct sim_expression *e, const char *condition);
/* Applies "SET …" to the item. */
void sim_update_apply(const struct sim_expression *e, const char *update);
