/* The decoded form of a string's raw text, piece by piece and without storage of its own. */
#pragma once

#include "span.h"

#include <stdbool.h>

struct json_pieces {
    struct span rest;
    char decoded[4]; /* the last piece's bytes, where it came from an escape */
};

static inline struct json_pieces json_pieces_of(struct span raw) {
    return (struct json_pieces){.rest = raw};
}

/* The next piece, valid until the next call. False: there is none. */
bool json_next_piece(struct json_pieces *pieces, struct span *ret_piece);
/* Whether two raw texts decode to the same. */
bool json_raw_equal(struct span a, struct span b);
