/* A network, a clock and credentials that a test holds in its hand, for clients of AWS services. */
#pragma once

#include "client.h"
#include "clock.h"
#include "credentials.h"
#include "digest.h"
#include "http.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_REQUESTS_MAX 128
#define FAKE_START (1000 * MICROSECONDS) /* monotonic */
#define FAKE_WALL (784111777 * MICROSECONDS) /* Sun, 06 Nov 1994 08:49:37 GMT */

struct http_transfer {
    bool open;
    http_done *done;
    void *user;
    char headers[1024]; /* each line with its line end */
    char url[128];
    struct span body;
    size_t max_response;
    int64_t timeout;
    int64_t sent; /* monotonic */
};

/* Of the credentials, the key's number tells one set from the next. */
struct fake {
    int64_t monotonic, wall;
    struct timers timers;
    struct random random;
    struct digest *digest;
    struct log log;
    size_t log_lines;
    char told[512]; /* the last line that tells of an attempt */

    struct http_transfer requests[FAKE_REQUESTS_MAX];
    size_t request_count, cancelled;
    bool http_has_no_memory;

    struct credentials_provider provider;
    unsigned key_number; /* 0: there are none */
    enum call_class no_credentials; /* the class of that failure */
    bool asynchronous; /* waits are answered by fake_give_credentials() */
    bool renews; /* invalidating brings the next set */
    bool malformed; /* the session token is no header's value */
    char session_token[64];
    struct credentials_wait *waiting;
    size_t invalidated, asked;
    char last_invalidated[ACCESS_KEY_ID_SIZE];
};

static int64_t fake_monotonic(void *ctx) {
    return ((struct fake *)ctx)->monotonic;
}

static int64_t fake_wall(void *ctx) {
    return ((struct fake *)ctx)->wall;
}

static void fake_log_sink(void *ctx, struct span line) {
    struct fake *f = ctx;
    f->log_lines++;
    if (memmem(line.data, line.len, "A request ended", 15)) {
        (void)snprintf(f->told, sizeof f->told, "%.*s", (int)line.len, line.data);
    }
}

static struct http_transfer *fake_start(void *ctx, const struct http_request *request, http_done *done, void *user) {
    struct fake *f = ctx;
    if (f->http_has_no_memory || f->request_count == FAKE_REQUESTS_MAX) {
        return NULL;
    }
    struct http_transfer *t = &f->requests[f->request_count++];
    *t = (struct http_transfer){.open = true,
                                .done = done,
                                .user = user,
                                .body = request->body,
                                .max_response = request->max_response,
                                .timeout = request->timeout,
                                .sent = f->monotonic};
    (void)snprintf(t->url, sizeof t->url, "%s%s", request->url, request->path_end ? request->path_end : "");
    size_t len = 0;
    for (size_t i = 0; i < request->header_count && len < sizeof t->headers; i++) {
        len += (size_t)snprintf(t->headers + len, sizeof t->headers - len, "%s\n", request->headers[i]);
    }
    return t;
}

static void fake_cancel(void *ctx, struct http_transfer *t) {
    struct fake *f = ctx;
    if (t && t->open) {
        t->open = false;
        f->cancelled++;
    }
}

static void fake_answer_wait(struct fake *f, struct credentials_wait *wait) {
    char id[32], secret[32];
    wait->pending = false;
    if (f->key_number == 0) {
        const struct credentials_failure failure = {.class = f->no_credentials, .message = "there are no credentials"};
        wait->ready(wait->user, NULL, &failure);
        return;
    }
    (void)snprintf(id, sizeof id, "AKID%u", f->key_number);
    (void)snprintf(secret, sizeof secret, "secret%u", f->key_number);
    const struct credentials credentials = {.access_key_id = span_cstr(id),
                                            .secret_access_key = span_cstr(secret),
                                            .session_token =
                                                f->malformed ? SPAN("a\r\nX-Evil: b") : span_cstr(f->session_token),
                                            .expires = NEVER};
    wait->ready(wait->user, &credentials, NULL);
}

