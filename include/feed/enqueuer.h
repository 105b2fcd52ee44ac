/* Puts rows of files onto a queue: reads, checks and sends them, in slices on the loop. At every moment it knows up to
 * which row all is done with. What is to be said and kept is left to its host. */
#pragma once

#include "compiler.h"
#include "failure.h"
#include "loop.h"
#include "row_check.h"
#include "row_reader.h"
#include "sender.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stdint.h>

#define ENQUEUER_BEHIND_MAX 10000 /* rows that were read behind one that isn't done with */

enum enqueuer_end {
    ENQUEUE_ALL, /* every row was sent or rejected */
    ENQUEUE_STRICT, /* a row was rejected, and all before it were sent */
    ENQUEUE_BROKEN, /* an input can't be read further, and all before that was sent; see why */
    ENQUEUE_STOPPED, /* as it was told to, or by its host; what was read was sent, unless it was told twice */
    ENQUEUE_FAILED /* the queue can't be reached, or refuses */
};

struct enqueuer_rejection {
    unsigned file; /* which of the files */
    struct row_place place;
    struct span row;
    const struct failure *failure;
};

struct enqueuer_host {
    /* A row is no message, or SQS doesn't take it. False: it couldn't be kept, and nothing more is read. */
    bool (*rejected)(void *user, const struct enqueuer_rejection *rejection);
    /* Called once, from the loop, when all is over; then the enqueuer may be freed. */
    void (*done)(void *user, enum enqueuer_end end);
    void *user;
};

struct enqueuer_options {
    struct loop *loop;
    const struct clock *clock;
    struct random *random;
    struct log *log;
    const char *const *files; /* paths, "-" among them */
    unsigned file_count;
    const enum row_format *format; /* NULL: by each file's name */
    const struct table_shape *table; /* NULL: not known */
    struct row_check_options check;
    struct sender_options sender; /* without a queue only where check.dry is set */
    bool strict;
    const struct row_place *go_on; /* of the first file; NULL: at its beginning */
};

struct enqueuer_counts {
    uint64_t rows, sent, rejected;
    uint64_t bytes; /* of the files, as they stand there */
};

struct enqueuer;

/* NULL: no memory. The texts, and what options point at, are borrowed. */
MUST_USE struct enqueuer *enqueuer_start(const struct enqueuer_options *options, const struct enqueuer_host *host);
void enqueuer_free(struct enqueuer *e);
/* Reads no further, sends what was read, and ends. Told again it ends at once. */
void enqueuer_stop(struct enqueuer *e);

/* What has become of the rows so far. */
struct enqueuer_counts enqueuer_counts(const struct enqueuer *e);
/* The first row that isn't done with, and in which file it is. */
struct row_place enqueuer_place(const struct enqueuer *e, unsigned *ret_file);
/* How far it has come in the bytes of all files: up to the first row that isn't done with; in an archive, where that
 * isn't known, up to what was read. *ret_size 0: it isn't known how many there are. */
void enqueuer_position(const struct enqueuer *e, uint64_t *ret_done, uint64_t *ret_size);
/* The file that is read, or can't be. */
unsigned enqueuer_file(const struct enqueuer *e);
/* After ENQUEUE_BROKEN: a sentence without the file's name. After ENQUEUE_FAILED: which fault, and what it was. */
const char *enqueuer_why(const struct enqueuer *e);
enum sender_fault enqueuer_fault(const struct enqueuer *e, const struct call_result **ret_result);
/* Whether nothing has got through for a while. */
bool enqueuer_in_trouble(const struct enqueuer *e);
