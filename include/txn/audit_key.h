/* What audit records are found by. Frozen: it outlives upgrades. */
#pragma once

#include "compiler.h"
#include "digest.h"
#include "span.h"

#include <stdbool.h>

#define LOG_ID_SIZE (SHA256_HEX_SIZE + 1)
/* Appended to the log_id of a success, it makes the log_id of the key's last failure. */
#define AUDIT_FAILURE_SUFFIX "#failure"

/* The log_id of the success of an idempotency key: hex SHA-256 of the table's name (table_identity()), NUL, the key.
 * False: the library failed. */
MUST_USE bool audit_log_id(struct digest *digest, const char *table, struct span key, char ret_id[static LOG_ID_SIZE]);
