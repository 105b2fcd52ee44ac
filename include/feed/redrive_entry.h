/* How a message of the DLQ is sent to the queue: as it is, its attributes included, and with its MessageId as its key
 * where nothing else in it is one, so that two sends of it have one effect. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "letter.h"
#include "message_attribute.h"
#include "sqs.h"

#include <stdbool.h>
#include <stddef.h>

struct redrive_entry {
    struct sqs_send_entry send; /* its texts are the message's, or stand here */
    struct message_attribute attributes[MESSAGE_ATTRIBUTES_MAX];
    struct buf body, envelope; /* where they aren't the message's own */
    size_t size; /* bytes that SQS counts it as */
    unsigned left_out; /* attributes of its own that there was no place for */
};

enum redrive_entry_status {
    REDRIVE_ENTRY_FINE,
    REDRIVE_ENTRY_TOO_LARGE, /* no form of it fits the queue and has one effect however often it is sent */
    REDRIVE_ENTRY_NO_MEMORY
};

/* letter is what was read of m; both must outlive the entry. queue is the name of the queue that it is sent to, limit
 * the most bytes that this queue takes. redrive_entry_free() where it is fine. */
MUST_USE enum redrive_entry_status redrive_entry_make(const struct sqs_message *m, const struct letter *letter,
                                                      const char *queue, bool fifo, size_t limit,
                                                      struct redrive_entry *ret_entry);
/* Takes a zeroed one too. */
void redrive_entry_free(struct redrive_entry *entry);
