#include "sqs.h"

#include "client.h"
#include "clock.h"
#include "decode_result.h"
#include "error_body.h"
#include "sqs_request.h"
#include "sqs_response.h"

#include <assert.h>
#include <stdlib.h>

/* SQS takes at most 1 MiB of text in a batch. In JSON, quotes and backslashes take twice as much room, control
 * characters up to six times. */
#define REQUEST_MAX ((size_t)8 * 1024 * 1024)
/* For all answers except those of a receive: a few hundred bytes for each entry; an access policy of 20 KiB among a
 * queue's attributes. */
#define RESPONSE_MAX ((size_t)256 * 1024)

/* An answer that is slow but moves isn't given up at once; but nothing may last for ever. A receive gets longer: its
 * caller knows how long the messages are hidden. */
#define ATTEMPT_SILENCE (10 * MICROSECONDS)
#define ATTEMPT_TIMEOUT (60 * MICROSECONDS)
#define RECEIVE_TIMEOUT (600 * MICROSECONDS)

struct sqs {
    struct aws_client *client;
    struct digest *digest;
};

/* One call in flight: fixed after its start, except what the answer brings. */
struct operation {
    struct sqs *sqs;
    struct buf request;
    size_t count; /* of a batch; for a receive, the maximum of messages */
    bool sends;
    struct sqs_sent sent; /* for a send: the bodies may be gone when the answer comes */
    void *user;
    union {
        sqs_received *received;
        sqs_batch_done *batch;
        sqs_attributes_done *attributes;
        sqs_url_done *url;
    } done;
    enum { NO_ANSWER, MESSAGES, BATCH, ATTRIBUTES, URL } answered; /* which member of answer is set */
    union {
        struct sqs_messages messages;
        struct sqs_entry_result entries[SQS_BATCH_MAX];
        struct sqs_queue_attributes attributes;
        char url[SQS_URL_SIZE];
    } answer;
};

static struct operation *operation_new(struct sqs *sqs, size_t count, void *user) {
    struct operation *o = calloc(1, sizeof *o);
    if (o) {
        o->sqs = sqs;
        o->count = count;
        o->user = user;
        buf_init(&o->request, REQUEST_MAX);
    }
    return o;
}

static void forget_answer(struct operation *o) {
    if (o->answered == MESSAGES) {
        sqs_messages_free(&o->answer.messages);
    }
    o->answered = NO_ANSWER;
}

static void release(void *user) {
    struct operation *o = user;
    if (!o) {
        return;
    }
    forget_answer(o);
    buf_free(&o->request);
    free(o);
}

/* Starts o. wrote: whether its request could be written. Takes o over. */
static struct call *start(struct operation *o, bool wrote, struct aws_operation *operation,
                          const struct call_options *options, aws_call_done *done) {
    operation->attempt_timeout = operation->attempt_timeout ? operation->attempt_timeout : ATTEMPT_TIMEOUT;
    operation->attempt_silence = operation->attempt_silence ? operation->attempt_silence : ATTEMPT_SILENCE;
    operation->body = buf_span(&o->request);
    operation->forgets_body = true;
    operation->release = release;
    struct call *call = wrote ? aws_call(o->sqs->client, operation, options, done, o) : NULL;
    if (!call) {
        release(o);
    }
    return call;
}

static void decode_receive(void *user, struct span body, struct call_result *result) {
    struct operation *o = user;
    forget_answer(o);
    if (result->class != CALL_OK) {
        return;
    }
    enum decode_status status = sqs_read_messages(body, o->count, o->sqs->digest, &o->answer.messages);
    o->answered = status == DECODE_FINE ? MESSAGES : NO_ANSWER;
    decode_result(status, "it has no Messages, and isn't empty", result);
    if (o->answered == MESSAGES && o->answer.messages.corrupt > 0) {
        error_copy_text(span_cstr(o->answer.messages.spoilt), result->message, sizeof result->message);
    }
}

static void receive_done(void *user, const struct call_result *result, struct span body) {
    (void)body;
    struct operation *o = user;
    struct sqs_messages messages = {.count = 0};
    if (o->answered == MESSAGES) {
        messages = o->answer.messages;
        o->answered = NO_ANSWER; /* now they are the receiver's */
    }
    o->done.received(o->user, result, messages.message, messages.count, messages.corrupt);
}

static struct call *receive(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user) {
    struct operation *o = operation_new(ctx, request->max_messages, user);
    if (!o) {
        return NULL;
    }
    o->done.received = done;
    struct aws_operation operation = {.name = "ReceiveMessage",
                                      .max_response = request->max_response,
                                      .attempt_timeout = RECEIVE_TIMEOUT,
                                      .attempt_silence = request->silence,
                                      .attempt_wait = request->wait_seconds * MICROSECONDS,
                                      .decode = decode_receive};
    return start(o, sqs_write_receive(request, &o->request), &operation, options, receive_done);
}

static void decode_batch(void *user, struct span body, struct call_result *result) {
    struct operation *o = user;
    forget_answer(o);
    if (result->class != CALL_OK) {
        return;
    }
    struct sqs_entry_result *entries = o->answer.entries;
    enum decode_status status =
        o->sends ? sqs_read_sent(body, o->count, &o->sent, entries) : sqs_read_batch(body, o->count, entries);
    o->answered = status == DECODE_FINE ? BATCH : NO_ANSWER;
    decode_result(status, "it names no entry of the batch", result);
}

