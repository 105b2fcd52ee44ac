/* A question on the terminal that takes a yes; anything else is a no. It is not waited for: the loop goes on. */
#pragma once

#include "compiler.h"
#include "loop.h"

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_SIZE 16

struct question {
    struct loop_watch *input; /* NULL: nothing is asked */
    char answer[ANSWER_SIZE];
    size_t len;
    void (*answered)(void *ctx, bool yes);
    void *ctx;
};

/* Asks on standard error and reads the answer from standard input. q must stay where it is until it is answered or
 * question_done(). False: no memory. */
MUST_USE bool question_ask(struct question *q, struct loop *loop, const char *text,
                           void (*answered)(void *ctx, bool yes), void *ctx);
static inline bool question_is_open(const struct question *q) {
    return q->input != NULL;
}
/* Takes a zeroed one too. */
void question_done(struct question *q);
