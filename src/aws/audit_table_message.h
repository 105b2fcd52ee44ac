/* The requests for audit records, and the readers of their answers. Pure; they take any bytes. */
#pragma once

#include "decode.h"
#include "audit_table.h"
#include "buf.h"
#include "compiler.h"
#include "span.h"

#define AUDIT_REQUEST_MAX ((size_t)64 * 1024) /* a hundred keys, and a table's ARN */

/* Append the request. False: out has failed. */
bool audit_write_looks(const char *table, const struct audit_look *looks, size_t count, bool with_times,
                       struct buf *out);
bool audit_write_describe_ttl(const char *table, struct buf *out);

/* BatchGetItem: says of each look what became of it. Garbage where an error's or another operation's member is there,
 * where there are no Responses, and where a record or a key that was left wasn't asked for; the looks may have been
 * written to then. */
MUST_USE enum decode_status audit_read_looks(struct span body, struct audit_look *looks, size_t count);
/* DescribeTimeToLive. */
MUST_USE enum decode_status audit_read_ttl(struct span body, enum audit_ttl *ret_ttl);
