/* The messages in flight of one queue: what comes in, what is next, and what follows from what is reported of them. */
#pragma once

#include "message.h"

/* changed: something happened outside that may let others go on. */
void messages_init(struct messages *all, const struct platform *platform, const struct discovery_facts *facts,
                   const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                   void (*changed)(void *ctx), void *ctx);
/* Says what is still to be said, and frees all of them. */
void messages_done(struct messages *all);

/* Takes over messages just received, in their order. */
void messages_take(struct messages *all, struct sqs_message **received, size_t count, int64_t received_at);
/* A part of the worker's turn: those whose turn has come begin. */
void messages_begin_next(struct messages *all);
/* The end of the worker's turn: what is gone is freed. */
void messages_free_gone(struct messages *all);

/* The applier is done with one. */
void messages_applier_ended(struct message *m, enum job_outcome outcome);
/* An update was applied, by whomever: failures of the same key that wait for the DLQ are looked at once more. */
void messages_applied(struct messages *all, const struct update *u);

unsigned messages_in_flight(const struct messages *all);

/* messages_end.c */
/* Returns what doesn't run; everything: also what does, and letters that aren't under way. */
void messages_return_rest(struct messages *all, bool everything);
/* Nothing waits for company any more. */
void messages_hurry(struct messages *all);
/* On a FIFO queue what stands behind a message that waits long gives way, until no more than that are in flight. */
void messages_make_room(struct messages *all, unsigned most);
/* Whether all that is in flight fails as if by its own fault, or stands behind such. */
bool messages_only_stubborn(const struct messages *all);
/* Nothing is left but such, and nothing succeeds that would tell: they are delivered again until each had all its
 * deliveries. True: each had; the log names them. */
bool messages_settle_stubborn(struct messages *all, unsigned max_attempts);
