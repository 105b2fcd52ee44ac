/* How far a command has come, on standard error. On a terminal it is one line that is redrawn (bar, rows, percent by
 * the bytes read, rate, rejected, time left); the log's lines are kept clear of it. Elsewhere it is a line in the log
 * every ten seconds, where that is asked for. */
#pragma once

#include "compiler.h"
#include "log.h"
#include "loop.h"
#include "output.h"
#include "timers.h"

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_WIDTH_MAX 200 /* columns */

/* What a command knows of itself. */
struct progress_view {
    uint64_t rows; /* dealt with */
    uint64_t rejected; /* of these, what failed */
    uint64_t done, whole; /* how much of all: bytes of the input, or rows; whole 0: not known */
    bool waiting; /* nothing moves at present: the services are waited for */
};

struct progress_options {
    struct loop *loop;
    struct log *log; /* its lines keep clear of the drawn one */
    const char *what; /* "enqueue" */
    const char *unit; /* "rows" */
    const char *bad; /* "rejected" */
    bool quiet; /* says nothing */
    bool lines; /* where there is no terminal, a line every ten seconds */
    void (*look)(void *user, struct progress_view *ret_view);
    void *user;
};

struct progress {
    struct progress_options options;
    struct output output;
    bool drawing, colored, drawn; /* on a terminal; the line stands there now */
    struct timer timer;
    int64_t started, looked; /* monotonic */
    uint64_t first_done; /* what had been done before it began */
    uint64_t last_rows; /* at the last look */
    double rate; /* rows a second, smoothed; <0: not known yet */
};

/* Begins; p must stay where it is until progress_end(). */
void progress_start(struct progress *p, const struct progress_options *options);
/* Wipes the line, and is quiet from then on. Takes a zeroed one too. */
void progress_end(struct progress *p);
/* Whether a line is drawn: then the summary is a sentence there, else an event in the log. */
static inline bool progress_is_drawn(const struct progress *p) {
    return p->drawing;
}
/* Writes a line of text, where it is on a terminal and not quiet. */
void progress_say(struct progress *p, const char *line);
