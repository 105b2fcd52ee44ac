/* Values inside of a simulated item: found and changed at document paths, as DynamoDB does. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#define SIM_PATH_MAX 32

struct sim_path {
    struct {
        const char *name; /* NULL: an index */
        size_t index;
    } elements[SIM_PATH_MAX];
    size_t count;
};

/* The value at the path; NULL: nothing. */
struct json_object *sim_document_get(struct json_object *item, const struct sim_path *path);
/* Puts the value, which it takes over, at the path; behind a list's end it is appended. False: there is no such place.
 */
bool sim_document_set(struct json_object *item, const struct sim_path *path, struct json_object *value);
/* Takes away what is there; nothing is fine where its parent is there. False: there is no such place. */
bool sim_document_remove(struct json_object *item, const struct sim_path *path);
