/* The names so far of all open objects in a text, to refuse a second member of the same name. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_names_result { JSON_NAMES_NEW, JSON_NAMES_REPEATED, JSON_NAMES_NO_MEMORY };

struct json_names;

/* NULL: no memory. */
MUST_USE struct json_names *json_names_new(const uint64_t seed[static 2]);
void json_names_free(struct json_names *names);
/* An object begins, or the innermost one ends. False: no memory. */
MUST_USE bool json_names_open(struct json_names *names);
void json_names_close(struct json_names *names);
/* Adds the name text[at, at + len) (raw, still escaped where `escaped`) to the innermost object. The text must not
 * change later. */
MUST_USE enum json_names_result json_names_add(struct json_names *names, struct span text, size_t at, size_t len,
                                               bool escaped);
