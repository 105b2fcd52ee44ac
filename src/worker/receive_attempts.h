/* The ids of receive attempts on a FIFO queue. A receive whose answer was lost may have hidden its messages, and with
 * them their groups; the same id gets the same messages once more, as long as they are hidden and for five minutes.
 * Pure. */
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
    unsigned cuts; /* answers to it that were cut, perhaps for what is in them */
    int64_t not_before; /* monotonic: it is repeated */
};

struct receive_attempts {
    struct receive_attempt lost[RECEIVE_ATTEMPTS_MAX]; /* oldest first */
    size_t count;
};

/* A new attempt. */
struct receive_attempt receive_attempt_new(struct random *random, unsigned max_messages, int64_t now);
/* Notes that an attempt's answer was lost. Of too many the oldest is given up. cut: perhaps for what is in it. Then
 * others have their turn before it is repeated, and after some times that is hopeless: its messages come anew when
 * they are visible, and fewer of them at once. */
void receive_attempts_lost(struct receive_attempts *attempts, const struct receive_attempt *attempt, bool cut,
                           int64_t now);
/* The oldest that can still be repeated and asks for no more than that many messages; the messages of a first attempt
 * are hidden for so long (microseconds) at least. False: there is none. */
bool receive_attempts_repeat(struct receive_attempts *attempts, unsigned max_messages, int64_t hidden, int64_t now,
                             struct receive_attempt *ret_attempt);
