/* The rows that are being looked up: a ring, in the order of the file. Rows leave it in that order, so that what was
 * reconciled is always a beginning of the file. Bounded in rows and bytes. */
#pragma once

#include "compiler.h"
#include "failure.h"
#include "row_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_ROWS 2048
#define WINDOW_BYTES ((size_t)4 * 1024 * 1024) /* of rows' texts; one that is larger is there alone */

#define WINDOW_USUAL_MESSAGE 400 /* bytes: most messages have no more, and take no block */

enum row_fate {
    FATE_OPEN, /* is being looked up */
    FATE_APPLIED,
    FATE_FAILED, /* so says an audit record, or the row alone */
    FATE_ABSENT /* there is no audit record */
};

struct window_row {
    struct row_place place;
    enum row_fate fate;
    bool looks_for_failure; /* it has no record of a success */
    char *message; /* usual, or a block of its own; NULL where the row is none */
    size_t message_len;
    char error[32]; /* of FATE_FAILED */
    char usual[WINDOW_USUAL_MESSAGE];
};

struct window {
    struct window_row *rows; /* WINDOW_ROWS */
    uint64_t first, next; /* numbers of places in the ring, from the beginning on: first == next is empty */
    size_t bytes;
};

/* False: no memory. */
MUST_USE bool window_init(struct window *w);
/* Takes a zeroed one too. */
void window_free(struct window *w);
bool window_has_room(const struct window *w);
/* Takes in a row behind all others, with a copy of its message. NULL: no memory. */
MUST_USE struct window_row *window_push(struct window *w, const struct row *row);
/* The row at a place of the ring. */
struct window_row *window_at(const struct window *w, uint64_t at);
/* The first row, where its fate is known; else NULL. */
struct window_row *window_decided(const struct window *w);
/* Lets the first row go. */
void window_pop(struct window *w);
