/* Cuts a stream into messages: one JSON value a line, or one object over several lines. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define STREAM_MESSAGE_MAX ((size_t)8 << 20) /* bytes of one line */

enum split {
    SPLIT_MESSAGE, /* *ret_message is the next */
    SPLIT_TOO_LONG, /* a line is longer than STREAM_MESSAGE_MAX; nothing of it is given out */
    SPLIT_MORE, /* more input is needed */
    SPLIT_END /* all input was given out */
};

struct message_splitter {
    struct buf input;
    size_t at; /* where in input the next message begins */
    size_t scanned; /* no newline between at and here */
    size_t line; /* number of the line at `at`, from 1 */
    enum { FORM_UNKNOWN, FORM_LINES, FORM_PERHAPS_ONE, FORM_ONE } form;
    bool skipping; /* the rest of a line that is too long is being skipped */
    bool ended;
};

void message_splitter_init(struct message_splitter *s);
void message_splitter_free(struct message_splitter *s);
/* Appends input. False: no memory. */
MUST_USE bool message_splitter_feed(struct message_splitter *s, struct span piece);
void message_splitter_end(struct message_splitter *s);
/* The next message, borrowed until the next call of any kind, and the line it begins at. Blank lines are skipped. */
enum split message_splitter_next(struct message_splitter *s, struct span *ret_message, size_t *ret_line);
/* The line that the next message may begin at. */
size_t message_splitter_next_line(const struct message_splitter *s);
/* Whether the input has ended, and nothing is left of it. */
bool message_splitter_is_done(const struct message_splitter *s);
/* Bytes fed and not yet given out. */
static inline size_t message_splitter_pending(const struct message_splitter *s) {
    return s->input.len - s->at;
}
