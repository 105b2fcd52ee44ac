/* The world of the sources of credentials, held by a test: a clock that is moved, and answers that stand in a list.
 * Include kept_log.h's needs before it. */
#pragma once

#include "credentials_cache.h"
#include "fake_credentials.h"
#include "kept_log.h"
#include "metadata_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most replies are a status and a body. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define FAKE_WORLD_WALL (1704677672LL * MICROSECONDS) /* 2024-01-08T01:34:32Z */

struct fake_reply {
    int status; /* 0: error */
    const char *body;
    enum http_error error;
    const char *message;
    const char *date; /* the Date header */
};

struct fake_asked {
    enum http_method method;
    char url[256], headers[512], body[4096];
    bool direct;
    int64_t timeout, at;
};

struct http_transfer {
    bool open;
};

struct fake_world {
    int64_t now; /* monotonic; the wall is FAKE_WORLD_WALL ahead of it */
    struct timers timers;
    struct random random;
    struct log log;
    struct credentials_world world;
    const struct fake_reply *replies;
    size_t reply_count, asked_count, cancelled;
    struct fake_asked asked[32];
    struct http_transfer transfer;
    http_done *done;
    void *done_user;
    /* What a source said last. */
    unsigned answers;
    char id[64], secret[64], token[64], account[64], why[1024];
    int64_t expires;
    enum call_class class;
};

static inline int64_t fake_world_monotonic(void *ctx) {
    return ((struct fake_world *)ctx)->now;
}

static inline int64_t fake_world_wall(void *ctx) {
    return ((struct fake_world *)ctx)->now + FAKE_WORLD_WALL;
}

static inline struct http_transfer *fake_world_send(void *ctx, const struct http_request *request, http_done *done,
                                                    void *user) {
    struct fake_world *w = ctx;
    assert_false(w->transfer.open);
    assert_true(w->asked_count < ARRAY_LENGTH(w->asked));
    struct fake_asked *a = &w->asked[w->asked_count++];
    *a = (struct fake_asked){
        .method = request->method, .direct = request->direct, .timeout = request->timeout, .at = w->now};
    (void)snprintf(a->url, sizeof a->url, "%s", request->url);
    (void)snprintf(a->body, sizeof a->body, "%.*s", (int)request->body.len,
                   request->body.data ? request->body.data : "");
    for (size_t i = 0; i < request->header_count; i++) {
        size_t len = strlen(a->headers);
        (void)snprintf(a->headers + len, sizeof a->headers - len, "%s\n", request->headers[i]);
    }
    w->transfer.open = true;
    w->done = done;
    w->done_user = user;
    return &w->transfer;
}

static inline void fake_world_cancel(void *ctx, struct http_transfer *transfer) {
    assert_true(transfer->open);
    transfer->open = false;
    ((struct fake_world *)ctx)->cancelled++;
}

static inline struct fake_world *fake_world_new(void) {
    struct fake_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now = 1000 * MICROSECONDS;
    random_seed(&w->random, 7);
    w->log = test_log();
    w->world = (struct credentials_world){
        .http = {w, fake_world_send, fake_world_cancel},
        .clock = {fake_world_monotonic, fake_world_wall, w},
        .timers = &w->timers,
        .random = &w->random,
        .log = &w->log,
    };
    return w;
}

static inline void fake_world_reply(struct fake_world *w) {
    assert_true(w->reply_count > 0);
    const struct fake_reply *r = w->replies++;
    w->reply_count--;
    w->transfer.open = false;
    /* In memory of its own: what is kept of it beyond the callback is seen. */
    char *body = strdup(r->body ? r->body : "");
    assert_non_null(body);
    const struct http_response response = {.error = r->status  ? HTTP_FINE
                                                    : r->error ? r->error
                                                               : HTTP_UNREACHABLE,
                                           .status = r->status,
                                           .body = span_cstr(body),
                                           .header = {[HTTP_DATE] = span_cstr(r->date)},
                                           .message = r->message  ? r->message
                                                      : r->status ? ""
                                                                  : "no route"};
    w->done(w->done_user, &response);
    free(body);
}

/* Until nothing is left to happen, or a request has no answer in the list. */
static inline void fake_world_run(struct fake_world *w) {
    for (;;) {
        if (w->transfer.open && w->reply_count) {
            fake_world_reply(w);
        } else if (!w->transfer.open && timers_next(&w->timers) != NEVER) {
            w->now = timers_next(&w->timers) > w->now ? timers_next(&w->timers) : w->now;
            (void)timers_run(&w->timers, w->now);
        } else {
            return;
        }
    }
}

static inline void fake_world_fetched(void *user, const struct credentials *credentials,
                                      const struct credentials_failure *failure) {
    struct fake_world *w = user;
    w->answers++;
    w->id[0] = w->secret[0] = w->token[0] = w->account[0] = w->why[0] = '\0';
    w->class = CALL_OK;
    if (failure) {
        w->class = failure->class;
        (void)snprintf(w->why, sizeof w->why, "%s", failure->message);
        return;
    }
    fake_copy(w->id, credentials->access_key_id);
    fake_copy(w->secret, credentials->secret_access_key);
    fake_copy(w->token, credentials->session_token);
    fake_copy(w->account, credentials->account_id);
    w->expires = credentials->expires;
}

/* Asks a source and plays the answers to it; true where it gives credentials. */
static inline bool fake_world_fetch(struct fake_world *w, struct credentials_source *source,
                                    const struct fake_reply *replies, size_t count) {
    w->replies = replies;
    w->reply_count = count;
    w->asked_count = 0;
    unsigned before = w->answers;
    source->fetch(source->impl, fake_world_fetched, w);
    fake_world_run(w);
    assert_int_equal(w->answers, before + 1);
    return w->class == CALL_OK;
}

#define FETCH(w, source, ...)                                                                                          \
    fake_world_fetch((w), (source), (const struct fake_reply[]){__VA_ARGS__},                                          \
                     sizeof((const struct fake_reply[]){__VA_ARGS__}) / sizeof(struct fake_reply))

static inline void fake_world_expect_why(const struct fake_world *w, const char *part) {
    if (!strstr(w->why, part)) {
        fail_msg("\"%s\" lacks \"%s\"", w->why, part);
    }
}
