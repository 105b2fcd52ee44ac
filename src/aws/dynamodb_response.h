/* Readers of DynamoDB's answers. Pure; they take any bytes. Items are skipped where they stand: they may be megabytes.
 */
#pragma once

#include "decode.h"
#include "compiler.h"
#include "dynamodb.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>

struct cancellation {
    size_t count;
    struct cancellation_reason reasons[CANCELLATION_REASONS_MAX];
};
/* The body of a TransactionCanceledException. Garbage where it has no reasons, more than our transactions have actions,
 * or none that is a failure. */
MUST_USE enum decode_status dynamodb_read_cancellation(struct span body, struct cancellation *ret_cancellation);
/* What the reasons together mean: a throttle before a conflict before all others. */
enum call_class dynamodb_cancellation_class(const struct cancellation *c);

#define LOG_ID_TEXT_SIZE 128
/* The log_id that a GetItem request of ours asks for; "" where it asks for none that fits. */
MUST_USE enum decode_status dynamodb_read_asked(struct span request, char ret_log_id[static LOG_ID_TEXT_SIZE]);

/* Of the answers below, one with a member that only an error or another operation has is garbage; other members that
 * are unknown pass. */

/* GetItem. *ret_hash is "" where the item has no request_hash of type S that fits. An item with another log_id is
 * garbage. */
MUST_USE enum decode_status dynamodb_read_item(struct span body, const char *log_id, bool *ret_found,
                                               char ret_hash[static REQUEST_HASH_TEXT_SIZE]);
/* TransactWriteItems, where it was committed; nothing of it is needed but that it is one. */
MUST_USE enum decode_status dynamodb_read_committed(struct span body);
/* PutItem likewise. */
MUST_USE enum decode_status dynamodb_read_put(struct span body);
/* DescribeTable. The name of the shape is the caller's to fill. */
MUST_USE enum decode_status dynamodb_read_table(struct span body, struct table_shape *ret_shape, bool *ret_active);
