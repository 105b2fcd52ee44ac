/* Readers of DynamoDB's answers. Pure; they take any bytes. Items are skipped in place: they may be megabytes. */
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
/* The body of a TransactionCanceledException. Garbage if it has no reasons, more than our transactions have actions, or
 * none that is a failure. */
MUST_USE enum decode_status dynamodb_read_cancellation(struct span body, struct cancellation *ret_cancellation);
/* The class of all reasons together: a throttle counts before a conflict, and both before all others. */
enum call_class dynamodb_cancellation_class(const struct cancellation *c);

#define LOG_ID_TEXT_SIZE 128
/* The log_id that one of our GetItem requests asks for; "" if it has none that fits. */
MUST_USE enum decode_status dynamodb_read_asked(struct span request, char ret_log_id[static LOG_ID_TEXT_SIZE]);

/* For all answers below: a member that only an error or another operation has is garbage; other unknown members
 * pass. */

/* GetItem. *ret_hash is "" if the item has no request_hash of type S that fits. An item with another log_id is
 * garbage. */
MUST_USE enum decode_status dynamodb_read_item(struct span body, const char *log_id, bool *ret_found,
                                               char ret_hash[static REQUEST_HASH_TEXT_SIZE]);
/* TransactWriteItems that was committed. Nothing in it is needed; it is only checked. */
MUST_USE enum decode_status dynamodb_read_committed(struct span body);
/* The same for PutItem. */
MUST_USE enum decode_status dynamodb_read_put(struct span body);
/* DescribeTable. The caller fills in the shape's name. */
MUST_USE enum decode_status dynamodb_read_table(struct span body, struct table_shape *ret_shape, bool *ret_active);
