/* Which of the places that a message updates are the same place, or one inside another. DynamoDB refuses such
 * messages. */
#pragma once

#include "document_path.h"

#include <stddef.h>
#include <stdint.h>

struct update_place {
    const struct path_element *path;
    uint32_t count; /* elements */
    uint32_t number; /* in the message's order */
};

#define NO_OVERLAP UINT32_MAX

/* The number of the first place, in the message's order, that overlaps one before it; or NO_OVERLAP. Two overlap where
 * one path begins the other, or where one goes on with a name and the other with an index. Sorts places. */
uint32_t update_find_overlap(struct update_place *places, size_t count);
/* Whether two places overlap. */
bool update_places_overlap(const struct update_place *a, const struct update_place *b);
