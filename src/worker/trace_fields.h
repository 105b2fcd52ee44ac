/* Log fields that tie a message's log lines to its sender's traces: W3C's traceparent (a message attribute of that
 * name) and AWSTraceHeader. */
#pragma once

#include "log.h"
#include "sqs.h"

#define TRACE_FIELDS 3

/* Writes the fields that the message has in valid form, and an end after them. Anything else in their place is the
 * sender's own affair, and isn't logged. */
void trace_fields(const struct sqs_message *m, struct log_field ret_fields[static TRACE_FIELDS]);
