/* A record of an event as the message of a queue that it stands for. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "lambda_event.h"
#include "sqs.h"

/* The message of the record with this number, which is its receipt handle. group_by_id: it is the only one of a group
 * of its own, where the record has none. scratch is used and emptied. NULL: no memory. */
MUST_USE struct sqs_message *event_message_new(const struct lambda_event *event, const struct lambda_record *record,
                                               size_t number, bool group_by_id, struct buf *scratch);
/* The name of what it came from: a queue's, a topic's, an event source. Cut where it is too long. */
void event_message_origin(const struct lambda_event *event, const struct lambda_record *record, char *ret_name,
                          size_t size);
