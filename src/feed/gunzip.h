/* A gzip archive of any number of members. Zero bytes before, between and behind them are passed over: gzip(1) pads to
 * blocks with them. zlib's own file functions would stop at the padding, and lose the members behind it in silence. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#include <zlib.h>

struct gunzip {
    z_stream stream;
    bool started; /* stream is set up */
    bool in_member;
};

/* False: no memory. */
MUST_USE bool gunzip_init(struct gunzip *g);
/* Takes a zeroed one too. */
void gunzip_done(struct gunzip *g);
/* Takes bytes off the front of *packed and writes what they hold to room; returns how many were written. Where neither
 * changes, there is nothing more to come from what was given. NULL in *ret_fault, or a few words: it is damaged, at the
 * first byte that is left in *packed. */
size_t gunzip_run(struct gunzip *g, struct span *packed, char *room, size_t size, const char **ret_fault);
