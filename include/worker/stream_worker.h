/* `apply`: messages from a stream instead of a queue, through the same applier. It knows no file: the command feeds it
 * bytes and takes bytes from it. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "discovery.h"
#include "outcome.h"
#include "platform.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

struct stream_worker_options {
    unsigned max_in_flight;
    unsigned max_rate;
    unsigned max_attempts;
    unsigned shutdown_timeout; /* seconds that a stop may take */
    bool line_numbers; /* each response has the number of its line */
};

struct stream_worker;

/* Counts of lines so far. */
struct stream_counts {
    uint64_t answered; /* lines whose response is known, whether it was written out or not */
    uint64_t failed; /* of these */
};

struct stream_worker_host {
    /* There is output to take, or room for input again; called from the loop, never from inside a call of the host's
     * own. */
    void (*changed)(void *user);
    /* All input has its response (ENDED_SOME_FAILED: some line failed), or a fault of the environment ended the work,
     * or a stop left lines over (ENDED_STOPPED). In the last two cases the log names the first line left. Remaining
     * output is still to be taken. */
    void (*done)(void *user, struct outcome outcome);
    void *user;
};

/* NULL: no memory. facts: of the tables. context: as for the queue worker. */
MUST_USE struct stream_worker *stream_worker_start(const struct platform *platform,
                                                   const struct stream_worker_options *options,
                                                   const struct discovery_facts *facts,
                                                   const struct update_context *context,
                                                   const struct stream_worker_host *host);
/* Whether it can take input now. Where it can't, `changed` will say when it may. */
bool stream_worker_wants_input(const struct stream_worker *w);
/* Input as it comes, in pieces of up to 64 KiB. While the worker wants input, it has room for a whole piece. */
void stream_worker_feed(struct stream_worker *w, struct span piece);
/* The input has ended. */
void stream_worker_end_input(struct stream_worker *w);
/* Responses, one JSON object a line, in the order of the input: the bytes to write next; stream_worker_took_output()
 * removes them. */
struct span stream_worker_output(const struct stream_worker *w);
void stream_worker_took_output(struct stream_worker *w, size_t count);
/* Finishes the lines that were begun, and every line before them, for at most shutdown_timeout; starts no others. done
 * follows. Called again: it ends at once. */
void stream_worker_stop(struct stream_worker *w);
/* How many lines it has done so far. */
struct stream_counts stream_worker_counts(const struct stream_worker *w);
void stream_worker_free(struct stream_worker *w);
