/* The port of http.h: starts, cancels and finishes transfers, and keeps them for reuse. */
#include "http.h"
#include "http_private.h"
#include "loop.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BUDGET ((size_t)256 * 1024 * 1024)
#define IDLE_TRANSFERS_MAX 512

static void transfer_free(struct http_transfer *t) {
    http_body_uncount(t);
    http_answer_return(t);
    buf_free(&t->unsent);
    free(t);
}

static void on_deadline(void *user);

/* A used one or a new one; it is in no list. */
static struct http_transfer *transfer_take(struct http *http) {
    struct http_transfer *t = TAILQ_FIRST(&http->idle);
    if (t) {
        TAILQ_REMOVE(&http->idle, t, in_list);
        http->idle_count--;
        return t;
    }
    t = calloc(1, sizeof *t);
    if (t) {
        t->http = http;
        t->budget = &http->budget;
        t->answers = &http->answers;
        timer_init(&t->deadline, on_deadline, t);
    }
    return t;
}

static void transfer_give_back(struct http_transfer *t) {
    struct http *http = t->http;
    http_origins_return(t->target);
    t->target = NULL;
    http_body_uncount(t);
    if (http->idle_count >= IDLE_TRANSFERS_MAX) {
        transfer_free(t);
        return;
    }
    http_answer_return(t);
    TAILQ_INSERT_HEAD(&http->idle, t, in_list);
    http->idle_count++;
}

/* Puts it among those whose end is reported soon. */
static void end_push(struct http_transfer *t) {
    struct http *http = t->http;
    t->place = AT_END;
    if (TAILQ_EMPTY(&http->ended)) {
        timer_start(http->timers, &http->end_timer, clock_monotonic(&http->clock));
    }
    TAILQ_INSERT_TAIL(&http->ended, t, in_place);
    http->ended_count++;
}

static void end_remove(struct http_transfer *t) {
    TAILQ_REMOVE(&t->http->ended, t, in_place);
    t->http->ended_count--;
    t->place = AT_NOBODY;
}

/* Takes it out of wherever it is. */
static void take_away(struct http_transfer *t) {
    switch (t->place) {
    case AT_QUEUE:
    case AT_CONNECTION: http_pool_forget(t); return;
    case AT_END: end_remove(t); return;
    default: return;
    }
}

/* Its end is reported later, from the loop. */
static void end_soon(struct http_transfer *t, enum http_error error, const char *why) {
    t->error = error;
    if (http_answer_take(t)) {
        (void)snprintf(t->answer->why, sizeof t->answer->why, "%s", why);
    }
    end_push(t);
}

static void leave(struct http_transfer *t) {
    timer_stop(t->http->timers, &t->deadline);
    t->in_flight = false;
    TAILQ_REMOVE(&t->http->in_flight, t, in_list);
    t->http->in_flight_count--;
}

static const char *error_message(enum http_error error, const char *why) {
    switch (error) {
    case HTTP_FINE: return "";
    case HTTP_TOO_LARGE: return "the response is larger than it may be";
    case HTTP_OVER_BUDGET: return "the responses in flight take all the memory that they may";
    case HTTP_NO_MEMORY: return "out of memory";
    default: return why;
    }
}

/* It is over, and in no list any more. Only from the loop: this calls its callback. */
static void finish(struct http_transfer *t, enum http_error error, const char *why) {
    struct http_response response = {
        .error = error,
        .status = t->answer ? t->answer->parser.status : 0,
        .sent = t->sent,
        .answered = t->answered,
        .body = buf_span(&t->body),
        .storage = &t->body,
        .message = error_message(error, why),
    };
    const struct http_headers *kept = t->answer ? &t->answer->parser.headers : NULL;
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        response.header[i] = kept ? http_headers_get(kept, (enum http_header)i) : (struct span){NULL, 0};
    }
    leave(t);
    t->done(t->user, &response);
    transfer_give_back(t);
}

/* The pool reports that the transfer is over. */
static void on_over(struct http_transfer *t, enum http_error error, const char *why) {
    if (error == HTTP_FINE) {
        finish(t, HTTP_FINE, "");
    } else {
        end_soon(t, error, why);
    }
}

static void on_deadline(void *user) {
    struct http_transfer *t = user;
    const char *why = http_deadline_look(t);
    if (why) {
        take_away(t);
        finish(t, HTTP_TIMED_OUT, why);
    }
}

