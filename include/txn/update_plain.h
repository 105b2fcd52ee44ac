/* A quick look at a message, for whoever has millions to check. Most are of the plainest kind, and one pass over the
 * bytes, without memory, shows that such a message is fit. All others are for update_read(), whose verdict alone
 * counts. */
#pragma once

#include "span.h"
#include "update.h"

#include <stdbool.h>

struct update_plain {
    bool has_key; /* it has an idempotency_key of its own */
    bool has_enable_logging;
};

/* Whether the body is an update message with members of the plainest kind, wrapped in nothing, that update_read() finds
 * fit. False says nothing about it, and leaves *ret_plain as it was. */
bool update_is_plain(const struct update_context *ctx, struct span body, struct update_plain *ret_plain);
