/* How many messages may be asked for. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What may be received now, as far as the database is concerned. */
enum receiving {
    RECEIVE_FREELY,
    RECEIVE_WHAT_FITS, /* freely, and fewer than a whole batch as well: all that is in flight fails as if by its own
                          fault, and makes no more room */
    RECEIVE_ONE, /* one message, and only where none is in flight: DynamoDB has not answered yet */
    RECEIVE_ONE_MORE, /* all that is in flight fails as if by its own fault: one more tells whether it is so */
    RECEIVE_NOTHING
};

/* What there is room for, as the worker sees it. */
struct receive_budget {
    enum receiving receiving;
    unsigned in_flight;
    unsigned untried; /* of these, those that have no verdict: what waits for the DLQ, or to be confirmed, says nothing
                         of DynamoDB */
    bool some_wait; /* behind their group's first */
    unsigned most; /* messages that may be in flight: MAX_IN_FLIGHT */
    unsigned paced; /* …and those that the rate has work for */
    size_t bytes; /* of bodies in flight */
};

/* What is asked for already. */
struct receive_reserve {
    unsigned receives, late; /* late: whose answer may never come */
    unsigned messages;
    size_t bytes;
    size_t bytes_each; /* expected of one more message */
};

/* A whole batch, where so many may be in flight. */
unsigned receive_whole_batch(unsigned paced);
/* How many messages the next receive may ask for, of a batch of so many; 0: none now. */
unsigned receive_allowance(const struct receive_budget *b, const struct receive_reserve *r, unsigned batch,
                           size_t bytes_most);
/* How many messages may be in flight at once, of `most`, at a rate of so many a second (0: unknown). */
unsigned receive_paced(unsigned most, unsigned rate);