/* Only those that are here now: a callback may add more. */
static void on_end(void *user) {
    struct http *http = user;
    for (size_t left = http->ended_count; left > 0 && !TAILQ_EMPTY(&http->ended); left--) {
        struct http_transfer *t = TAILQ_FIRST(&http->ended);
        end_remove(t);
        finish(t, t->error, t->answer ? t->answer->why : "out of memory");
    }
    if (!TAILQ_EMPTY(&http->ended)) {
        timer_start(http->timers, &http->end_timer, clock_monotonic(&http->clock));
    }
}

static struct http_transfer *start(void *ctx, const struct http_request *request, http_done *done, void *user) {
    struct http *http = ctx;
    struct http_transfer *t = request->header_count <= HTTP_HEADERS_MAX ? transfer_take(http) : NULL;
    if (!t) {
        return NULL;
    }
    const char *why = NULL;
    t->target = http_origins_take(&http->pool.origins, request->url, request->direct, &why);
    if (!t->target && !why) {
        transfer_give_back(t);
        return NULL;
    }
    t->done = done;
    t->user = user;
    t->request = *request;
    for (size_t i = 0; i < request->header_count; i++) {
        t->headers[i] = request->headers[i];
    }
    t->request.headers = t->headers;
    t->attempts = 0;
    t->sent = false;
    t->answered = 0;
    t->place = AT_NOBODY;
    http_body_begin(t, request->max_response);
    http->in_flight_count++;
    t->in_flight = true;
    TAILQ_INSERT_HEAD(&http->in_flight, t, in_list);
    http_deadline_begin(t);
    if (t->target) {
        http_pool_assign(t, t->began);
    } else {
        end_soon(t, HTTP_REFUSED, why);
    }
    return t;
}

static void cancel(void *ctx, struct http_transfer *t) {
    (void)ctx;
    if (!t || !t->in_flight) {
        return;
    }
    take_away(t);
    leave(t);
    transfer_give_back(t);
}

struct http *http_new(struct loop *loop, const struct http_options *options) {
    struct http *http = calloc(1, sizeof *http);
    if (!http) {
        return NULL;
    }
    http->loop = loop;
    http->clock = loop_clock(loop);
    http->timers = loop_timers(loop);
    http->budget.max = options->response_budget ? options->response_budget : DEFAULT_BUDGET;
    TAILQ_INIT(&http->in_flight);
    TAILQ_INIT(&http->idle);
    TAILQ_INIT(&http->ended);
    timer_init(&http->end_timer, on_end, http);
    http->user_agent = options->user_agent ? strdup(options->user_agent) : NULL;
    struct http_options own = *options;
    own.user_agent = http->user_agent;
    if (!http_pool_init(&http->pool, loop, &own, on_over) || (options->user_agent && !http->user_agent)) {
        http_free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http) {
    if (!http) {
        return;
    }
    http->pool.is_closing = true;
    for (struct http_transfer *t = TAILQ_FIRST(&http->in_flight), *next; t; t = next) {
        next = TAILQ_NEXT(t, in_list);
        cancel(http, t);
    }
    for (struct http_transfer *t = TAILQ_FIRST(&http->idle), *next; t; t = next) {
        next = TAILQ_NEXT(t, in_list);
        transfer_free(t);
    }
    http_answers_free(&http->answers);
    timer_stop(http->timers, &http->end_timer);
    http_pool_free(&http->pool);
    free(http->user_agent);
    OPENSSL_cleanse(http, sizeof *http); /* what was read last may have been keys */
    free(http);
}

static bool is_answered(void *ctx, const struct http_transfer *t) {
    (void)ctx;
    return t->answered != 0;
}

static void open_ahead(void *ctx, const char *url, size_t count) {
    struct http_pool *pool = &((struct http *)ctx)->pool;
    const char *why = NULL;
    struct http_url *target = http_origins_take(&pool->origins, url, false, &why);
    if (target) {
        http_pool_open_ahead(pool, target->origin, count);
    }
    http_origins_return(target);
}

struct http_api http_api(struct http *http) {
    return (struct http_api){
        .ctx = http, .start = start, .cancel = cancel, .is_answered = is_answered, .open_ahead = open_ahead};
}

struct http_stats http_stats(const struct http *http) {
    return (struct http_stats){
        .transfers = http->in_flight_count, .response_bytes = http->budget.bytes, .connections = http->pool.opened};
}

bool http_trust_read(struct http *http, char *ret_why, size_t size) {
    return connector_read_trust(http->pool.connector, ret_why, size);
}
