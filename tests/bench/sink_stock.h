/* The messages of the queue: where each is, what was done with it, how long it took. */
#pragma once

#include "sink_histogram.h"
#include "sink_options.h"
#include "sink_tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message_state {
    int64_t received_at;
    uint16_t receives;
    uint16_t applied;
    uint16_t dead; /* how often it was sent to the DLQ */
    enum message_place { MESSAGE_VISIBLE, MESSAGE_IN_FLIGHT, MESSAGE_DELETED } place;
};

/* Updates of one record, or of some, as they were answered. */
struct stock_pace {
    uint64_t count;
    int64_t first, last; /* answers */
    int64_t waited; /* from the requests to the answers, of all but the first */
};

struct stock_counts {
    uint64_t received, deleted, transactions, applied, dead_lettered;
    uint64_t given_back;
    uint64_t applied_again, dead_again, deleted_again; /* what was done with a message more than once */
    uint64_t deleted_unsettled; /* neither applied nor in the DLQ when it was deleted */
    uint64_t unknown; /* transactions, deletions and DLQ messages of none of ours */
    uint64_t repeated_tokens;
    int64_t first_receive, last_delete;
};

struct stock {
    const struct sink_options *options;
    struct message_state *states;
    uint64_t next; /* the first that was never received */
    uint64_t *returned; /* given back, a stack */
    size_t returned_count;
    uint64_t in_flight, most_in_flight;
    int64_t opened; /* the first receive, from which on messages come at their rate; 0: none yet */
    struct stock_counts counts;
    struct token_set tokens;
    struct stock_pace hot, others; /* with --hot-one-in */
    struct histogram tail; /* from a receive's answer to the deletion */
    struct histogram first_tail; /* of those received within a second from the first receive's answer */
    struct histogram warm_tail; /* of those received when the client had been at work for two seconds, and had opened
                                   its connections */
};

/* False: no memory. */
bool stock_init(struct stock *s, const struct sink_options *options);
void stock_free(struct stock *s);
/* A visible message, which is then in flight. False: there is none now. */
bool stock_take(struct stock *s, int64_t now, uint64_t *ret_number, unsigned *ret_receives);
/* Microseconds from now until a message may be there; -1: none will come by itself. */
int64_t stock_wait(const struct stock *s, int64_t now);
bool stock_is_valid(const struct stock *s, uint64_t number);
/* The number of a message's record. */
uint64_t stock_record(const struct stock *s, uint64_t number);
/* One of a relay's messages has come. */
void stock_add(struct stock *s, uint64_t number);
void stock_delete(struct stock *s, uint64_t number, int64_t now);
void stock_return(struct stock *s, uint64_t number);
void stock_dead_letter(struct stock *s, bool known, uint64_t number);
/* A transaction about a message's record that came then, and is answered now. False: no memory. */
bool stock_apply(struct stock *s, bool known, uint64_t number, struct span token, int64_t arrived, int64_t now);
/* As the queue's attributes have it. */
uint64_t stock_visible(const struct stock *s);
