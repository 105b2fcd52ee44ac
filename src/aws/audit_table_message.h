/* Writes the requests for audit records, and reads their answers. Pure; the readers take any bytes. */
#pragma once

#include "decode.h"
#include "audit_table.h"
#include "buf.h"
#include "compiler.h"
#include "span.h"

#define AUDIT_REQUEST_MAX ((size_t)64 * 1024) /* room for a hundred keys and a table's ARN */

/* Append the request. False: out has failed. */
bool audit_write_looks(const char *table, const struct audit_look *looks, size_t count, bool with_times,
                       struct buf *out);
bool audit_write_describe_ttl(const char *table, struct buf *out);

/* BatchGetItem: fills in the state of each look. Garbage: the answer has a member of an error or of another operation,
 * no Responses, or a record or unprocessed key that wasn't asked for. Even then, looks may have been written to. */
MUST_USE enum decode_status audit_read_looks(struct span body, struct audit_look *looks, size_t count);
/* DescribeTimeToLive. */
MUST_USE enum decode_status audit_read_ttl(struct span body, enum audit_ttl *ret_ttl);
