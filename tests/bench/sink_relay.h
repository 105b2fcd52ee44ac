/* What makes of the sink a queue and an audit table for one backfill: what is sent to the queue is received from it,
 * and the audit records that were written are found. A message is known by the number in its record's id. */
#pragma once

#include "sink_body.h"
#include "sink_tokens.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_message {
    char *raw; /* the body as JSON has it; NULL: it isn't there */
    size_t len;
    char md5[BODY_MD5_SIZE];
};

struct relay {
    struct relay_message *messages; /* by their numbers; NULL: the sink makes its own */
    uint64_t count; /* of messages that there may be */
    uint64_t sent, sent_again;
    struct token_set records; /* log_ids */
};

/* count 0: no relay. False: no memory. */
bool relay_init(struct relay *r, uint64_t count);
void relay_free(struct relay *r);
/* Keeps a message that was sent. *ret_new: it wasn't there, and never was. False: it has no number of ours, or there is
 * no memory. */
bool relay_send(struct relay *r, uint64_t number, struct span raw, const char md5[static BODY_MD5_SIZE], bool *ret_new);
/* Its body, as the contents of a JSON string. False: it isn't there. */
bool relay_append(const struct relay *r, uint64_t number, struct buf *out, char ret_md5[static BODY_MD5_SIZE]);
void relay_delete(struct relay *r, uint64_t number);
/* Appends the answer to a BatchGetItem. */
void relay_look_up(const struct relay *r, struct span request, struct buf *out);
