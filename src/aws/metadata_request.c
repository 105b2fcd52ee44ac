#include "metadata_request.h"

#include "backoff.h"
#include "buf.h"
#include "compiler.h"
#include "url.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#define PAUSE_BASE (50 * MILLISECOND)
#define PAUSE_MAX MICROSECONDS

static void send_once(struct metadata_request *r);

static void pause_for(struct metadata_request *r, int64_t pause) {
    timer_start(r->world->timers, &r->timer, clock_monotonic(&r->world->clock) + pause);
}

static void finish(struct metadata_request *r, const struct http_response *response) {
    r->under_way = false;
    r->done(r->user, response);
}

static bool is_transient(const struct metadata_request *r, const struct http_response *response) {
    if (response->error != HTTP_FINE) {
        return response->error != HTTP_REFUSED && response->error != HTTP_UNTRUSTED &&
               response->error != HTTP_TOO_LARGE;
    }
    return response->status >= 500 || response->status == 429 ||
           (r->worth_a_retry && r->worth_a_retry(r->user, response));
}

static void on_response(void *user, const struct http_response *response) {
    struct metadata_request *r = user;
    r->transfer = NULL;
    if (is_transient(r, response) && r->attempts < r->attempts_max) {
        pause_for(r, PAUSE_BASE + backoff_full_jitter(r->world->random, r->attempts, PAUSE_BASE, PAUSE_MAX));
        return;
    }
    struct buf *storage = response->storage;
    finish(r, response);
    if (storage && storage->data) {
        OPENSSL_cleanse(storage->data, storage->capacity);
    }
}

static void on_timer(void *user) {
    send_once(user);
}

static void send_once(struct metadata_request *r) {
    r->attempts++;
    r->transfer = r->world->http.start(r->world->http.ctx, &r->request, on_response, r);
    if (r->transfer) {
        return;
    }
    if (r->attempts < r->attempts_max) {
        pause_for(r, PAUSE_MAX);
        return;
    }
    finish(r, &(struct http_response){.error = HTTP_NO_MEMORY, .message = "out of memory"});
}

void metadata_request_start(struct metadata_request *r, const struct credentials_world *world,
                            const struct http_request *request, unsigned attempts, http_done *done, void *user) {
    r->world = world;
    r->request = *request;
    r->request.max_response = METADATA_RESPONSE_MAX;
    r->request.header_count =
        request->header_count < METADATA_HEADERS_MAX ? request->header_count : METADATA_HEADERS_MAX;
    for (size_t i = 0; i < r->request.header_count; i++) {
        r->headers[i] = request->headers[i];
    }
    r->request.headers = r->headers;
    r->attempts = 0;
    r->attempts_max = attempts;
    r->done = done;
    r->user = user;
    r->under_way = true;
    timer_init(&r->timer, on_timer, r);
    /* From the loop, even if it fails at once. */
    pause_for(r, 0);
}

void metadata_request_cancel(struct metadata_request *r) {
    if (!r->under_way) {
        return;
    }
    r->under_way = false;
    timer_stop(r->world->timers, &r->timer);
    if (r->transfer) {
        r->world->http.cancel(r->world->http.ctx, r->transfer);
        r->transfer = NULL;
    }
}

static bool begins(const char *host, const char *with) {
    return strncasecmp(host, with, strlen(with)) == 0;
}

/* A host name may begin like an address; but an address has only these characters. */
static bool is_local(const char *host) {
    static const char *const prefixes[] = {"127.", "169.254.", "[fe80:", "[fd00:ec2:"};
    bool is_address = host[strspn(host, "0123456789abcdefABCDEF.:[]")] == '\0';
    for (size_t i = 0; is_address && i < ARRAY_LENGTH(prefixes); i++) {
        if (begins(host, prefixes[i])) {
            return true;
        }
    }
    return strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0;
}

bool metadata_is_local(const char *text) {
    struct url url;
    enum url_fault fault = url_read(text, &url, NULL);
    if (fault != URL_FINE) {
        return fault == URL_NO_MEMORY; /* better no proxy than one that could see a token */
    }
    bool local = is_local(url.host);
    url_free(&url);
    return local;
}
