/* Picks single values out of a small JSON document. What isn't looked for is skipped. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a member's value goes: a string as it is meant, a number as it is written; null leaves "". */
struct json_slot {
    const char *name; /* NULL: there is no such member */
    char *text;
    size_t size;
    bool cut; /* a sentence for people, which may be cut; else it is refused where it is too long */
    bool *is_number; /* NULL, or set to whether it was a number */
};

struct json_slots {
    const struct json_slot *slots;
    size_t count;
};

/* The members of the document, and of the object that its member of that name is (NULL: of none). False: it is no JSON
 * object, it is cut short, or a value doesn't fit. */
MUST_USE bool json_slots_read(struct span text, const struct json_slots *document, const char *object,
                              const struct json_slots *inner);
