/* What one message costs in memory on its whole way through the worker. */
#pragma once

#include "message_cost.h"

/* The most that the heap holds at once for the message, over its size: from SQS's answer that brings it over its
 * transaction, which finds no record, and its DLQ message to its deletion. All of our code is the real one from the
 * signed calls upwards, and HTTP is played; answers are held as HTTP holds them. *ret_failed tells whether it got no
 * transaction. */
double message_share(const struct update_context *ctx, struct span body, bool *ret_failed);
