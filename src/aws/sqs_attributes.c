#include "sqs_response.h"

#include <limits.h>

static enum decode_status redrive_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    struct sqs_queue_attributes *a = user;
    if (json_token_is(name, "deadLetterTargetArn")) {
        return decode_text(value, a->dead_letter_target_arn, sizeof a->dead_letter_target_arn);
    }
    if (json_token_is(name, "maxReceiveCount")) {
        uint64_t number;
        if (!(value->event == JSON_NUMBER ? decode_number(value->raw, UINT_MAX, &number)
                                          : decode_number_text(value, UINT_MAX, &number))) {
            return DECODE_GARBAGE;
        }
        a->max_receive_count = (unsigned)number;
    }
    return decode_skip(r, value);
}

#define REDRIVE_POLICY_MAX 8192

static enum decode_status read_redrive_policy(const struct json_token *value, struct sqs_queue_attributes *a) {
    if (value->event != JSON_STRING) {
        return DECODE_GARBAGE;
    }
    if (!value->raw.len) {
        return DECODE_FINE;
    }
    struct buf text;
    buf_init(&text, REDRIVE_POLICY_MAX);
    enum decode_status status;
    if (json_unescape(value->raw, &text)) {
        status = decode_read(buf_span(&text), redrive_member, a);
    } else {
        status = text.failure == BUF_NO_MEMORY ? DECODE_NO_MEMORY : DECODE_GARBAGE;
    }
    buf_free(&text);
    /* SQS wouldn't have taken a policy without its queue or its count. */
    if (status == DECODE_FINE && (!a->dead_letter_target_arn[0] || !a->max_receive_count)) {
        return DECODE_GARBAGE;
    }
    return status;
}

struct attributes {
    bool found; /* an attribute was there that every queue has */
    uint64_t visibility_timeout, retention, max_message_size;
    struct sqs_queue_attributes result; /* its counts are SQS_COUNT_UNKNOWN until they are read */
};

/* Room is reserved for messages of this size. A size of 0 would reserve none, and one larger than all that may be held
 * would never get its room. SQS has queues of 1 KiB to 1 MiB, and may raise that limit; a size out of our range counts
 * as not told. */
#define BELIEVED_SIZE_MIN 1024
#define BELIEVED_SIZE_MAX ((size_t)64 * 1024 * 1024)

static enum decode_status read_max_message_size(struct json_reader *r, const struct json_token *value,
                                                struct attributes *a) {
    uint64_t size;
    bool believed = decode_number_text(value, BELIEVED_SIZE_MAX, &size) && size >= BELIEVED_SIZE_MIN;
    a->max_message_size = believed ? size : SQS_MESSAGE_SIZE_MAX;
    return decode_skip(r, value);
}

static enum decode_status attribute_member(void *user, struct json_reader *r, const struct json_token *name,
                                           const struct json_token *value) {
    struct attributes *a = user;
    struct {
        const char *name;
        uint64_t *at;
        uint64_t max;
    } const numbers[] = {{"VisibilityTimeout", &a->visibility_timeout, UINT64_MAX},
                         {"MessageRetentionPeriod", &a->retention, UINT_MAX},
                         {"ApproximateNumberOfMessages", &a->result.visible, INT64_MAX},
                         {"ApproximateNumberOfMessagesNotVisible", &a->result.in_flight, INT64_MAX},
                         {"ApproximateNumberOfMessagesDelayed", &a->result.delayed, INT64_MAX}};
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        if (json_token_is(name, numbers[i].name)) {
            a->found = true;
            return decode_number_text(value, numbers[i].max, numbers[i].at) ? DECODE_FINE : DECODE_GARBAGE;
        }
    }
    if (json_token_is(name, "MaximumMessageSize")) {
        return read_max_message_size(r, value, a);
    }
    if (json_token_is(name, "QueueArn")) {
        a->found = true;
        return decode_text(value, a->result.arn, sizeof a->result.arn);
    }
    if (json_token_is(name, "KmsMasterKeyId")) {
        decode_text_cut(value, a->result.kms_key, sizeof a->result.kms_key);
    }
    if (json_token_is(name, "RedrivePolicy")) {
        return read_redrive_policy(value, &a->result);
    }
    if (json_token_is(name, "FifoQueue")) {
        a->result.fifo = value->event == JSON_STRING && json_token_is(value, "true");
    }
    if (json_token_is(name, "FifoThroughputLimit")) {
        a->result.high_throughput = value->event == JSON_STRING && json_token_is(value, "perMessageGroupId");
    }
    return decode_skip(r, value);
}

static enum decode_status attributes_member(void *user, struct json_reader *r, const struct json_token *name,
                                            const struct json_token *value) {
    return json_token_is(name, "Attributes") ? decode_object(r, value, attribute_member, user) : decode_skip(r, value);
}

enum decode_status sqs_read_attributes(struct span body, struct sqs_queue_attributes *ret_attributes) {
    struct attributes a = {
        .visibility_timeout = SQS_DEFAULT_VISIBILITY,
        .max_message_size = SQS_MESSAGE_SIZE_MAX,
        .result = {.visible = SQS_COUNT_UNKNOWN, .in_flight = SQS_COUNT_UNKNOWN, .delayed = SQS_COUNT_UNKNOWN}};
    enum decode_status status = decode_read(body, attributes_member, &a);
    if (status != DECODE_FINE) {
        return status;
    }
    if (!a.found) {
        return DECODE_GARBAGE;
    }
    /* SQS hides no message for longer. A much larger number would overflow where seconds are converted. */
    a.result.visibility_timeout =
        a.visibility_timeout < SQS_VISIBILITY_MAX ? (unsigned)a.visibility_timeout : SQS_VISIBILITY_MAX;
    a.result.retention = (unsigned)a.retention;
    a.result.max_message_size = (size_t)a.max_message_size;
    *ret_attributes = a.result;
    return DECODE_FINE;
}
