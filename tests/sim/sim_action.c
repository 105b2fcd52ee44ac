#include "sim_action.h"

#include "sim_dynamodb_private.h"
#include "sim_expression.h"

#include <stdlib.h>
#include <string.h>

struct json_object *sim_member(struct json_object *object, const char *name) {
    struct json_object *value = NULL;
    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

struct json_object *sim_key_of(const struct sim_table *table, struct json_object *attributes) {
    const char *const names[] = {table->shape.partition.name, table->shape.sort.name};
    struct json_object *key = json_object_new_object();
    for (size_t i = 0; i < ARRAY_LENGTH(names) && names[i][0]; i++) {
        struct json_object *value = sim_member(attributes, names[i]);
        if (!value) {
            json_object_put(key);
            return NULL;
        }
        json_object_object_add(key, names[i], json_object_get(value));
    }
    return key;
}

static struct sim_action read_inner(struct sim_dynamodb *db, struct json_object *inner, struct json_object *key) {
    const char *values = json_object_get_string(sim_member(inner, "ReturnValuesOnConditionCheckFailure"));
    struct sim_action a = {.table = sim_dynamodb_table(db, json_object_get_string(sim_member(inner, "TableName"))),
                           .put = sim_member(inner, "Item"),
                           .update = json_object_get_string(sim_member(inner, "UpdateExpression")),
                           .condition = json_object_get_string(sim_member(inner, "ConditionExpression")),
                           .names = sim_member(inner, "ExpressionAttributeNames"),
                           .values = sim_member(inner, "ExpressionAttributeValues"),
                           .all_old = values && !strcmp(values, "ALL_OLD")};
    if (a.table && !a.table->exists)
        a.table = NULL;
    if (a.table && (key || a.put))
        a.key = sim_key_of(a.table, key ? key : a.put);
    if (a.key && key && json_object_object_length(key) != json_object_object_length(a.key)) {
        json_object_put(a.key);
        a.key = NULL;
    }
    return a;
}

struct sim_action sim_action_read(struct sim_dynamodb *db, struct json_object *object) {
    struct json_object *put = sim_member(object, "Put"), *update = sim_member(object, "Update");
    return put ? read_inner(db, put, NULL) : read_inner(db, update, sim_member(update, "Key"));
}

struct sim_action sim_action_of_put(struct sim_dynamodb *db, struct json_object *request) {
    return read_inner(db, request, NULL);
}

void sim_action_done(struct sim_action *a) {
    json_object_put(a->key);
    a->key = NULL;
}

const char *sim_action_key(const struct sim_action *a) {
    return sim_json_text(a->key);
}

struct json_object *sim_action_item(const struct sim_action *a) {
    return sim_member(a->table->items, sim_action_key(a));
}

bool sim_action_condition_holds(const struct sim_action *a) {
    return sim_condition_holds(&(struct sim_expression){a->names, a->values, sim_action_item(a)}, a->condition);
}

static struct json_object *copy_of(struct json_object *value) {
    struct json_object *copy = NULL;
    if (value && json_object_deep_copy(value, &copy, NULL) != 0)
        abort();
    return copy;
}

/* The item as it will be, owned; the one that stands is changed in place where that is enough. NULL: the update doesn't
 * fit it. */
static struct json_object *updated(const struct sim_action *a) {
    struct json_object *item = sim_action_item(a), *values = NULL;
    bool plain = sim_update_is_plain(a->update);
    if (!item)
        item = sim_key_of(a->table, a->key);
    else
        item = plain ? json_object_get(item) : copy_of(item);
    if (!plain)
        values = copy_of(a->values);
    bool fits = sim_update_apply(&(struct sim_expression){a->names, plain ? a->values : values, item}, a->update);
    json_object_put(values);
    if (fits)
        return item;
    json_object_put(item);
    return NULL;
}

bool sim_action_update_fits(const struct sim_action *a) {
    if (a->put || sim_update_is_plain(a->update))
        return true;
    struct json_object *item = updated(a);
    json_object_put(item);
    return item != NULL;
}

void sim_action_write(struct sim_dynamodb *db, const struct sim_action *a) {
    if (a->put) {
        json_object_object_add(a->table->items, sim_action_key(a), json_object_get(a->put));
        return;
    }
    struct json_object *item = updated(a);
    if (!item)
        abort(); /* it was looked at before */
    json_object_object_add(a->table->items, sim_action_key(a), item);
    struct json_object *n = sim_member(sim_member(item, "n"), "N");
    if (n)
        buf_printf(&db->applied, "%s ", json_object_get_string(n));
}
