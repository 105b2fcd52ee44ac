/* Between the files of the sender. */
#pragma once

#include "sender.h"

/* sender_batch.c: the next batch, taken out of the lists. 0: none may go now; *ret_at: when one may (monotonic), or
 * NEVER. */
size_t sender_take_batch(struct sender *s, struct sender_row *rows[static SQS_BATCH_MAX], int64_t *ret_at);
/* Takes a row out for good, and frees it. */
void sender_forget(struct sender *s, struct sender_row *row);

/* sender_outcome.c: what became of the rows of a batch that was answered. */
void sender_answered(struct sender *s, struct sender_row *const *rows, const struct sqs_entry_result *entries,
                     size_t count);
/* …of one whose call failed. */
void sender_failed(struct sender *s, struct sender_row *const *rows, size_t count, const struct call_result *result);
/* A call for these rows couldn't even be started. */
void sender_not_started(struct sender *s, struct sender_row *const *rows, size_t count);
