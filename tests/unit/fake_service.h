/* An AWS service that answers from a script, under a real client, in virtual time. One request at a time. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "credentials_sources.h"
#include "digest.h"
#include "fake_environment.h"

struct fake_answer {
    int status; /* 0: the connection broke */
    const char *body;
};

struct fake_service {
    const struct fake_answer *script;
    size_t script_len, sent;
    bool is_foreign; /* somebody on the way answers: without the service's request id */
    char target[128], body[4096]; /* of the last request */
    size_t max_response;
    int64_t timeout, silence, wait;
    http_done *done; /* of the request under way */
    void *user;
    int64_t now;
    struct timers timers;
    struct random random;
    struct digest *digest;
    struct credentials_provider credentials;
    struct aws_client *client;
};

static inline int64_t fake_service_now(void *ctx) {
    return ((struct fake_service *)ctx)->now;
}

static inline struct http_transfer *fake_service_start(void *ctx, const struct http_request *request, http_done *done,
                                                       void *user) {
    struct fake_service *s = ctx;
    assert_null(s->done);
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncmp(request->headers[i], "X-Amz-Target: ", 14) == 0) {
            (void)snprintf(s->target, sizeof s->target, "%s", request->headers[i] + 14);
        }
    }
    (void)snprintf(s->body, sizeof s->body, "%.*s", (int)request->body.len, request->body.data);
    s->max_response = request->max_response;
    s->timeout = request->timeout;
    s->silence = request->silence;
    s->wait = request->wait;
    s->done = done;
    s->user = user;
    return (struct http_transfer *)(void *)s;
}

static inline void fake_service_cancel(void *ctx, struct http_transfer *transfer) {
    (void)transfer;
    ((struct fake_service *)ctx)->done = NULL;
}

static inline void fake_service_answer(struct fake_service *s) {
    assert_true(s->sent < s->script_len);
    const struct fake_answer *a = &s->script[s->sent++];
    http_done *done = s->done;
    s->done = NULL;
    /* In memory of its own, so that what is kept of it beyond the callback is seen. */
    char *body = strdup(a->status ? a->body : "");
    assert_non_null(body);
    struct http_response response = {.error = a->status ? HTTP_FINE : HTTP_BROKEN,
                                     .status = a->status,
                                     .body = span_cstr(body),
                                     .answered = a->status ? s->now : 0,
                                     .message = a->status ? "" : "the connection died"};
    if (a->status && !s->is_foreign) {
        response.header[HTTP_REQUEST_ID] = SPAN("0VB2E5VOKS8EXAMPLE");
    }
    done(s->user, &response);
    free(body);
}

/* Runs until nothing is left to happen. */
static inline void fake_service_run(struct fake_service *s) {
    for (;;) {
        if (s->done) {
            fake_service_answer(s);
        } else if (timers_next(&s->timers) != NEVER) {
            s->now = timers_next(&s->timers) > s->now ? timers_next(&s->timers) : s->now;
            (void)timers_run(&s->timers, s->now);
        } else {
            return;
        }
    }
}

static inline struct fake_service *fake_service_new(const char *signing_name, const char *target_prefix) {
    struct fake_service *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->now = 1000 * MICROSECONDS;
    random_seed(&s->random, 1);
    s->digest = digest_new();
    assert_non_null(s->digest);
    const struct environment e = FAKE_ENVIRONMENT({"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"});
    char why[SETTING_WHY_SIZE];
    assert_int_equal(credentials_env_new(&e, &s->credentials, why), SOURCE_FOUND);
    const struct aws_client_options options = {.endpoint = "http://127.0.0.1:1",
                                               .region = "eu-west-1",
                                               .signing_name = signing_name,
                                               .target_prefix = target_prefix,
                                               .credentials = &s->credentials,
                                               .http = {s, fake_service_start, fake_service_cancel},
                                               .clock = {fake_service_now, fake_service_now, s},
                                               .timers = &s->timers,
                                               .random = &s->random,
                                               .digest = s->digest,
                                               .checks_marks = strcmp(signing_name, "dynamodb") == 0};
    s->client = aws_client_new(&options);
    assert_non_null(s->client);
    return s;
}

static inline void fake_service_script(struct fake_service *s, const struct fake_answer *script, size_t count) {
    s->script = script;
    s->script_len = count;
    s->sent = 0;
}

static inline void fake_service_free(struct fake_service *s) {
    aws_client_free(s->client);
    credentials_provider_release(&s->credentials);
    digest_free(s->digest);
    free(s);
}