static void fake_get_credentials(void *impl, struct credentials_wait *wait) {
    struct fake *f = impl;
    f->asked++;
    wait->pending = true;
    if (f->asynchronous) {
        f->waiting = wait;
    } else {
        fake_answer_wait(f, wait);
    }
}

static void fake_cancel_wait(void *impl, struct credentials_wait *wait) {
    struct fake *f = impl;
    wait->pending = false;
    f->waiting = NULL;
}

static void fake_invalidate(void *impl, struct span access_key_id) {
    struct fake *f = impl;
    f->invalidated++;
    (void)snprintf(f->last_invalidated, sizeof f->last_invalidated, "%.*s", (int)access_key_id.len, access_key_id.data);
    f->key_number += f->renews;
}

static inline void fake_give_credentials(struct fake *f) {
    struct credentials_wait *wait = f->waiting;
    f->waiting = NULL;
    fake_answer_wait(f, wait);
}

static inline void fake_init(struct fake *f) {
    *f = (struct fake){.monotonic = FAKE_START,
                       .wall = FAKE_WALL,
                       .digest = digest_new(),
                       .key_number = 1,
                       .no_credentials = CALL_AUTH};
    assert_non_null(f->digest);
    random_seed(&f->random, 1);
    f->log = (struct log){.fd = -1, .level = LOG_LEVEL_DEBUG, .sink = fake_log_sink, .sink_ctx = f};
    f->log.clock = (struct clock){fake_monotonic, fake_wall, f};
    f->provider = (struct credentials_provider){
        .impl = f, .get = fake_get_credentials, .cancel = fake_cancel_wait, .invalidate = fake_invalidate};
}

static inline void fake_done(struct fake *f) {
    digest_free(f->digest);
}

static inline struct aws_client_options fake_client_options(struct fake *f) {
    return (struct aws_client_options){
        .endpoint = "https://dynamodb.us-east-1.amazonaws.com",
        .region = "us-east-1",
        .signing_name = "dynamodb",
        .target_prefix = "DynamoDB_20120810.",
        .credentials = &f->provider,
        .http = {.ctx = f, .start = fake_start, .cancel = fake_cancel},
        .clock = {fake_monotonic, fake_wall, f},
        .timers = &f->timers,
        .random = &f->random,
        .log = &f->log,
        .digest = f->digest,
        .retry = retry_policy_dynamodb(),
        .checks_marks = true,
    };
}

/* Answers the k-th request. */
static inline void fake_respond(struct fake *f, size_t k, struct http_response response) {
    assert_true(k < f->request_count);
    struct http_transfer *t = &f->requests[k];
    t->open = false;
    response.message = response.message ? response.message : "";
    response.answered = response.status ? f->monotonic : 0;
    t->done(t->user, &response);
}

/* The same with the service's request id. */
static inline void fake_respond_marked(struct fake *f, size_t k, struct http_response response) {
    response.header[HTTP_REQUEST_ID] = SPAN("0VB2E5VOKS8EXAMPLE");
    fake_respond(f, k, response);
}

static inline void fake_respond_with(struct fake *f, size_t k, int status, const char *body) {
    fake_respond_marked(f, k, (struct http_response){.status = status, .body = span_cstr(body)});
}

/* Lets time go on by so much, firing what becomes due on the way. */
static inline void fake_pass(struct fake *f, int64_t microseconds) {
    int64_t until = f->monotonic + microseconds;
    for (int64_t next; (next = timers_next(&f->timers)) <= until;) {
        if (next > f->monotonic) {
            f->wall += next - f->monotonic;
            f->monotonic = next;
        }
        timers_run(&f->timers, f->monotonic);
    }
    f->wall += until - f->monotonic;
    f->monotonic = until;
}
