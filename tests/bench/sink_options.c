#include "sink_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define USAGE 64
#define MESSAGES_MAX 100000000.0
#define BODY_MAX 1048576.0

static const char help[] =
    "usage: sink [OPTIONS]\n"
    "\n"
    "A stand-in for SQS and DynamoDB that is never the limit: plain HTTP and TLS on one free port of 127.0.0.1, which "
    "it prints. It makes its\n"
    "messages itself, answers what table-updater asks, and counts. On SIGTERM it prints what it counted, as JSON; GET "
    "/counts gives the same.\n"
    "Visibility never expires: a message comes back only where its timeout is changed to 0.\n"
    "\n"
    "  --messages N            messages on the queue (10000)\n"
    "  --endless               there is always one more, and none is kept account of\n"
    "  --relay                 messages are what is sent to the queue, each with the id rec-N of its record, N below "
    "--messages; audit records are found\n"
    "  --body-size BYTES       of a message (200)\n"
    "  --all-members           each message has set, increment, append, remove and typed_attributes too\n"
    "  --unaudited             the messages ask for no audit record\n"
    "  --invalid-one-in N      every N-th message is one for the DLQ\n"
    "  --hot-one-in N          every N-th message is for one and the same record, the others for 1,000 in turn; "
    "audited\n"
    "  --dynamodb-latency MS   until DynamoDB answers, but for what is asked at the start (0)\n"
    "  --sqs-latency MS        until SQS answers (0)\n"
    "  --slow-one-in N         every N-th answer of DynamoDB takes --slow-latency instead\n"
    "  --slow-latency MS       (0)\n"
    "  --rate N                so many messages come onto the queue each second (all are there at the start)\n"
    "  --burst N               that come at once, with --rate (10)\n"
    "  --max-message-size N    the queues' MaximumMessageSize (1048576)\n"
    "  --chain                 serves a chain of three certificates with RSA keys, as AWS does, in place of one with "
    "an "
    "elliptic curve's\n"
    "  --ca-file FILE          writes the certificate to trust there\n"
    "  --samples FOLDER        keeps the largest request of each kind there\n";

enum option_code {
    MESSAGES = 1,
    ENDLESS,
    RELAY,
    BODY_SIZE,
    UNAUDITED,
    ALL_MEMBERS,
    INVALID_ONE_IN,
    HOT_ONE_IN,
    DYNAMODB_LATENCY,
    SQS_LATENCY,
    SLOW_ONE_IN,
    SLOW_LATENCY,
    RATE,
    BURST,
    MAX_MESSAGE_SIZE,
    CHAIN,
    CA_FILE,
    SAMPLES,
    HELP
};

static const struct option names[] = {{"messages", required_argument, NULL, MESSAGES},
                                      {"endless", no_argument, NULL, ENDLESS},
                                      {"relay", no_argument, NULL, RELAY},
                                      {"body-size", required_argument, NULL, BODY_SIZE},
                                      {"unaudited", no_argument, NULL, UNAUDITED},
                                      {"all-members", no_argument, NULL, ALL_MEMBERS},
                                      {"invalid-one-in", required_argument, NULL, INVALID_ONE_IN},
                                      {"hot-one-in", required_argument, NULL, HOT_ONE_IN},
                                      {"dynamodb-latency", required_argument, NULL, DYNAMODB_LATENCY},
                                      {"sqs-latency", required_argument, NULL, SQS_LATENCY},
                                      {"slow-one-in", required_argument, NULL, SLOW_ONE_IN},
                                      {"slow-latency", required_argument, NULL, SLOW_LATENCY},
                                      {"rate", required_argument, NULL, RATE},
                                      {"burst", required_argument, NULL, BURST},
                                      {"max-message-size", required_argument, NULL, MAX_MESSAGE_SIZE},
                                      {"chain", no_argument, NULL, CHAIN},
                                      {"ca-file", required_argument, NULL, CA_FILE},
                                      {"samples", required_argument, NULL, SAMPLES},
                                      {"help", no_argument, NULL, HELP},
                                      {NULL, 0, NULL, 0}};

/* A number from 0 to max; else *ok becomes false. */
static double number(const char *text, double max, bool *ok) {
    char *end;
    errno = 0;
    double value = text ? strtod(text, &end) : -1;
    if (!text || errno || end == text || *end || !(value >= 0 && value <= max)) {
        *ok = false;
        return 0;
    }
    return value;
}

static int64_t milliseconds(const char *text, bool *ok) {
    return (int64_t)(number(text, 1e6, ok) * 1e3);
}

static void take(struct sink_options *o, int code, const char *text, bool *ok) {
    switch (code) {
    case MESSAGES: o->messages = (uint64_t)number(text, MESSAGES_MAX, ok); break;
    case ENDLESS: o->endless = true; break;
    case RELAY: o->relay = true; break;
    case BODY_SIZE: o->body_size = (size_t)number(text, BODY_MAX, ok); break;
    case UNAUDITED: o->audited = false; break;
    case ALL_MEMBERS: o->all_members = true; break;
    case INVALID_ONE_IN: o->invalid_one_in = (unsigned)number(text, 1e9, ok); break;
    case HOT_ONE_IN: o->hot_one_in = (unsigned)number(text, 1e9, ok); break;
    case DYNAMODB_LATENCY: o->dynamodb_latency = milliseconds(text, ok); break;
    case SQS_LATENCY: o->sqs_latency = milliseconds(text, ok); break;
    case SLOW_ONE_IN: o->slow_one_in = (unsigned)number(text, 1e9, ok); break;
    case SLOW_LATENCY: o->slow_latency = milliseconds(text, ok); break;
    case RATE: o->rate = number(text, 1e7, ok); break;
    case BURST:
        o->burst = (unsigned)number(text, 1e6, ok);
        *ok = *ok && o->burst > 0;
        break;
    case MAX_MESSAGE_SIZE: o->max_message_size = (size_t)number(text, BODY_MAX, ok); break;
    case CHAIN: o->chain = true; break;
    case CA_FILE: o->ca_file = text; break;
    case SAMPLES: o->samples = text; break;
    default: *ok = false;
    }
}

/* What was done with a message of a record that others have too is told by its audit record alone. */
static bool fit_together(const struct sink_options *o) {
    return !o->hot_one_in || (o->audited && !o->relay && !o->endless && !o->invalid_one_in);
}

int sink_options_read(int argc, char **argv, struct sink_options *ret_options) {
    *ret_options = (struct sink_options){
        .messages = 10000, .body_size = 200, .audited = true, .burst = 10, .max_message_size = (size_t)BODY_MAX};
    for (int code; (code = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (code == HELP) {
            (void)fputs(help, stdout);
            return 0;
        }
        bool ok = true;
        take(ret_options, code, optarg, &ok);
        if (!ok) {
            (void)fputs("sink: a bad option; see --help\n", stderr);
            return USAGE;
        }
    }
    if (!fit_together(ret_options)) {
        (void)fputs("sink: --hot-one-in goes with neither --unaudited, --relay, --endless nor --invalid-one-in\n",
                    stderr);
        return USAGE;
    }
    if (optind < argc) {
        (void)fputs("sink: takes options only; see --help\n", stderr);
        return USAGE;
    }
    return -1;
}
