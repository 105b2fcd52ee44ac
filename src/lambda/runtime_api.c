#include "runtime_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NO_TIMEOUT = 3650LL * 86400 * MICROSECONDS; /* Lambda may freeze an environment for any time */
static const int64_t ANSWER_TIMEOUT = 10 * MICROSECONDS;
static const int64_t FIRST_PAUSE = 50 * MILLISECOND;
static const unsigned TRIES = 5;
static const size_t EVENT_MAX = (size_t)32 << 20, REPLY_MAX = (size_t)64 << 10;
static const int64_t MILLISECONDS_MAX = INT64_MAX / MILLISECOND;

#define ADDRESS_MAX 255
#define URL_SIZE (ADDRESS_MAX + 64)
#define CALL_SIZE (RUNTIME_ID_SIZE + 32)

struct runtime_api {
    struct runtime_options options;
    char url[URL_SIZE]; /* every call's URL begins with this */
    struct http_transfer *transfer;
    struct timer again;
    unsigned tries;

    /* What is under way. */
    char call[CALL_SIZE], error_line[128];
    const char *lines[2];
    struct http_request request;
    http_done *on_reply;
    runtime_next_done *next_done;
    runtime_answer_done *answer_done;
    void *user;
};

bool runtime_api_address_fits(const char *address) {
    size_t len = strlen(address);
    return len > 0 && len <= ADDRESS_MAX &&
           strspn(address, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == len;
}

static void send(struct runtime_api *api);

static void on_again(void *user) {
    send(user);
}

struct runtime_api *runtime_api_new(const struct runtime_options *options) {
    struct runtime_api *api = calloc(1, sizeof *api);
    if (api) {
        api->options = *options;
        (void)snprintf(api->url, sizeof api->url, "http://%s/2018-06-01/runtime/", options->address);
        timer_init(&api->again, on_again, api);
    }
    return api;
}

void runtime_api_free(struct runtime_api *api) {
    if (!api) {
        return;
    }
    timer_stop(api->options.timers, &api->again);
    if (api->transfer) {
        api->options.http.cancel(api->options.http.ctx, api->transfer);
    }
    free(api);
}

static void give_up(struct runtime_api *api) {
    if (api->next_done) {
        api->next_done(api->user, NULL);
    } else {
        api->answer_done(api->user, false, false);
    }
}

/* Tries again later, or gives up. */
static void failed(struct runtime_api *api, const struct http_response *response, const char *why) {
    if (++api->tries >= TRIES) {
        LOG_EVENT(api->options.log, LOG_LEVEL_ERROR, "Lambda's runtime API has failed five times; giving up",
                  LOG_C("why", why), LOG_I("status", response ? response->status : 0));
        give_up(api);
        return;
    }
    LOG_EVENT(api->options.log, LOG_LEVEL_WARNING, "Lambda's runtime API fails; trying again", LOG_C("why", why),
              LOG_I("status", response ? response->status : 0));
    int64_t pause = FIRST_PAUSE << (api->tries - 1);
    timer_start(api->options.timers, &api->again, clock_monotonic(&api->options.clock) + pause);
}

static const char *why_failed(const struct http_response *response) {
    return response->error != HTTP_FINE ? response->message : "an unexpected status";
}

static void send(struct runtime_api *api) {
    const struct http_api *http = &api->options.http;
    api->transfer = http->start(http->ctx, &api->request, api->on_reply, api);
    if (!api->transfer) {
        failed(api, NULL, "no memory");
    }
}

/* Reads milliseconds since 1970; returns wall microseconds. NEVER: it is no such number. */
static int64_t deadline_of(struct span text) {
    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || number > (MILLISECONDS_MAX - digit) / 10) {
            return NEVER;
        }
        number = number * 10 + digit;
    }
    return text.len > 0 ? number * MILLISECOND : NEVER;
}

/* Takes the response's memory as it is, if it may; otherwise copies. */
static bool take_event(const struct http_response *response, struct buf *ret_event) {
    buf_init(ret_event, EVENT_MAX);
    if (response->storage && !response->storage->lent) {
        *ret_event = *response->storage;
        *response->storage = (struct buf){.max = ret_event->max};
        return true;
    }
    return buf_append_span(ret_event, response->body);
}

