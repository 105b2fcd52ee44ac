/* Between the files of the sender. */
#pragma once

#include "sender.h"

/* Sends what may be sent now, and sets the timer for what may later. */
void sender_pump(struct sender *s);

/* sender_batch.c: the next batch, taken out of the lists. 0: none may go now; *ret_at: when one may (monotonic), or
 * NEVER. */
size_t sender_take_batch(struct sender *s, struct sender_row *rows[static SQS_BATCH_MAX], int64_t *ret_at);
/* Its group has none under way any more. */
void sender_end_busy(struct sender_row *row);

/* sender_outcome.c: what became of a flight, which is freed. */
void sender_flight_done(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                        size_t count);
/* A flight of these rows couldn't even be started. */
void sender_not_started(struct sender *s, struct sender_row *const *rows, size_t count);
/* Takes a row out for good, and frees it. */
void sender_forget(struct sender *s, struct sender_row *row);
