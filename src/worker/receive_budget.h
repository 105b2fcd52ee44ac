/* How many messages may be asked for. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What may be received now, as far as DynamoDB is concerned. */
enum receiving {
    RECEIVE_FREELY,
    RECEIVE_WHAT_FITS, /* freely, even less than a whole batch: every message in flight fails as if by its own fault, so
                          that no more room will come */
    RECEIVE_ONE, /* one message, and no other until it has a verdict: DynamoDB has not answered yet */
    RECEIVE_ONE_MORE, /* every message in flight fails as if by its own fault: one more is to tell whether that is so */
    RECEIVE_NOTHING
};

/* What there is room for, as the worker sees it. */
struct receive_budget {
    enum receiving receiving;
    unsigned in_flight;
    unsigned untried; /* of these, those without a verdict (not those that wait for the DLQ, or to be confirmed) */
    unsigned begun; /* of these, those whose transaction runs, or could if it were its turn */
    unsigned begun_most; /* how many of those are of use, what is on its way included; 0: any number */
    bool some_wait; /* some messages wait behind the first of their group */
    unsigned most; /* messages that may be in flight: MAX_IN_FLIGHT */
    unsigned paced; /* messages that may be in flight at the present rate, at most `most` */
    size_t bytes; /* of the bodies and attributes in flight */
};

/* What open receives have asked for. */
struct receive_reserve {
    unsigned receives, late; /* late: those of them whose answer may never come */
    unsigned messages;
    size_t bytes;
    size_t bytes_each; /* expected for one more message */
};

/* The messages of a whole batch, where `paced` may be in flight, and of the least that is worth a call. */
unsigned receive_whole_batch(unsigned paced);
unsigned receive_least_batch(unsigned paced);
/* How many messages the next receive may ask for, at most `batch`. 0: it has to wait. */
unsigned receive_allowance(const struct receive_budget *b, const struct receive_reserve *r, unsigned batch,
                           size_t bytes_most);
/* How many messages may be in flight, at most `most`, at this rate of transactions a second (0: unknown). */
unsigned receive_paced(unsigned most, unsigned rate);