static void on_next(void *user, const struct http_response *response) {
    struct runtime_api *api = user;
    struct span id = response->header[HTTP_LAMBDA_REQUEST_ID], trace = response->header[HTTP_LAMBDA_TRACE_ID];
    struct runtime_invocation invocation = {.request_id = ""};
    api->transfer = NULL;
    if (response->error != HTTP_FINE || response->status != 200) {
        failed(api, response, why_failed(response));
        return;
    }
    if (id.len == 0 || id.len >= sizeof invocation.request_id) {
        failed(api, response, "an invocation without a request id");
        return;
    }
    if (!take_event(response, &invocation.event)) {
        buf_free(&invocation.event);
        failed(api, response, "no memory");
        return;
    }
    memcpy(invocation.request_id, id.data, id.len);
    if (trace.len > 0 && trace.len < sizeof invocation.trace_id) {
        memcpy(invocation.trace_id, trace.data, trace.len);
    }
    invocation.deadline = deadline_of(response->header[HTTP_LAMBDA_DEADLINE]);
    api->next_done(api->user, &invocation);
}

bool runtime_api_next(struct runtime_api *api, runtime_next_done *done, void *user) {
    api->tries = 0;
    api->next_done = done;
    api->on_reply = on_next;
    api->user = user;
    api->request = (struct http_request){.method = HTTP_GET,
                                         .url = api->url,
                                         .path_end = "invocation/next",
                                         .max_response = EVENT_MAX,
                                         .timeout = NO_TIMEOUT,
                                         .direct = true};
    const struct http_api *http = &api->options.http;
    api->transfer = http->start(http->ctx, &api->request, on_next, api);
    return api->transfer != NULL;
}

/* A refusal counts as an answer: the same request would be refused again (it may have been sent twice, or its time is
 * over). */
static void on_answered(void *user, const struct http_response *response) {
    struct runtime_api *api = user;
    api->transfer = NULL;
    bool refused = response->error == HTTP_FINE && response->status >= 400 && response->status < 500;
    if (response->error == HTTP_FINE && response->status >= 200 && response->status < 300) {
        api->answer_done(api->user, true, false);
    } else if (refused && response->status == 413) {
        api->answer_done(api->user, false, true);
    } else if (refused) {
        LOG_EVENT(api->options.log, LOG_LEVEL_WARNING, "Lambda's runtime API refuses an answer",
                  LOG_I("status", response->status));
        api->answer_done(api->user, true, false);
    } else {
        failed(api, response, why_failed(response));
    }
}

/* Sets what the URL of an answer ends with. Without snprintf(), as each invocation pays for it. */
static void name_call(struct runtime_api *api, const char *request_id, const char *what) {
    struct buf call;
    buf_init_lent(&call, api->call, sizeof api->call, sizeof api->call - 1);
    buf_append_cstr(&call, request_id ? "invocation/" : "init/error");
    if (request_id) {
        buf_append_cstr(&call, request_id);
        buf_append_cstr(&call, "/");
        buf_append_cstr(&call, what);
    }
}

bool runtime_api_answer(struct runtime_api *api, const char *request_id, const char *error_type, struct span body,
                        runtime_answer_done *done, void *user) {
    api->tries = 0;
    api->next_done = NULL;
    api->answer_done = done;
    api->on_reply = on_answered;
    api->user = user;
    name_call(api, request_id, error_type ? "error" : "response");
    if (error_type) {
        (void)snprintf(api->error_line, sizeof api->error_line, "Lambda-Runtime-Function-Error-Type: %.80s",
                       error_type);
    }
    api->lines[0] = "Content-Type: application/json";
    api->lines[1] = api->error_line;
    api->request = (struct http_request){.method = HTTP_POST,
                                         .url = api->url,
                                         .path_end = api->call,
                                         .headers = api->lines,
                                         .header_count = error_type ? 2 : 1,
                                         .body = body,
                                         .max_response = REPLY_MAX,
                                         .timeout = ANSWER_TIMEOUT,
                                         .direct = true};
    const struct http_api *http = &api->options.http;
    api->transfer = http->start(http->ctx, &api->request, on_answered, api);
    return api->transfer != NULL;
}
