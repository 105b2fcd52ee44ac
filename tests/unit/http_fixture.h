/* An HTTP client and a scripted server on one loop. */
#pragma once

#include "compiler.h"
#include "http.h"
#include "http_private.h"
#include "loop.h"
#include "loopback_server.h"

#include <signal.h>

#define MAX_OUTCOMES 64
#define OK_ANSWER                                                                                                      \
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" }

struct fixture;

struct outcome {
    struct fixture *f;
    struct http_transfer *transfer;
    bool done;
    enum http_error error;
    int status;
    int64_t answered;
    size_t body_len;
    char body[64]; /* how it begins */
    char header[HTTP_KEPT_HEADERS][320];
    char message[256];
    void (*then)(struct outcome *o);
};

struct fixture {
    struct loop *loop;
    struct http *http;
    struct http_api port;
    struct server server;
    char url[64];
    struct outcome outcomes[MAX_OUTCOMES];
    size_t started, finished, awaited;
    size_t others; /* requests that went over another connection than the one just used */
    bool starting;
    struct timer timer;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    f->server.fd = -1;
    f->loop = loop_new();
    *state = f;
    return f->loop ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    http_free(f->http);
    server_close(&f->server);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void begin(struct fixture *f, const struct http_options *options, const struct server_answer *answers,
                  size_t count) {
    f->http = http_new(f->loop, options);
    assert_non_null(f->http);
    f->port = http_api(f->http);
    assert_true(server_open(&f->server, f->loop, answers, count));
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/", f->server.port);
}

static void on_done(void *user, const struct http_response *response) {
    struct outcome *o = user;
    struct fixture *f = o->f;
    assert_false(f->starting);
    assert_false(o->done);
    assert_true((response->error == HTTP_FINE) == (response->message[0] == '\0'));
    o->done = true;
    o->error = response->error;
    o->status = response->status;
    o->answered = response->answered;
    o->body_len = response->body.len;
    size_t shown = response->body.len < sizeof o->body ? response->body.len : sizeof o->body - 1;
    memcpy(o->body, response->body.data, shown);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        const struct span *value = &response->header[i];
        assert_true(value->len < sizeof o->header[i]);
        (void)snprintf(o->header[i], sizeof o->header[i], "%s", value->data ? value->data : "absent");
    }
    (void)snprintf(o->message, sizeof o->message, "%s", response->message);
    if (o->then) {
        o->then(o);
    }
    if (++f->finished == f->awaited) {
        loop_stop(f->loop);
    }
}

/* Only where a call was made to fail (tests/torture) does a test wait for an answer that doesn't come. */
static int64_t patience(void) {
    return (getenv("TORTURE_FAIL") ? 1 : 30) * MICROSECONDS;
}

static struct http_request post(const struct fixture *f, const char *body) {
    return (struct http_request){.method = HTTP_POST,
                                 .url = f->url,
                                 .body = span_cstr(body),
                                 .max_response = 1 << 20,
                                 .timeout = patience(),
                                 .direct = true};
}

static struct outcome *start(struct fixture *f, const struct http_request *request) {
    assert_true(f->started < MAX_OUTCOMES);
    struct outcome *o = &f->outcomes[f->started++];
    o->f = f;
    f->starting = true;
    o->transfer = f->port.start(f->port.ctx, request, on_done, o);
    f->starting = false;
    assert_non_null(o->transfer);
    return o;
}

/* Runs until n transfers in all have finished. */
static void await(struct fixture *f, size_t n) {
    f->awaited = n;
    assert_true(loop_run(f->loop));
    assert_int_equal(f->finished, n);
}

static struct outcome *run(struct fixture *f, const struct http_request *request) {
    struct outcome *o = start(f, request);
    await(f, f->finished + 1);
    assert_true(o->done);
    return o;
}

/* The server says what nobody asked for, over its newest connection. */
static inline void send_stray(struct fixture *f, const char *text) {
    size_t len = strlen(text);
    assert_int_equal(send(f->server.connections->fd, text, len, MSG_NOSIGNAL), len);
}

static inline void stop_lingering(void *user) {
    struct fixture *f = user;
    loop_stop(f->loop);
}

/* Runs for so long, whatever finishes in the meantime. */
static inline void linger(struct fixture *f, int64_t time) {
    struct clock clock = loop_clock(f->loop);
    timer_init(&f->timer, stop_lingering, f);
    timer_start(loop_timers(f->loop), &f->timer, clock_monotonic(&clock) + time);
    f->awaited = 0;
    while (f->timer.running) {
        assert_true(loop_run(f->loop));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
