/* What an invocation of the function brings. The kinds of events are told apart by their members, as AWS documents
 * them. Pure. Nothing is decoded or copied: tokens point into the event's text. */
#pragma once

#include "compiler.h"
#include "json_reader.h"
#include "message_attribute.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

enum lambda_event_kind {
    LAMBDA_DIRECT, /* an update message, or an unknown event: the reader of messages gets its bytes */
    LAMBDA_HTTP, /* API Gateway (REST, HTTP API), a function URL, a load balancer */
    LAMBDA_SQS,
    LAMBDA_SNS,
    LAMBDA_EVENTBRIDGE,
    LAMBDA_UNFIT /* Records that can't be used: see problem */
};

struct lambda_event {
    enum lambda_event_kind kind;
    struct span text;
    const char *problem; /* LAMBDA_UNFIT: a sentence */
    bool broken; /* the text isn't JSON; kind is what was known by the place where that shows */
    /* LAMBDA_HTTP. What isn't there is a zeroed token (its event is JSON_FAILED). */
    struct json_token body; /* JSON_STRING, JSON_NULL or not there; any other value is an error */
    bool is_base64;
    struct json_token key; /* the value of the header Idempotency-Key */
    /* LAMBDA_SQS, LAMBDA_SNS; record_count also LAMBDA_EVENTBRIDGE. */
    size_t records_at; /* the offset of the array's bracket */
    size_t record_count; /* 1 for LAMBDA_EVENTBRIDGE */
    /* LAMBDA_EVENTBRIDGE. */
    struct json_token id, source, time;
};

struct lambda_attribute {
    struct json_token name, type, text, base64;
};

/* One record of an event; for EventBridge, the event itself. */
struct lambda_record {
    struct json_token source; /* eventSource */
    struct json_token id; /* its id: messageId, SNS's MessageId, EventBridge's id */
    struct json_token origin; /* eventSourceARN, TopicArn, EventBridge's source */
    struct json_token body; /* LAMBDA_SQS */
    struct span whole; /* LAMBDA_SNS: the notification as it is; LAMBDA_EVENTBRIDGE: the event */
    struct json_token sent_at; /* milliseconds as text (SQS), or ISO 8601 */
    struct json_token receive_count, group_id, sequence_number, trace_header, error_envelope;
    struct lambda_attribute attributes[MESSAGE_ATTRIBUTES_MAX];
    size_t attribute_count;
};

/* Never fails: anything that isn't JSON is LAMBDA_DIRECT, too. But what is known to be of another kind by then remains
 * so: a queue, a topic or a bus takes an envelope for a success, and nobody would hear of the loss. text must outlive
 * the event. */
void lambda_event_read(struct span text, struct lambda_event *ret_event);

/* Goes through the records of an event that has some. */
struct lambda_records {
    const struct lambda_event *event;
    struct json_reader reader;
    size_t next;
};
void lambda_records_begin(struct lambda_records *records, const struct lambda_event *event);
/* False: there are no more. */
bool lambda_records_next(struct lambda_records *records, struct lambda_record *ret_record);
