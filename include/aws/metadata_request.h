/* Requests to the places that give credentials: a few attempts in bounded time; the secrets in the answers are
 * wiped. */
#pragma once

#include "clock.h"
#include "http.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include <stdbool.h>

struct digest;
struct loop;

/* What the sources of credentials use of the outside world. Borrowed. */
struct credentials_world {
    struct http_api http;
    struct clock clock;
    struct timers *timers;
    struct random *random;
    struct digest *digest;
    struct log *log;
    struct loop *loop; /* it watches the processes */
};

#define METADATA_HEADERS_MAX 8
#define METADATA_RESPONSE_MAX ((size_t)64 * 1024)

/* One of these at a time. Zeroed: none. */
struct metadata_request {
    const struct credentials_world *world;
    struct http_request request;
    const char *headers[METADATA_HEADERS_MAX];
    unsigned attempts, attempts_max;
    /* Whether an answer other than 5xx and 429 is worth another attempt. NULL: none is. */
    bool (*worth_a_retry)(void *user, const struct http_response *response);
    http_done *done;
    void *user;
    struct http_transfer *transfer;
    struct timer timer;
    bool under_way;
};

/* Sends request. Its timeout is for each attempt; the ceiling of the response is set here. Transport errors, 5xx and
 * 429 are tried again, up to attempts in all. done is called once, later, with the last answer, unless cancelled; after
 * it the answer's body is wiped. URL, body and header lines must stay where they are until done. */
void metadata_request_start(struct metadata_request *r, const struct credentials_world *world,
                            const struct http_request *request, unsigned attempts, http_done *done, void *user);
/* Nothing happens where none is under way. */
void metadata_request_cancel(struct metadata_request *r);

/* Whether a URL leads to an address that a proxy can't reach for us: loopback, link-local, or a metadata service. */
bool metadata_is_local(const char *url);
