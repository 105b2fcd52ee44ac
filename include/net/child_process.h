/* A program that is run beside the loop: no shell, a process group of its own, a deadline, bounded output. */
#pragma once

#include "compiler.h"
#include "loop.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct child_process;

enum child_end {
    CHILD_EXITED, /* code: its status */
    CHILD_SIGNALED, /* code: the signal */
    CHILD_TIMED_OUT, /* it was killed */
    CHILD_FLOODED, /* it wrote more than it may, and was killed */
    CHILD_LOST /* its output or its exit status can't be read: no memory, or the system refuses */
};

struct child_result {
    enum child_end end;
    int code;
    struct span output; /* what it wrote to standard output; valid until done returns, and wiped then */
};

struct child_options {
    char *const *argv; /* ends with NULL; the first is looked up in PATH */
    int64_t timeout; /* microseconds */
    size_t max_output; /* bytes */
    /* A line of its standard error, without its end; long ones come in pieces. After 50 no more are told. */
    void (*complained)(void *user, struct span line);
    /* It is over. If it didn't end by itself, its whole process group was killed. Called once, from the loop. */
    void (*done)(void *user, const struct child_result *result);
    void *user;
};

/* Starts it with empty standard input and our environment. NULL: it can't be started; *ret_error is an errno. */
MUST_USE struct child_process *child_process_start(struct loop *loop, const struct child_options *options,
                                                   int *ret_error);
/* Kills it where it still runs; no callback. NULL is fine. Not from inside a callback of its own. */
void child_process_free(struct child_process *child);