static void batch_done(void *user, const struct call_result *result, struct span body) {
    (void)body;
    struct operation *o = user;
    buf_free(&o->request); /* with dead letters it is large, and done may need memory for what it does next */
    o->done.batch(o->user, result, o->answered == BATCH ? o->answer.entries : NULL,
                  o->answered == BATCH ? o->count : 0);
}

static struct operation *batch_new(struct sqs *sqs, size_t count, sqs_batch_done *done, void *user) {
    assert(count >= 1 && count <= SQS_BATCH_MAX);
    struct operation *o = operation_new(sqs, count, user);
    if (o) {
        o->done.batch = done;
    }
    return o;
}

static struct call *start_batch(struct operation *o, bool wrote, const char *name, const struct call_options *options) {
    struct aws_operation operation = {.name = name, .max_response = RESPONSE_MAX, .decode = decode_batch};
    return start(o, wrote, &operation, options, batch_done);
}

static struct call *delete_batch(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    struct operation *o = batch_new(ctx, count, done, user);
    if (!o) {
        return NULL;
    }
    bool wrote = sqs_write_delete(queue_url, receipt_handles, count, &o->request);
    return start_batch(o, wrote, "DeleteMessageBatch", options);
}

static struct call *change_visibility_batch(void *ctx, const char *queue_url,
                                            const struct sqs_visibility_entry *entries, size_t count,
                                            const struct call_options *options, sqs_batch_done *done, void *user) {
    struct operation *o = batch_new(ctx, count, done, user);
    if (!o) {
        return NULL;
    }
    bool wrote = sqs_write_change_visibility(queue_url, entries, count, &o->request);
    return start_batch(o, wrote, "ChangeMessageVisibilityBatch", options);
}

static struct call *send_batch(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user) {
    struct operation *o = batch_new(ctx, count, done, user);
    if (!o) {
        return NULL;
    }
    o->sends = true;
    bool wrote = sqs_hash_sent(o->sqs->digest, entries, count, &o->sent) &&
                 sqs_write_send(queue_url, entries, count, &o->request);
    return start_batch(o, wrote, "SendMessageBatch", options);
}

static void decode_attributes(void *user, struct span body, struct call_result *result) {
    struct operation *o = user;
    forget_answer(o);
    if (result->class != CALL_OK) {
        return;
    }
    enum decode_status status = sqs_read_attributes(body, &o->answer.attributes);
    o->answered = status == DECODE_FINE ? ATTRIBUTES : NO_ANSWER;
    decode_result(status, "it has no Attributes of a queue", result);
}

static void attributes_done(void *user, const struct call_result *result, struct span body) {
    (void)body;
    struct operation *o = user;
    if (o->answered == ATTRIBUTES) {
        o->answer.attributes.told_at = result->date;
    }
    o->done.attributes(o->user, result, o->answered == ATTRIBUTES ? &o->answer.attributes : NULL);
}

static struct call *get_attributes(void *ctx, const char *queue_url, const struct call_options *options,
                                   sqs_attributes_done *done, void *user) {
    struct operation *o = operation_new(ctx, 0, user);
    if (!o) {
        return NULL;
    }
    o->done.attributes = done;
    struct aws_operation operation = {
        .name = "GetQueueAttributes", .wants_date = true, .max_response = RESPONSE_MAX, .decode = decode_attributes};
    return start(o, sqs_write_get_attributes(queue_url, &o->request), &operation, options, attributes_done);
}

static void decode_url(void *user, struct span body, struct call_result *result) {
    struct operation *o = user;
    forget_answer(o);
    if (result->class != CALL_OK) {
        return;
    }
    enum decode_status status = sqs_read_queue_url(body, o->answer.url);
    o->answered = status == DECODE_FINE ? URL : NO_ANSWER;
    decode_result(status, "it has no QueueUrl", result);
}

static void url_done(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct operation *o = user;
    o->done.url(o->user, result, o->answered == URL ? o->answer.url : NULL);
}

static struct call *get_queue_url(void *ctx, const char *queue_name, const char *owner_account,
                                  const struct call_options *options, sqs_url_done *done, void *user) {
    struct operation *o = operation_new(ctx, 0, user);
    if (!o) {
        return NULL;
    }
    o->done.url = done;
    struct aws_operation operation = {.name = "GetQueueUrl", .max_response = RESPONSE_MAX, .decode = decode_url};
    return start(o, sqs_write_get_queue_url(queue_name, owner_account, &o->request), &operation, options, url_done);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    call_cancel(call);
}

static bool is_answered(void *ctx, const struct call *call) {
    (void)ctx;
    return call_is_answered(call);
}

struct sqs *sqs_new(struct aws_client *client, struct digest *digest) {
    struct sqs *sqs = malloc(sizeof *sqs);
    if (sqs) {
        *sqs = (struct sqs){client, digest};
    }
    return sqs;
}

void sqs_free(struct sqs *sqs) {
    free(sqs);
}

struct sqs_api sqs_api(struct sqs *sqs) {
    return (struct sqs_api){sqs,           receive, delete_batch, change_visibility_batch, send_batch, get_attributes,
                            get_queue_url, cancel,  is_answered};
}
