/* Receives messages: as many long polls at once as the rate needs, and none that could break a bound. It is asked with
 * a budget, and reports batches. */
#pragma once

#include "discovery.h"
#include "platform.h"
#include "receive_attempts.h"
#include "receive_budget.h"
#include "receive_size.h"
#include "trouble.h"

#include <sys/queue.h>

struct receive;

struct receiver_host {
    /* Messages were received; they are the host's. */
    void (*received)(void *ctx, struct sqs_message **messages, size_t count, int64_t received_at);
    /* More may be asked for now, or a receive has ended. */
    void (*changed)(void *ctx);
    void *ctx;
};

/* How many receives are out, and when the next may be. */
struct receiver {
    const struct platform *platform;
    const struct discovery_facts *facts;
    struct receiver_host host;
    size_t bytes_most; /* of bodies that may be in flight and on their way */
    bool until_empty; /* its long polls are short */
    bool fifo;
    bool closed; /* nothing more is asked for */
    LIST_HEAD(, receive) receives;
    unsigned count;
    unsigned target; /* as many as the rate needs */
    unsigned reserved_messages;
    size_t reserved_bytes;
    struct receive_size size;
    struct trouble trouble;
    unsigned failures; /* in a row */
    bool pauses; /* after them: not after the first, where it may have been one message's */
    bool told; /* that receiving fails */
    int64_t told_until; /* monotonic: of a single failure nothing more is told before */
    struct timer timer; /* after a failure, or to not_before */
    struct timer late_timer; /* when a receive is late */
    int64_t none_late_before; /* monotonic: of the receives that are out none is late before; 0: look */
    int64_t spare_until; /* monotonic: one was late not long ago */
    int64_t not_before; /* monotonic: no receive before */
    unsigned empty_in_a_row; /* answers */
    struct receive_attempts attempts; /* FIFO */
    bool last_was_empty; /* the last answer held no message, after a wait of at least a second */
};

/* What a turn came to. */
enum receiver_turn {
    RECEIVER_HAS_ENOUGH,
    RECEIVER_TAKES_ONE_MORE, /* the one message that tells is asked for */
    RECEIVER_LACKS_ROOM /* the budget allows no more */
};

void receiver_init(struct receiver *r, const struct platform *platform, const struct discovery_facts *facts,
                   bool until_empty, size_t bytes_most, const struct receiver_host *host);
/* Asks for messages as far as the budget goes. */
enum receiver_turn receiver_turn(struct receiver *r, const struct receive_budget *budget);
/* Whether a receive is open that was asked for before then (monotonic). */
bool receiver_asked_before(const struct receiver *r, int64_t then);
/* Asks for nothing more; what is open goes on. */
void receiver_close(struct receiver *r);
/* Ends all receives. */
void receiver_stop(struct receiver *r);
