/* Text that SQS takes as a body or an attribute: #x9, #xA, #xD, #x20-#xD7FF, #xE000-#xFFFD and #x10000-#x10FFFF, in
 * UTF-8 (Amazon SQS API Reference, SendMessage). */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>

/* Whether it is such text. */
bool sqs_text_is_valid(struct span text);
/* Appends text as a JSON string that SQS takes: what JSON must escape and what SQS refuses is escaped. A byte that
 * belongs to no UTF-8 sequence has no form in JSON, and becomes U+FFFD. */
bool sqs_text_append_json(struct span text, struct buf *out);
/* Appends JSON text, and escapes in it what SQS refuses. That can only stand in strings. */
bool sqs_text_append_escaped(struct span json, struct buf *out);
