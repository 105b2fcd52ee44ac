/* Receives messages, with as many long polls at once as the rate needs, and none that could break a bound. It is given
 * a budget, and reports what has come. */
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
    /* Messages were received; the host owns them. */
    void (*received)(void *ctx, struct sqs_message **messages, size_t count, int64_t received_at);
    /* More may be asked for now, or a receive has ended. */
    void (*changed)(void *ctx);
    void *ctx;
};

/* The open receives, and when the next one may begin. */
struct receiver {
    const struct platform *platform;
    const struct discovery_facts *facts;
    struct receiver_host host;
    size_t bytes_most; /* of the messages that may be in flight and on their way */
    bool until_empty; /* its long polls are short */
    bool fifo;
    bool closed; /* nothing more is asked for */
    LIST_HEAD(, receive) receives;
    unsigned count;
    unsigned target; /* how many receives the rate needs */
    unsigned reserved_messages;
    size_t reserved_bytes;
    struct receive_size size;
    struct trouble trouble;
    unsigned failures; /* in a row */
    bool pauses; /* it waits after these: not after the first, where that may be one message's fault */
    bool told; /* the log has heard that receiving fails */
    int64_t told_until; /* monotonic: before then the log hears of no further single failure */
    struct timer timer; /* for the wait after a failure, or until not_before */
    struct timer late_timer; /* for when a receive will be late */
    int64_t none_late_before; /* monotonic: no open receive is late before; 0: not known, look */
    int64_t spare_until; /* monotonic: until then one more receive may be open, as one was late lately */
    int64_t not_before; /* monotonic: no receive begins before */
    unsigned empty_in_a_row; /* empty answers; a failure begins at 0 again */
    struct receive_attempts attempts; /* FIFO */
    bool last_was_empty; /* the last answer held no message; each receive asks for a wait of at least a second */
};

/* How a turn ended. */
enum receiver_turn {
    RECEIVER_HAS_ENOUGH,
    RECEIVER_TAKES_ONE_MORE, /* it asks for the one message that is to tell */
    RECEIVER_LACKS_ROOM /* the budget allows no more */
};

void receiver_init(struct receiver *r, const struct platform *platform, const struct discovery_facts *facts,
                   bool until_empty, size_t bytes_most, const struct receiver_host *host);
/* Asks for as many messages as the budget allows. */
enum receiver_turn receiver_turn(struct receiver *r, const struct receive_budget *budget);
/* Whether a receive is open that began before then (monotonic). */
bool receiver_asked_before(const struct receiver *r, int64_t then);
/* Begins no more receives; open ones go on. */
void receiver_close(struct receiver *r);
/* Cancels all receives, and begins no more. */
void receiver_stop(struct receiver *r);
