/* What ties a message's log lines to the traces of whoever sent it: W3C's traceparent (a message attribute of that
 * name) and AWSTraceHeader. */
#pragma once

#include "log.h"
#include "sqs.h"

#define TRACE_FIELDS 3

/* Writes the fields of both, those that are there and have the form of such; then the end. Whatever else stands in
 * their places is the sender's own affair, and nothing for the log. */
void trace_fields(const struct sqs_message *m, struct log_field ret_fields[static TRACE_FIELDS]);
