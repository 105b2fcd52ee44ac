/* The body of an error answer in the two forms that AWS's services use: JSON ({"__type": …, "message": …}) and XML
 * (<Error><Code>…</Code>…). Pure. */
#pragma once

#include "call.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Sets code, message and request_id to what the body says; "" for what it doesn't say, and for all if it has neither
 * form. */
void error_body_read(struct span body, struct call_result *result);
/* An exception's name without its namespace: "com.amazonaws.sqs#QueueDoesNotExist:http://…" is QueueDoesNotExist.
 * False: it doesn't look like a name. */
bool error_set_code(struct span type, char ret_code[static CALL_CODE_SIZE]);
/* Copies at most size - 1 bytes; never cuts inside a character; turns control characters into spaces. */
void error_copy_text(struct span text, char *ret_text, size_t size);
