/* What a row is sent as. It is checked by the same code that checks the worker's messages, and completed with what the
 * command line asks for. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "failure.h"
#include "random.h"
#include "row_reader.h"
#include "span.h"
#include "update.h"
#include "update_plain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_KEY_SIZE 160 /* a job's name, a colon, a number; or a random one */
#define ROW_GROUP_SIZE 129 /* SQS: MessageGroupId has at most 128 characters */
#define ROW_DEDUPLICATION_SIZE 65

struct row_check_options {
    const struct update_context *context; /* of a table that isn't known: whose shape is any_key */
    struct random *random;
    const char *job; /* row n has the idempotency key JOB:n; NULL: one of its own, or a random one */
    bool log; /* enable_logging, where the row is silent */
    const char *condition; /* holds beside the row's own; NULL: none */
    const char *group_by; /* an attribute, or "id"; NULL: no groups */
    size_t max_size; /* bytes that a message may have */
    bool dry; /* checked only: there need be no body */
};

struct row_check {
    struct row_check_options options; /* the texts are borrowed */
    struct update_context context; /* with the audit records that rows get here */
    struct buf body, escaped;
    struct update_plain plain; /* of the present row, where a glance was enough */
    struct update_pattern pattern; /* of rows like that */
    struct update *update; /* of the present row, where it wasn't; else NULL */
    struct failure failure; /* of what only the command line refuses */
    char key[ROW_KEY_SIZE], group[ROW_GROUP_SIZE], deduplication[ROW_DEDUPLICATION_SIZE];
};

void row_check_init(struct row_check *c, const struct row_check_options *options);
/* Takes a zeroed one too. */
void row_check_free(struct row_check *c);

/* One row's message. Valid until the next row. */
struct row_message {
    struct span body; /* of a row that is fit; the row's own text where nothing is added */
    struct span group_id, deduplication_id; /* absent without groups */
    const struct failure *failure; /* NULL: it is fit */
    bool plain; /* a glance at it was enough */
};
/* Checks a row (the reader's own failure is passed on). False: no memory. */
MUST_USE bool row_check(struct row_check *c, const struct row *row, struct row_message *ret_message);

/* Whether a condition can be valid. With placeholders only a row can show that: then it is true. False: ret_failure
 * says why not. */
MUST_USE bool row_check_condition(const struct update_context *context, const char *condition,
                                  struct failure *ret_failure);
/* Appends the message with its idempotency key: a row that is to be enqueued again as it is. */
bool row_append_with_key(struct span message, struct span key, struct buf *out);
