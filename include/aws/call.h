/* One signed call to an AWS service, with its retries. (Transactions make one attempt only: the worker itself tries
 * them again.) */
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
#include <string.h>

/* What a failed call means for the caller. */
enum call_class {
    CALL_OK,
    CALL_PERMANENT, /* the service refuses this request as it is; the same one again gets the same answer */
    CALL_RETRY, /* transient: connection errors, timeouts, HTTP 5xx, an answer that is no answer */
    CALL_THROTTLED, /* the service asks for fewer requests */
    CALL_AUTH, /* credentials: none, expired, unknown to the service */
    CALL_DENIED, /* credentials are known, and may not do this */
    CALL_CLOCK /* our time is off, and correcting it did not help */
};

#define CALL_CODE_SIZE 96
#define CALL_MESSAGE_SIZE 768 /* a denial that names principal, action and resource at their longest, nearly */
#define CALL_REQUEST_ID_SIZE 64

struct call_result {
    enum call_class class;
    int status; /* HTTP; 0: no response */
    bool from_service; /* the error is the service's own: it has a readable code, and the service's marks */
    bool foreign; /* an answer came that isn't the service's, but a proxy's, a load balancer's or a captive portal's. It
                     decides nothing */
    bool untrusted; /* the server's certificate can't be trusted */
    bool unsent; /* it failed before a request was sent: no address, no connection, no trust, no memory */
    unsigned attempts; /* requests made */
    int64_t retry_after; /* microseconds the service asked us to wait; 0: it did not */
    int64_t answered; /* monotonic: when the first byte of the last response came; 0: none came */
    int64_t
        date; /* wall microseconds: the answer's Date, where the operation asks for it; 0: it doesn't, or none came */
    char code[CALL_CODE_SIZE]; /* the exception's name without its namespace; "" where there is none */
    /* The service's sentence, or ours; never cut inside a character. It is ours if from_service is false, and for
     * CALL_AUTH and CALL_CLOCK. The service's may quote values: it is logged above DEBUG only for CALL_DENIED. */
    char message[CALL_MESSAGE_SIZE];
    char request_id[CALL_REQUEST_ID_SIZE]; /* of a failed call's last answer; "" where it has none */
};

/* Makes it that of a call that went well, without status or time. Only the first bytes of its texts are cleared: they
 * end there. */
static inline void call_result_begin(struct call_result *result, unsigned attempts) {
    memset(result, 0, offsetof(struct call_result, code));
    result->attempts = attempts;
    result->code[0] = result->message[0] = result->request_id[0] = '\0';
}

/* Copies it; of its texts, which are mostly empty, only what they have. */
static inline void call_result_copy(struct call_result *to, const struct call_result *from) {
    memcpy(to, from, offsetof(struct call_result, code));
    memcpy(to->code, from->code, strlen(from->code) + 1);
    memcpy(to->message, from->message, strlen(from->message) + 1);
    memcpy(to->request_id, from->request_id, strlen(from->request_id) + 1);
}

/* A failed call in a word, for the log. */
static inline const char *call_word(const struct call_result *result) {
    return result->code[0] ? result->code : result->foreign ? "not the service's answer" : "no answer";
}

/* Why no answer of the service's came, for the log beside that word; "": one came, or somebody else's, which is told by
 * itself. */
static inline const char *call_why(const struct call_result *result) {
    return result->from_service || result->foreign ? "" : result->message;
}
/* That as the last field of a line of the log; where there is none, it ends the line. */
static inline struct log_field call_why_field(const struct call_result *result) {
    return call_why(result)[0] ? LOG_C("why", call_why(result)) : (struct log_field){0};
}

struct call; /* one in flight; valid until its done callback has returned */

struct call_options {
    int64_t deadline; /* monotonic microseconds: done is called by then, and nothing is sent after it. Where it passed
                         while the process stood still, what came meanwhile is read first, for a second at most. NEVER:
                         only the timeouts of each attempt count */
    unsigned max_attempts; /* 0: the client's default */
    const uint8_t *body_sha256; /* the body's SHA-256, if it is known already; borrowed like the body. NULL: the signer
                                   computes it */
};

/* Ends a call without its callback. NULL is fine. */
void call_cancel(struct call *call);
/* Whether the answer to the request that is under way has begun to come. */
bool call_is_answered(const struct call *call);
