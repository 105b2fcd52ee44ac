/* Amazon SQS as the worker sees it: a struct of functions, so that a simulation can stand in for the service.
 * Every call either returns NULL (no memory; nothing happens) or calls done exactly once, later, from the loop, unless
 * it is cancelled. API: Amazon SQS API Reference, AWS JSON 1.0 protocol. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "message_attribute.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SQS_BATCH_MAX 10
#define SQS_LONG_POLL_SECONDS 20
#define SQS_COUNT_UNKNOWN UINT64_MAX
#define SQS_VISIBILITY_MAX 43200 /* seconds, counted from the receive */
#define SQS_DEFAULT_VISIBILITY 30
#define SQS_MESSAGE_SIZE_MAX ((size_t)1024 * 1024) /* bytes of a message with its attributes, and of a batch */

/* A message as received. One block of memory, owned by who holds the pointer; sqs_message_free(). */
struct sqs_message {
    struct span message_id;
    struct span receipt_handle;
    struct span body; /* its MD5 agreed with MD5OfBody */
    struct span group_id; /* absent where it has none; on a standard queue one may have it too (fair queues) */
    struct span sequence_number; /* absent on a standard queue */
    struct span error_envelope; /* the message attribute ErrorEnvelope; absent where there is none */
    struct span trace_header; /* AWSTraceHeader; absent where there is none */
    const struct message_attribute *attributes; /* all others, by name */
    size_t attribute_count;
    size_t attribute_bytes; /* memory for error_envelope, trace_header and attributes */
    int64_t sent_at; /* wall microseconds; 0 where the service did not say */
    unsigned receive_count; /* ApproximateReceiveCount, at least 1 */
};
/* The memory that its body and attributes take. */
size_t sqs_message_bytes(const struct sqs_message *m);
/* A message of these parts, which are copied: for messages that don't come from a receive. NULL: no memory. */
MUST_USE struct sqs_message *sqs_message_new(const struct sqs_message *parts);
void sqs_message_free(struct sqs_message *m);
/* Keeps what is needed to give a message back, without its body. Takes m over. NULL: no memory. */
MUST_USE struct sqs_message *sqs_message_without_body(struct sqs_message *m);
/* The body's bytes. Whoever holds the message may write over them: it is all one block. */
static inline char *sqs_message_body(struct sqs_message *m) {
    return (char *)m + (m->body.data - (const char *)m);
}

struct sqs_receive_request {
    const char *queue_url;
    unsigned max_messages; /* 1-10 */
    unsigned wait_seconds; /* 0-20 */
    unsigned visibility_seconds;
    int64_t silence; /* microseconds without a byte, beyond the wait, that end it; 0: ten seconds */
    size_t max_response; /* bytes of the answer we can take */
    const char *attempt_id; /* ReceiveRequestAttemptId (FIFO); NULL: none */
};
/* messages: count pointers, at most max_messages; each message is now the receiver's to free, the array is the
 * caller's. Messages are left out, and counted in corrupt, if the body doesn't fit its MD5 or the id, handle or body is
 * missing; on a FIFO queue also later ones of that group. result->message then says which is the first, and what is
 * wrong with it. SQS delivers them again. */
typedef void sqs_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                          size_t corrupt);

/* One entry of a batch: what became of it. */
struct sqs_entry_result {
    bool ok;
    char code[CALL_CODE_SIZE]; /* "" where it is ok, and where the answer doesn't name it */
};
/* If result->class is CALL_OK, entries is as long as the batch; an entry that the answer doesn't name is not ok.
 * Otherwise entries is NULL. */
typedef void sqs_batch_done(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                            size_t count);

struct sqs_visibility_entry {
    struct span receipt_handle;
    unsigned visibility_seconds;
};

struct sqs_send_entry {
    struct span body;
    struct span group_id, deduplication_id; /* FIFO; a group on a standard queue too (fair queues); absent else */
    struct span error_type; /* message attributes; absent: not sent */
    struct span status_code;
    struct span error_envelope;
    const struct message_attribute *attributes; /* besides these, of other names */
    size_t attribute_count;
    struct span trace_header; /* AWSTraceHeader; absent: none */
    unsigned delay_seconds; /* 0: the queue's own */
};

struct sqs_queue_attributes {
    unsigned visibility_timeout; /* seconds, at most SQS_VISIBILITY_MAX; SQS's default where it isn't told */
    unsigned retention; /* seconds; 0: not told (some servers that stand in for SQS) */
    size_t max_message_size; /* bytes, 1 KiB to 64 MiB; SQS's limit if it isn't told, or out of that range */
    unsigned max_receive_count; /* of its redrive policy; 0: none */
    char dead_letter_target_arn[256]; /* of its redrive policy; "": none */
    char arn[256];
    char kms_key[256]; /* KmsMasterKeyId; "": none of KMS */
    bool fifo;
    bool high_throughput; /* FIFO: its limits are those of each group, not of the queue */
    int64_t told_at; /* wall microseconds by SQS's clock, to the second; 0: it didn't tell */
    uint64_t visible, in_flight, delayed; /* approximate counts; SQS_COUNT_UNKNOWN: not told */
};
/* Whether all three were told. If a missing one counted as 0, a queue that has messages would be called empty. */
static inline bool sqs_counts_told(const struct sqs_queue_attributes *a) {
    return a->visible != SQS_COUNT_UNKNOWN && a->in_flight != SQS_COUNT_UNKNOWN && a->delayed != SQS_COUNT_UNKNOWN;
}
typedef void sqs_attributes_done(void *user, const struct call_result *result,
                                 const struct sqs_queue_attributes *attributes);
typedef void sqs_url_done(void *user, const struct call_result *result, const char *queue_url);

/* Arguments are copied (or serialised) before the call returns. */
struct sqs_api {
    void *ctx;
    struct call *(*receive)(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user);
    struct call *(*delete_batch)(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user);
    struct call *(*change_visibility_batch)(void *ctx, const char *queue_url,
                                            const struct sqs_visibility_entry *entries, size_t count,
                                            const struct call_options *options, sqs_batch_done *done, void *user);
    struct call *(*send_batch)(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user);
    struct call *(*get_attributes)(void *ctx, const char *queue_url, const struct call_options *options,
                                   sqs_attributes_done *done, void *user);
    /* owner_account: "" for our own. */
    struct call *(*get_queue_url)(void *ctx, const char *queue_name, const char *owner_account,
                                  const struct call_options *options, sqs_url_done *done, void *user);
    void (*cancel)(void *ctx, struct call *call);
    /* Whether the answer to a call in flight has begun to come. NULL: it can't be told. */
    bool (*is_answered)(void *ctx, const struct call *call);
};

/* The api over signed calls. */
struct sqs;
struct aws_client;
struct digest;

/* Both are borrowed, and must outlive it. NULL: no memory. */
MUST_USE struct sqs *sqs_new(struct aws_client *client, struct digest *digest);
/* No call made through its api may be in flight. NULL is fine. */
void sqs_free(struct sqs *sqs);
struct sqs_api sqs_api(struct sqs *sqs);
