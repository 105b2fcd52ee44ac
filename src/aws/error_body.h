/* The body of an error answer, in the forms that AWS's services have: JSON ({"__type": …, "message": …}) and XML
 * (<Error><Code>…</Code>…). Pure. */
#pragma once

#include "call.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Sets code and message, and request_id where the body tells it; "" where it doesn't, and all of them where it is
 * neither form. */
void error_body_read(struct span body, struct call_result *result);
/* An exception's name without its namespace: "com.amazonaws.sqs#QueueDoesNotExist:http://…" is QueueDoesNotExist.
 * False: nothing that looks like one. */
bool error_set_code(struct span type, char ret_code[static CALL_CODE_SIZE]);
/* Copies at most size - 1 bytes, cut where a character ends, control characters as spaces. */
void error_copy_text(struct span text, char *ret_text, size_t size);
