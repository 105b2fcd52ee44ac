/* Between the files of the receiver. */
#pragma once

#include "receiver.h"

struct receive {
    LIST_ENTRY(receive) link;
    struct receiver *owner;
    struct call *call;
    struct receive_attempt attempt;
    size_t reserved_bytes;
    int64_t asked_at; /* monotonic */
    int64_t late_at; /* monotonic: when its answer is late */
};

/* Receives that may be out. A FIFO queue takes 300 a second from all its receivers together, unless it is one of high
 * throughput. */
static inline unsigned receiver_polls_max(const struct receiver *r) {
    return r->fifo ? 8 : 32;
}

/* How long what a receive brings is hidden. */
static inline int64_t receiver_hidden_for(const struct receiver *r) {
    return (int64_t)r->facts->visibility * MICROSECONDS;
}

/* Whether what failed may have been one message's: of several at once, or of none, something would come. */
bool receiver_may_be_a_messages(const struct call_result *result);
/* It failed. */
void receiver_failed(struct receiver *r, const struct call_result *result, const struct receive_attempt *attempt);
/* Nothing in its answer could be used. */
void receiver_spoilt(struct receiver *r, size_t corrupt, const struct receive_attempt *attempt);
/* It brought so many messages. */
void receiver_succeeded(struct receiver *r, const struct receive *receive, const struct call_result *result,
                        size_t count, size_t corrupt);
