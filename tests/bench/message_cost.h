/* What one message costs on its way through the transaction layer. */
#pragma once

#include "update.h"

#define BODY_MAX ((size_t)1 << 20)
/* What a message may take in memory at the peak, in times its size. */
#define SHARE_MAX 8.0

/* Messages of a table with a string key `id`, audited where they ask for it. False: no memory. The caller frees ret->digest. */
bool message_context(struct update_context *ret);
/* The message's life up to its request, its DLQ message and the audit record of its failure; *ret_failed tells whether it got no request. */
void message_live(const struct update_context *ctx, const struct delivery *delivery, bool *ret_failed);
/* All that the heap holds at the peak of this life, the body included, over the body's size. */
double message_share(const struct update_context *ctx, const struct delivery *delivery, bool *ret_failed);
