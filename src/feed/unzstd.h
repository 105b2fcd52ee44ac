/* A zstd archive of any number of frames, skippable ones included. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#include <zstd.h>

struct unzstd {
    ZSTD_DStream *stream;
    bool in_frame;
};

/* False: no memory. */
MUST_USE bool unzstd_init(struct unzstd *z);
/* Takes a zeroed one too. */
void unzstd_done(struct unzstd *z);
/* As gunzip_run(). */
size_t unzstd_run(struct unzstd *z, struct span *packed, char *room, size_t size, const char **ret_fault);
