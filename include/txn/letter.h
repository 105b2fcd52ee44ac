/* A message of the DLQ, read for people and for its way back: whose it is, why it failed, which record it is about.
 * Pure, and it judges nothing: what is no update message is read as far as it can be. */
#pragma once

#include "compiler.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>
#include <stdint.h>

/* The forms of struct dead_letter, and messages that aren't ours. */
enum letter_form {
    LETTER_WRAPPED, /* its body is the envelope */
    LETTER_BESIDE, /* its body is the original, and the envelope the attribute ErrorEnvelope */
    LETTER_BARE, /* its body is the original, and the attribute ErrorType all that tells why */
    LETTER_FOREIGN /* SQS moved it here itself, or others sent it */
};

/* What is read. All is borrowed, and must outlive the letter. */
struct letter_delivery {
    struct span body;
    struct span message_id; /* of this delivery */
    struct span error_envelope, error_type; /* message attributes; absent where there are none */
};

struct letter_parts; /* private */

struct letter {
    enum letter_form form;
    struct span error; /* the error type; absent where nothing tells it */
    struct span message; /* the sentence; absent likewise */
    struct span code; /* of a DatabaseError; absent else */
    struct span
        details; /* of the envelope without its source, JSON on one line: {…}; absent where there is no envelope */
    int64_t failed_at; /* wall microseconds, as the envelope tells; 0: it doesn't */
    struct update_source source; /* of ours; its body is set, whatever the form */
    unsigned receive_count; /* that the envelope tells; 0: none */
    struct span id; /* as the message spells it, JSON text; absent: it can't be told */
    struct span idempotency_key; /* that the worker would run it under */
    bool has_key; /* the key goes with the message, however often it is sent: else it is the MessageId of a send */
    struct letter_parts *parts;
};

/* Reads it; NULL: no memory. */
MUST_USE struct letter *letter_read(const uint64_t hash_seed[static 2], const struct letter_delivery *delivery);
/* Takes NULL. */
void letter_free(struct letter *letter);
