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

/* How many receives may be open at once. A FIFO queue allows 300 a second from all its receivers together, unless it
 * has high throughput. */
static inline unsigned receiver_polls_max(const struct receiver *r) {
    return r->fifo ? 8 : 32;
}

/* For how many microseconds the messages of a receive are hidden. */
static inline int64_t receiver_hidden_for(const struct receiver *r) {
    return (int64_t)r->facts->visibility * MICROSECONDS;
}

/* Whether one message in the answer may have made the receive fail: a request was sent, and no answer of SQS's came
 * back. */
bool receiver_may_be_a_messages(const struct call_result *result);
/* A receive failed. */
void receiver_failed(struct receiver *r, const struct call_result *result, const struct receive_attempt *attempt);
/* A receive's answer held messages, none of which could be used. */
void receiver_spoilt(struct receiver *r, size_t corrupt, const struct call_result *result,
                     const struct receive_attempt *attempt);
/* A receive brought `count` messages; `corrupt` others could not be used. */
void receiver_succeeded(struct receiver *r, const struct receive *receive, const struct call_result *result,
                        size_t count, size_t corrupt);
