/* A message read once more, into parts of its own, for what has to be said of it after its first parts were freed. */
#pragma once

#include "update_parts.h"

struct update_again {
    struct update update; /* as u is, but with these parts and without a failure */
    struct update_parts parts;
};

/* Reads the body of u, whose shape is right. It must not be moved. False: no memory. */
MUST_USE bool update_again_read(const struct update_context *ctx, const struct update *u, struct update_again *again);
/* Reads its operations. False: no memory; *ret_fit: whether there is nothing wrong with them. */
MUST_USE bool update_again_read_operations(struct update_again *again, bool *ret_fit);
void update_again_free(struct update_again *again);
/* Whether a step has failed for lack of memory; else what it refused is forgotten. */
bool update_again_no_memory(struct update_again *again, enum step step);
