/* An update message's text with more members. Private to the checking of rows. */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* What a message has that additions depend on. */
struct row_members {
    bool has_enable_logging, has_key;
    size_t condition_at; /* of condition_expression's string, its opening quote */
    struct span condition; /* still escaped; absent: the message has none */
};
/* Of a message that was found fit. */
struct row_members row_members_of(struct span message);

struct row_additions {
    struct span key; /* absent: none is added */
    bool enable_logging;
    struct span condition; /* absent: none; else it and the message's own must hold */
};
/* Appends the message, which is an object that isn't empty, with what is added. False: out has failed. */
bool row_compose(struct span message, const struct row_members *members, const struct row_additions *additions,
                 struct buf *out);
