/* A record's id as one string, by which an audit table can be indexed: a string as it is, a number as DynamoDB writes
 * it, bytes in base64; of a key of two attributes the JSON object of them, without blanks and sorted by name. */
#pragma once

#include "buf.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends it as a JSON string. record is the key in normal form, {"id":{"S":"x"}}. */
bool record_key_append_json(const struct table_shape *table, struct span record, struct buf *out);
/* Its bytes; key_size: what DynamoDB counts for the key, names included. */
size_t record_key_size(const struct table_shape *table, struct span record, size_t key_size);
