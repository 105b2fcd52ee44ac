/* What DynamoDB refuses before it runs anything. Codes as of a request as a whole; what a transaction finds only while
 * it runs is a reason of the action concerned. Which is which was measured on AWS by
 * github.com/paritysuite/dynamodb-conformance (pull requests 46, 60): an empty key is refused at once, one of the wrong
 * type cancels the transaction. */
#include "sim_action.h"

#include <stdio.h>
#include <string.h>

static const char *const invalid = "ValidationException";

static const char *type_of(struct json_object *value) {
    json_object_object_foreach(value, type, inner) {
        (void)inner;
        return type;
    }
    return "";
}

static bool has_empty(struct json_object *key) {
    json_object_object_foreach(key, name, value) {
        (void)name;
        const char *type = type_of(value);
        if ((!strcmp(type, "S") || !strcmp(type, "B")) && json_object_get_string_len(sim_member(value, type)) == 0)
            return true;
    }
    return false;
}

static bool fits(const struct key_attribute *attribute, struct json_object *key) {
    const char type[] = {(char)attribute->type, '\0'};
    return !attribute->name[0] || !strcmp(type_of(sim_member(key, attribute->name)), type);
}

bool sim_key_mistyped(const struct sim_table *table, struct json_object *key) {
    return !fits(&table->shape.partition, key) || !fits(&table->shape.sort, key);
}

const char *sim_key_invalid(const struct sim_table *table, struct json_object *key) {
    struct json_object *own = sim_key_of(table, key);
    bool fine = own && json_object_object_length(own) == json_object_object_length(key) && !has_empty(key);
    json_object_put(own);
    return fine ? NULL : invalid;
}

/* The placeholders of a text: whether all are defined. Each is noted as used. */
static bool are_defined(const char *text, struct json_object *names, struct json_object *values,
                        struct json_object *used) {
    for (const char *at = text ? text + strcspn(text, "#:") : ""; *at; at += strcspn(at, "#:")) {
        char word[256];
        size_t len = 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (!sim_member(word[0] == '#' ? names : values, word))
            return false;
        json_object_object_add(used, word, json_object_new_boolean(true));
        at += len;
    }
    return true;
}

static int count_of(struct json_object *object) {
    return object ? json_object_object_length(object) : 0;
}

const char *sim_action_invalid(const struct sim_action *a) {
    struct json_object *used = json_object_new_object();
    bool defined =
        are_defined(a->update, a->names, a->values, used) && are_defined(a->condition, a->names, a->values, used);
    bool all_used = json_object_object_length(used) == count_of(a->names) + count_of(a->values);
    json_object_put(used);
    if (!defined || !all_used)
        return invalid;
    if (!a->table)
        return "ResourceNotFoundException";
    return a->key && !has_empty(a->key) ? NULL : invalid;
}

bool sim_action_mistyped(const struct sim_action *a) {
    return sim_key_mistyped(a->table, a->key);
}
