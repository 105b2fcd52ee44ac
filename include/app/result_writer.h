/* Results on their way to standard output, which is never waited for: what isn't taken at once waits in memory, and
 * whoever makes results asks first whether there is room for more. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "log.h"
#include "loop.h"
#include "output.h"

#include <stdbool.h>
#include <stddef.h>

struct result_writer {
    struct log *log;
    struct output output;
    struct loop_watch *watch;
    struct buf text; /* results are appended here */
    size_t written; /* of it */
    bool watching, failed;
    void (*went_on)(void *ctx); /* some was written, or writing has failed, which is in the log */
    void *ctx;
};

/* False: standard output can't be written, or there is no memory; it is in the log. result_writer_done() in any case.
 */
MUST_USE bool result_writer_init(struct result_writer *w, struct loop *loop, struct log *log,
                                 void (*went_on)(void *ctx), void *ctx);
/* Something was appended: writes what is taken at once. */
void result_writer_flush(struct result_writer *w);
/* Whether more may be appended before some is written. */
bool result_writer_has_room(const struct result_writer *w);
/* Whether all is written, or can't be. */
bool result_writer_is_idle(const struct result_writer *w);
/* Takes a zeroed one too. */
void result_writer_done(struct result_writer *w);
