/* Readers of SQS's answers. Pure; they take any bytes. */
#pragma once

#include "decode.h"
#include "compiler.h"
#include "digest.h"
#include "span.h"
#include "sqs.h"

#include <stddef.h>

struct sqs_messages {
    struct sqs_message *message[SQS_BATCH_MAX]; /* owned */
    size_t count;
    size_t corrupt;
};
/* ReceiveMessage: an object with Messages, or an empty one; any other is garbage. At most max messages (up to
 * SQS_BATCH_MAX) are taken. One that is no message (its MD5 is wrong, an id, handle or body is missing) or is beyond
 * max is left out, and counted as corrupt. Where the digest has no MD5, bodies are taken as they are. */
MUST_USE enum decode_status sqs_read_messages(struct span body, size_t max, struct digest *digest,
                                              struct sqs_messages *ret_messages);
void sqs_messages_free(struct sqs_messages *messages);

/* The answer of a batch whose entries have the ids "0", "1", …. One that names none of them is garbage: SQS names each.
 * All count entries are written: one that isn't named is not ok and has no code (what is said of the others stands:
 * were they sent again, a DLQ would have them twice); one that is named more than once is ok only where all say so. */
MUST_USE enum decode_status sqs_read_batch(struct span body, size_t count, struct sqs_entry_result *ret_entries);

/* What the answer has to say of each message that was sent: its body's MD5 in lower-case hex; "" where the library has
 * no MD5. */
struct sqs_sent {
    char md5[SQS_BATCH_MAX][MD5_HEX_SIZE + 1];
    char attributes_md5[SQS_BATCH_MAX]
                       [MD5_HEX_SIZE + 1]; /* likewise of its message attributes; "" also where it has none */
};
/* False: the library failed. */
MUST_USE bool sqs_hash_sent(struct digest *digest, const struct sqs_send_entry *entries, size_t count,
                            struct sqs_sent *ret_sent);
/* The same of a SendMessageBatch. An entry is ok only where a MessageId and the MD5 of the body that was sent come with
 * it, and no other MD5 of its attributes than theirs; one that is called successful without that counts as not named.
 */
MUST_USE enum decode_status sqs_read_sent(struct span body, size_t count, const struct sqs_sent *sent,
                                          struct sqs_entry_result *ret_entries);

/* GetQueueAttributes. What isn't told has SQS's default, or is 0 or "" as sqs.h says; but for the counts:
 * SQS_COUNT_UNKNOWN where they aren't told. Without any of the attributes that every queue has it is garbage. */
MUST_USE enum decode_status sqs_read_attributes(struct span body, struct sqs_queue_attributes *ret_attributes);

#define SQS_URL_SIZE 1024
/* GetQueueUrl. */
MUST_USE enum decode_status sqs_read_queue_url(struct span body, char ret_url[static SQS_URL_SIZE]);
