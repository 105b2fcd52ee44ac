/* Items that a transaction is about to write. */
#include "sim_action.h"
#include "sim_dynamodb_private.h"

#include <stdlib.h>

/* Owned by the caller. */
static char *lock_of(const struct sim_action *a) {
    struct json_object *name = json_object_new_array();
    json_object_array_add(name, json_object_new_string(a->table->shape.name));
    json_object_array_add(name, json_object_get(a->key));
    char *text = world_text(span_cstr(sim_json_text(name)));
    json_object_put(name);
    return text;
}

bool sim_is_locked(struct sim_dynamodb *db, const struct sim_action *a) {
    char *lock = lock_of(a);
    bool locked = json_object_object_get_ex(db->locks, lock, NULL);
    free(lock);
    return locked;
}

void sim_lock(struct sim_dynamodb *db, const struct sim_action *actions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *lock = lock_of(&actions[i]);
        json_object_object_add(db->locks, lock, json_object_new_boolean(true));
        free(lock);
    }
}

void sim_unlock(struct sim_dynamodb *db, const struct sim_action *actions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *lock = lock_of(&actions[i]);
        json_object_object_del(db->locks, lock);
        free(lock);
    }
}
