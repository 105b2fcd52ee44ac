#include "sim_document.h"

/* The members of a map or the elements of a list, by what an element of a path asks for; NULL: it is neither, or
 * another. */
static struct json_object *inside(struct json_object *value, bool list) {
    struct json_object *content = NULL;
    if (value)
        json_object_object_get_ex(value, list ? "L" : "M", &content);
    return content;
}

static struct json_object *child(struct json_object *content, const char *name, size_t index) {
    struct json_object *value = NULL;
    if (!content)
        return NULL;
    if (!name)
        return json_object_array_get_idx(content, index);
    json_object_object_get_ex(content, name, &value);
    return value;
}

/* What holds the last element of the path: the item itself, a map's members or a list's elements. */
static struct json_object *parent_of(struct json_object *item, const struct sim_path *path) {
    struct json_object *content = item;
    for (size_t i = 0; content && i + 1 < path->count; i++)
        content = inside(child(content, path->elements[i].name, path->elements[i].index), !path->elements[i + 1].name);
    return content;
}

struct json_object *sim_document_get(struct json_object *item, const struct sim_path *path) {
    return child(parent_of(item, path), path->elements[path->count - 1].name, path->elements[path->count - 1].index);
}

bool sim_document_set(struct json_object *item, const struct sim_path *path, struct json_object *value) {
    struct json_object *content = parent_of(item, path);
    const char *name = path->elements[path->count - 1].name;
    size_t index = path->elements[path->count - 1].index;
    if (!content) {
        json_object_put(value);
        return false;
    }
    if (name)
        json_object_object_add(content, name, value);
    else if (index < json_object_array_length(content))
        json_object_array_put_idx(content, index, value);
    else
        json_object_array_add(content, value);
    return true;
}

bool sim_document_remove(struct json_object *item, const struct sim_path *path) {
    struct json_object *content = parent_of(item, path);
    const char *name = path->elements[path->count - 1].name;
    size_t index = path->elements[path->count - 1].index;
    if (!content)
        return false;
    if (name)
        json_object_object_del(content, name);
    else if (index < json_object_array_length(content))
        json_object_array_del_idx(content, index, 1);
    return true;
}
