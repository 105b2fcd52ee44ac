/* The path to a value in a message, for the `field` of a ValidationError: attributes.price, attributes.tags[2].name.
 * Frames of the walk that found the value, linked from the inside out; nothing is built until an error needs it. */
#pragma once

#include "buf.h"
#include "failure.h"
#include "json_string.h"
#include "span.h"

#include <stddef.h>

struct value_path {
    const struct value_path *parent; /* NULL: the first */
    struct json_string name; /* raw.data NULL: an element of an array, at index */
    size_t index;
};

static inline struct value_path path_root(const char *member) {
    return (struct value_path){NULL, json_string_of(member), 0};
}
static inline struct value_path path_member(const struct value_path *parent, struct json_string name) {
    return (struct value_path){parent, name, 0};
}
static inline struct value_path path_element(const struct value_path *parent, size_t index) {
    return (struct value_path){parent, {{NULL, 0}, false}, index};
}

/* Sets the ValidationError on the field at path. */
void path_refuse(const struct value_path *path, struct failure *f, const char *reason_format, ...) PRINTF_LIKE(3, 4);
