/* Readers of SQS's answers. Pure; they take any bytes. */
#pragma once

#include "decode.h"
#include "compiler.h"
#include "digest.h"
#include "span.h"
#include "sqs.h"

#include <stddef.h>

#define SQS_SPOILT_SIZE 192

struct sqs_messages {
    struct sqs_message *message[SQS_BATCH_MAX]; /* owned */
    size_t count;
    size_t corrupt;
    char spoilt[SQS_SPOILT_SIZE]; /* the first of these: its MessageId, and what is wrong with it */
};
/* ReceiveMessage: an object with Messages, or an empty one; any other is garbage. At most max messages (up to
 * SQS_BATCH_MAX) are taken. A message is left out, and counted as corrupt, if its MD5 is wrong, its id, handle or body
 * is missing, it is beyond max, or (on a FIFO queue) one of its group was left out before. If the digest has no MD5,
 * bodies aren't checked. */
MUST_USE enum decode_status sqs_read_messages(struct span body, size_t max, struct digest *digest,
                                              struct sqs_messages *ret_messages);
void sqs_messages_free(struct sqs_messages *messages);

/* The answer to a batch whose entries have the ids "0", "1", …. If it names none of them, it is garbage: SQS names
 * each. All count entries are written. One that isn't named is not ok and has no code; what is said about the others
 * still counts, since sending these again would put them into a DLQ twice. One that is named more than once is ok only
 * if all say so. */
MUST_USE enum decode_status sqs_read_batch(struct span body, size_t count, struct sqs_entry_result *ret_entries);

/* What the answer must say about each message that was sent: its body's MD5 in lower-case hex; "" if the library has no
 * MD5. */
struct sqs_sent {
    char md5[SQS_BATCH_MAX][MD5_HEX_SIZE + 1];
    char attributes_md5[SQS_BATCH_MAX]
                       [MD5_HEX_SIZE + 1]; /* the same for its message attributes; "" also if it has none */
};
/* False: the library failed. */
MUST_USE bool sqs_hash_sent(struct digest *digest, const struct sqs_send_entry *entries, size_t count,
                            struct sqs_sent *ret_sent);
/* The same for a SendMessageBatch. An entry is ok only if it comes with a MessageId and the MD5 of the body that was
 * sent, and with no wrong MD5 of its attributes. One that is called successful without that is not ok and has no
 * code. */
MUST_USE enum decode_status sqs_read_sent(struct span body, size_t count, const struct sqs_sent *sent,
                                          struct sqs_entry_result *ret_entries);

/* GetQueueAttributes. What isn't told gets SQS's default, or 0 or "" as sqs.h says; the counts get SQS_COUNT_UNKNOWN.
 * An answer without any of the attributes that every queue has is garbage. */
MUST_USE enum decode_status sqs_read_attributes(struct span body, struct sqs_queue_attributes *ret_attributes);

#define SQS_URL_SIZE 1024
/* GetQueueUrl. */
MUST_USE enum decode_status sqs_read_queue_url(struct span body, char ret_url[static SQS_URL_SIZE]);
