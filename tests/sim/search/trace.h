/* What happened in a run, event by event: always hashed, so that two runs can be compared; written out where somebody
 * reads it. */
#pragma once

#include "log.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum trace_what {
    TRACE_SENT,
    TRACE_RECEIVE,
    TRACE_RECEIVED,
    TRACE_DELIVERED,
    TRACE_TRANSACT,
    TRACE_TRANSACTED,
    TRACE_COMMIT,
    TRACE_CONFIRM,
    TRACE_CONFIRMED,
    TRACE_RECORD,
    TRACE_RECORDED,
    TRACE_DESCRIBE,
    TRACE_DESCRIBED,
    TRACE_DELETE,
    TRACE_DELETED,
    TRACE_CHANGE,
    TRACE_CHANGED,
    TRACE_DEAD,
    TRACE_DEAD_SENT,
    TRACE_CANCELLED,
    TRACE_START,
    TRACE_STOP,
    TRACE_ENDED,
    TRACE_KILL,
    TRACE_STANDS,
    TRACE_FAULT,
    TRACE_FAULT_OVER,
    TRACE_QUIET,
    TRACE_VIOLATION,
    TRACE_KINDS
};

struct trace {
    uint64_t hash;
    uint64_t events;
    FILE *out; /* NULL: nobody reads it */
};

void trace_init(struct trace *t, FILE *out);
/* worker: NO_WORKER where it is none's. text is hashed, and written where it is short. */
#define NO_WORKER 99u
void trace_note(struct trace *t, int64_t now, enum trace_what what, unsigned worker, uint64_t a, uint64_t b,
                struct span text);
/* For world.log.sink: the worker's own log stands in between. */
void trace_log(void *trace, struct span line);
