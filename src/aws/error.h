/* What an answer means: from an HTTP response to the result of a call. */
#pragma once

#include "call.h"
#include "clock.h"
#include "http.h"

#include <stdbool.h>
#include <stdint.h>

/* What an answer must have to be the service's. */
struct error_rules {
    /* DynamoDB: every answer has x-amzn-requestid or x-amz-crc32, and the latter fits the body. An answer with neither
     * is somebody else's, whatever it says. */
    bool checks_marks;
    const char *host; /* the host that is asked, for sentences */
};

/* Sets all of result except its attempts. The clock is read for a Retry-After that is a date. */
void error_read(const struct http_response *response, const struct error_rules *rules, const struct clock *clock,
                struct call_result *result);
/* Makes result say that the answer isn't the service's. The message names the status, who answered, and why ("that
 * isn't the service's: …"). The caller sets the class. */
void error_foreign(const struct http_response *response, const char *host, const char *why, struct call_result *result);
/* Sets result to a failure of our own, with this sentence. */
void error_set(struct call_result *result, enum call_class class, const char *message);

/* error_advice.c: if the credentials or the clock were refused, replaces the service's sentence by one that says what
 * to mend. The service's may quote what was signed, which includes the session token. */
void error_advise(struct call_result *result);
