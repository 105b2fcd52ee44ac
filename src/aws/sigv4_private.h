/* What the stages (sigv4.c), the canonical forms (sigv4_canonical.c) and the fast way (sigv4_signer.c) of signing
 * share. */
#pragma once

#include "sigv4.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_TERMINATOR "aws4_request"
#define SIGV4_DAY_SIZE 8 /* YYYYMMDD */

/* Append the canonical form of a path, a query, and headers (with the list of their names). */
bool sigv4_append_path(struct span path, bool keep, struct buf *out);
bool sigv4_append_query(struct span query, struct buf *out);
bool sigv4_append_headers(const struct sigv4_header *headers, size_t count, struct buf *out,
                          struct buf *signed_headers);
/* Stage 2, from the hash of the canonical request. */
bool sigv4_append_string_to_sign(const struct sigv4_scope *scope, const char *date, const char *hash_hex,
                                 struct buf *out);
