/* Picks single values out of a small JSON document. All others are skipped. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a member's value goes: a string decoded, a number as it is written, null as "". */
struct json_slot {
    const char *name; /* NULL: there is no such member */
    char *text;
    size_t size;
    bool cut; /* for people: a long text is cut; else it is refused */
    bool *is_number; /* NULL, or set to whether it was a number */
};

struct json_slots {
    const struct json_slot *slots;
    size_t count;
};

/* Reads members of the document, and of the object in its member called object (NULL: none). False: it is no JSON
 * object, it is cut short, or a value doesn't fit. */
MUST_USE bool json_slots_read(struct span text, const struct json_slots *document, const char *object,
                              const struct json_slots *inner);
