/* DynamoDB's expressions, as far as the tests' transactions have them: what the worker sends of updates, with whole
 * numbers; of conditions attribute_exists, attribute_not_exists, comparisons of a top-level attribute, AND, OR, NOT,
 * parentheses. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

struct sim_expression {
    struct json_object *names, *values; /* of the request; may be NULL */
    struct json_object *item; /* as it stands; NULL: there is none */
};

/* Whether the condition holds; NULL holds. Ends the process over what it doesn't know. */
bool sim_condition_holds(const struct sim_expression *e, const char *condition);
/* Whether the update sets whole attributes alone: then it fits every item. */
bool sim_update_is_plain(const char *update);
/* Applies the update to the item, whose values may be those of requests or of other items where it is plain; else they
 * must be its own. False: a path or an operand doesn't fit the item, which is not what it was. */
bool sim_update_apply(const struct sim_expression *e, const char *update);
