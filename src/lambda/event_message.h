/* Makes a record of an event into the message that a queue would have brought. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "lambda_event.h"
#include "sqs.h"

/* The message of this record; its receipt handle is number. group_by_id: a record without a group gets one of its own,
 * named by its id. scratch is emptied and used. NULL: no memory. */
MUST_USE struct sqs_message *event_message_new(const struct lambda_event *event, const struct lambda_record *record,
                                               size_t number, bool group_by_id, struct buf *scratch);
/* The name of the queue, topic or event source that the record came from. Cut if it is too long. */
void event_message_origin(const struct lambda_event *event, const struct lambda_record *record, char *ret_name,
                          size_t size);
