/* What one message costs on its way through the transaction layer. */
#pragma once

#include "update.h"

#define BODY_MAX ((size_t)1 << 20)
/* What a message may take in memory at the peak, in times its size. */
#define SHARE_MAX 8.0

/* Messages of a table with a string key `id`, audited where they ask for it. False: no memory. The caller frees
 * ret->digest. */
bool message_context(struct update_context *ret);
/* How a message comes. */
enum message_form {
    FORM_PLAIN,
    FORM_WRAPPED, /* back from the DLQ, in its envelope */
    FORM_REFUSED, /* likewise, wrapped by a hand: as a body of its own SQS would refuse it, for it holds U+FFFE */
    FORM_COUNT
};
/* Of FORM_REFUSED, what its id holds; else "". */
const char *message_mark(enum message_form form);
/* Bytes that text takes inside a message of this form. */
size_t message_room(enum message_form form, const char *text);
/* Appends the message as it comes. */
void message_append(enum message_form form, struct span message, struct buf *out);
/* The message's life up to its request, its DLQ message and the audit record of its failure; *ret_failed tells whether
 * it got no request. */
void message_live(const struct update_context *ctx, const struct delivery *delivery, bool *ret_failed);
