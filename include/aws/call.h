/* One signed call to an AWS service, with its retries. (Transactions are tried again by the worker instead: they are made with one attempt.) */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "log.h"
#include "random.h"
#include "span.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a failed call means for the caller. */
enum call_class {
    CALL_OK,
    CALL_PERMANENT, /* the service refuses this request as it is; the same one again gets the same answer */
    CALL_RETRY,     /* transient: connection errors, timeouts, HTTP 5xx, an answer that is no answer */
    CALL_THROTTLED, /* the service asks for fewer requests */
    CALL_AUTH,      /* credentials: none, expired, unknown to the service */
    CALL_DENIED,    /* credentials are known, and may not do this */
    CALL_CLOCK      /* our time is off, and correcting it did not help */
};

#define CALL_CODE_SIZE 96
#define CALL_MESSAGE_SIZE 512

struct call_result {
    enum call_class class;
    int status;                      /* HTTP; 0: no response */
    bool from_service;               /* the error came as the service's own JSON (a code could be read): no proxy, no load balancer */
    bool untrusted;                  /* the server's certificate can't be trusted */
    bool unsent;                     /* it failed before a request was sent: no address, no connection, no trust, no memory */
    unsigned attempts;               /* requests made */
    int64_t retry_after;             /* microseconds the service asked us to wait; 0: it did not */
    int64_t answered;                /* monotonic: when the first byte of the last response came; 0: none came */
    char code[CALL_CODE_SIZE];       /* the exception's name without its namespace; "" where there is none */
    char message[CALL_MESSAGE_SIZE]; /* the service's sentence, or ours on a transport error; cut at a character's end. Never for the log above DEBUG: it may quote values */
};

struct call; /* one in flight; valid until its done callback has returned */

struct call_options {
    int64_t deadline;      /* monotonic microseconds by which done has been called; NEVER: only the timeouts of each attempt */
    unsigned max_attempts; /* 0: the client's default */
    const uint8_t *body_sha256; /* of the body, where its SHA-256 is known already; borrowed like the body. NULL: the signer hashes it */
};

/* Ends it without a callback. NULL is fine. */
void call_cancel(struct call *call);
