/* The messages in flight of one queue: takes what comes in, begins what is next, acts on what is reported of each. */
#pragma once

#include "message.h"

/* changed: called when something from outside has changed that may let messages go on. */
void messages_init(struct messages *all, const struct platform *platform, const struct discovery_facts *facts,
                   const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                   void (*changed)(void *ctx), void *ctx);
/* Logs what is still to be logged, and frees all messages. */
void messages_done(struct messages *all);

/* Takes over messages just received, in their order. */
void messages_take(struct messages *all, struct sqs_message **received, size_t count, int64_t received_at);
/* A part of the worker's turn: begins the messages whose turn has come. */
void messages_begin_next(struct messages *all);
/* The end of the worker's turn: frees the messages that are GONE. */
void messages_free_gone(struct messages *all);

/* The applier is done with a message. */
void messages_applier_ended(struct message *m, enum job_outcome outcome);
/* An update was applied. Failures with the same key that wait for the DLQ are confirmed once more. */
void messages_applied(struct messages *all, const struct update *u);

unsigned messages_in_flight(const struct messages *all);

/* messages_late.c */
/* Logs whether messages have been tried in vain for a minute: at most every ten minutes. */
void messages_tell_late(struct messages *all);

/* messages_end.c */
/* Returns the messages whose transaction isn't running. everything: the running ones too, and those whose letter isn't
 * being sent. */
void messages_return_rest(struct messages *all, bool everything);
/* No delete, return or letter waits for others to fill its batch any more. */
void messages_hurry(struct messages *all);
/* On a FIFO queue: returns messages that are behind one that waits long, until at most `most` are in flight. */
void messages_make_room(struct messages *all, unsigned most);
/* Whether every message in flight fails as if by its own fault, or waits behind one that does. */
bool messages_only_stubborn(const struct messages *all);
/* Only such messages are left, and nothing succeeds that would tell whose fault it is. Returns them, until each has had
 * all its deliveries. True: each has had them, and the log names them. */
bool messages_settle_stubborn(struct messages *all, unsigned max_attempts);
