/* One action of a transaction, or a single PutItem: what it would do to which item. */
#pragma once

#include "world.h"

struct sim_action {
    struct sim_table *table; /* NULL: there is none of that name */
    struct json_object *key; /* owned; NULL: the request's doesn't name the table's key attributes, and only them */
    struct json_object *put; /* the item, of a Put */
    const char *update, *condition;
    struct json_object *names, *values;
    bool all_old; /* a failed condition answers with the item */
};

/* A Put or an Update of a transaction. */
struct sim_action sim_action_read(struct sim_dynamodb *db, struct json_object *object);
/* A PutItem's request. */
struct sim_action sim_action_of_put(struct sim_dynamodb *db, struct json_object *request);
void sim_action_done(struct sim_action *a);
/* The key's JSON text, by which the table has the item. */
const char *sim_action_key(const struct sim_action *a);
/* The item as it stands; NULL: none. */
struct json_object *sim_action_item(const struct sim_action *a);
bool sim_action_condition_holds(const struct sim_action *a);
/* Whether the update's paths and operands fit the item. */
bool sim_action_update_fits(const struct sim_action *a);
void sim_action_write(struct sim_dynamodb *db, const struct sim_action *a);

/* What a request is refused with as a whole before anything is looked at (NULL: nothing): missing tables, keys,
 * placeholders. */
const char *sim_action_invalid(const struct sim_action *a);
/* Whether a value of the key has another type than the table's: then a transaction's reason is a ValidationError. */
bool sim_action_mistyped(const struct sim_action *a);
/* The same two of a GetItem's key. */
const char *sim_key_invalid(const struct sim_table *table, struct json_object *key);
bool sim_key_mistyped(const struct sim_table *table, struct json_object *key);
/* The key in the table's own order, owned by the caller; NULL: it lacks one. */
struct json_object *sim_key_of(const struct sim_table *table, struct json_object *attributes);

struct json_object *sim_member(struct json_object *object, const char *name);
