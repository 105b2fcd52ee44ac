/* What SQS and DynamoDB answer. */
#pragma once

#include "buf.h"
#include "sink_body.h"
#include "sink_http.h"
#include "sink_options.h"
#include "sink_relay.h"
#include "sink_stock.h"

#include <stdint.h>

enum sink_operation {
    SINK_RECEIVE,
    SINK_DELETE,
    SINK_CHANGE_VISIBILITY,
    SINK_SEND,
    SINK_GET_QUEUE_URL,
    SINK_GET_QUEUE_ATTRIBUTES,
    SINK_TRANSACT,
    SINK_GET_ITEM,
    SINK_BATCH_GET_ITEM,
    SINK_PUT_ITEM,
    SINK_DESCRIBE_TABLE,
    SINK_DESCRIBE_TTL,
    SINK_TRIAL, /* a transaction of no message */
    SINK_OPERATIONS,
    SINK_COUNTS = SINK_OPERATIONS, /* GET /counts */
    SINK_UNKNOWN
};

struct sink_service {
    const struct sink_options *options;
    unsigned port;
    struct bodies bodies;
    struct stock stock;
    struct relay relay;
    int64_t sent_at; /* of every message: when the sink started, in milliseconds since 1970 */
    uint64_t connections, tls_connections; /* since the start */
    struct {
        uint64_t requests, bytes;
        size_t largest; /* request kept as a sample */
    } operations[SINK_OPERATIONS];
    uint64_t slow_turn;
};

/* False: no memory. */
bool sink_service_init(struct sink_service *s, const struct sink_options *options);
void sink_service_free(struct sink_service *s);
const char *sink_operation_name(enum sink_operation operation);
enum sink_operation sink_operation_of(const struct sink_request *request);
/* Counts a request as it comes. Microseconds until it is to be answered. */
int64_t sink_service_arrived(struct sink_service *s, enum sink_operation operation, const struct sink_request *request);
/* Answers, and does what was asked; arrived: when the request came. False: a receive that finds nothing yet, to be
 * asked again after *ret_wait. */
bool sink_service_answer(struct sink_service *s, enum sink_operation operation, const struct sink_request *request,
                         int64_t arrived, struct buf *out, struct span *ret_answer, int64_t *ret_wait);

/* The answers' bodies; of SQS and of DynamoDB. */
bool sink_sqs_answer(struct sink_service *s, enum sink_operation operation, struct span body, int64_t arrived,
                     struct buf *out, int64_t *ret_wait);
/* Returns its status. */
int sink_dynamodb_answer(struct sink_service *s, enum sink_operation operation, struct span body, int64_t arrived,
                         struct buf *out);
/* Whether a transaction is the one that `run` tries before its first receive: it can't hold, and is none of a
 * message's. */
bool sink_dynamodb_is_trial(struct span body);
/* All that was counted, as one JSON object. */
void sink_report(const struct sink_service *s, struct buf *out);
