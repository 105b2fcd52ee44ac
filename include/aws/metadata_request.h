/* Requests to where credentials come from: a few tries, in bounded time, with the secrets of the answers wiped. */
#pragma once

#include "clock.h"
#include "http.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include <stdbool.h>

struct digest;
struct loop;

/* What sources of credentials need of the world. Borrowed. */
struct credentials_world {
    struct http_api http;
    struct clock clock;
    struct timers *timers;
    struct random *random;
    struct digest *digest;
    struct log *log;
    struct loop *loop; /* that processes are watched by */
};

#define METADATA_HEADERS_MAX 8
#define METADATA_RESPONSE_MAX ((size_t)64 * 1024)

/* One of these at a time. Zeroed: none. */
struct metadata_request {
    const struct credentials_world *world;
    struct http_request request;
    const char *headers[METADATA_HEADERS_MAX];
    unsigned attempts, attempts_max;
    /* Whether an answer other than 5xx and 429 is worth another try. NULL: none is. */
    bool (*worth_a_retry)(void *user, const struct http_response *response);
    http_done *done;
    void *user;
    struct http_transfer *transfer;
    struct timer timer;
    bool under_way;
};

/* Sends request: timeout is for each attempt; the ceiling of the response is set here. URL, body and lines stay where
 * they are until done, which is called once, later, unless cancelled, with the last answer: transport errors, 5xx and
 * 429 are tried again, attempts in all. The body of the answer is wiped behind done. */
void metadata_request_start(struct metadata_request *r, const struct credentials_world *world,
                            const struct http_request *request, unsigned attempts, http_done *done, void *user);
/* Nothing happens where none is under way. */
void metadata_request_cancel(struct metadata_request *r);

/* Whether a URL leads to an address that no proxy can reach for us: loopback, link-local, or those of the metadata
 * services. */
bool metadata_is_local(const char *url);
