/* The ids of receive attempts on a FIFO queue. A receive whose answer was lost may have hidden its messages, and with
 * them their groups. A receive with the same id gets the same messages again, while they are hidden and for at most
 * five minutes. Pure. */
#pragma once

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVE_ATTEMPTS_MAX 32

struct receive_attempt {
    char id[33]; /* "": a standard queue has none */
    unsigned max_messages;
    int64_t since; /* monotonic: when it was first made */
    unsigned cuts; /* answers to it that were cut, perhaps because of a message in them */
    int64_t not_before; /* monotonic: it isn't repeated before */
};

struct receive_attempts {
    struct receive_attempt lost[RECEIVE_ATTEMPTS_MAX]; /* oldest first */
    size_t count;
};

/* Makes a new attempt, with a random id. */
struct receive_attempt receive_attempt_new(struct random *random, unsigned max_messages, int64_t now);
/* Notes that an attempt's answer was lost; where too many were, the oldest is given up. cut: the answer was cut,
 * perhaps because of a message in it. Then it is repeated ever later, so that others have their turn, and after several
 * cuts it is given up: its messages come again once they are visible, fewer at once. */
void receive_attempts_lost(struct receive_attempts *attempts, const struct receive_attempt *attempt, bool cut,
                           int64_t now);
/* Takes the oldest attempt that can still be repeated and asks for at most max_messages. hidden: for how many
 * microseconds a receive hides its messages. False: there is none. */
bool receive_attempts_repeat(struct receive_attempts *attempts, unsigned max_messages, int64_t hidden, int64_t now,
                             struct receive_attempt *ret_attempt);
