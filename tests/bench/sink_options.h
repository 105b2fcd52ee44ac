/* What a sink is started with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink_options {
    uint64_t messages; /* on the queue at the start */
    bool endless; /* there is always a message more, and none of them is kept account of */
    size_t body_size; /* bytes of a message's body */
    bool relay; /* messages are those that were sent to the queue */
    bool audited;
    bool all_members; /* beside attributes each message has all other members that change a record */
    unsigned invalid_one_in; /* each N-th message is one for the DLQ; 0: none */
    unsigned hot_one_in; /* each N-th message is for one record, the others for 1,000 in turn; 0: each has its own */
    int64_t dynamodb_latency; /* microseconds until an answer */
    int64_t sqs_latency;
    unsigned slow_one_in; /* each N-th answer of DynamoDB takes slow_latency instead; 0: none */
    int64_t slow_latency;
    double rate; /* messages a second that come onto the queue; 0: all are there from the start */
    unsigned burst; /* that come at once */
    size_t max_message_size;
    bool chain; /* the certificate comes with two between it and the one to trust */
    const char *ca_file; /* where the certificate goes that clients have to trust; NULL: nowhere */
    const char *samples; /* the folder for the largest request of each kind; NULL: none */
};

/* The exit code that is due at once, or -1: go on. */
int sink_options_read(int argc, char **argv, struct sink_options *ret_options);
