/* The port of http.h: starts, cancels and finishes transfers, and keeps their handles for reuse. */
#include "http.h"
#include "http_private.h"
#include "loop.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECTIONS 1024
#define DEFAULT_BUDGET ((size_t)256 * 1024 * 1024)
#define IDLE_TRANSFERS_MAX 512
/* What a transfer keeps of its buffer while nobody uses it. One that brought ten messages is next used for transactions, whose answers are empty,
 * and in time each has brought some. */
#define IDLE_BODY_MAX ((size_t)512)

static void list_push(struct http_transfer **list, struct http_transfer *t) {
    t->previous = NULL;
    t->next = *list;
    if (*list) {
        (*list)->previous = t;
    }
    *list = t;
}

static void list_remove(struct http_transfer **list, struct http_transfer *t) {
    if (t->previous) {
        t->previous->next = t->next;
    } else {
        *list = t->next;
    }
    if (t->next) {
        t->next->previous = t->previous;
    }
}

static void transfer_free(struct http_transfer *t) {
    http_easy_uncount(t);
    if (t->easy) {
        curl_easy_cleanup(t->easy);
    }
    buf_free(&t->body);
    free(t);
}

/* One from the pool, or a new one; in no list. */
static struct http_transfer *transfer_take(struct http *http) {
    struct http_transfer *t = http->idle;
    if (t) {
        list_remove(&http->idle, t);
        http->idle_count--;
        return t;
    }
    t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->http = http;
    t->easy = http_easy_new(t);
    if (!t->easy) {
        transfer_free(t);
        return NULL;
    }
    return t;
}

static void transfer_give_back(struct http_transfer *t) {
    struct http *http = t->http;
    http_easy_uncount(t);
    if (http->idle_count >= IDLE_TRANSFERS_MAX) {
        transfer_free(t);
        return;
    }
    if (t->body.capacity > IDLE_BODY_MAX) {
        buf_free(&t->body);
    }
    list_push(&http->idle, t);
    http->idle_count++;
}

static struct http_transfer *start(void *ctx, const struct http_request *request, http_done *done, void *user) {
    struct http *http = ctx;
    if (!http_multi_reserve(http, http->stats.transfers + 1)) {
        return NULL;
    }
    struct http_transfer *t = transfer_take(http);
    if (!t) {
        return NULL;
    }
    if (!http_easy_prepare(t, request) || curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        transfer_give_back(t);
        return NULL;
    }
    t->done = done;
    t->user = user;
    t->counted = t->body.capacity;
    http->stats.response_bytes += t->counted;
    http->stats.transfers++;
    t->in_flight = true;
    list_push(&http->in_flight, t);
    return t;
}

static void leave(struct http_transfer *t) {
    t->in_flight = false;
    list_remove(&t->http->in_flight, t);
    t->http->stats.transfers--;
}

static void cancel(void *ctx, struct http_transfer *t) {
    struct http *http = ctx;
    if (!t || !t->in_flight) {
        return;
    }
    leave(t);
    curl_multi_remove_handle(http->multi, t->easy);
    transfer_give_back(t);
}

static const char *error_message(const struct http_transfer *t, enum http_error error, CURLcode code) {
    switch (error) {
    case HTTP_FINE:
        return "";
    case HTTP_TOO_LARGE:
        return "the response is larger than it may be";
    case HTTP_OVER_BUDGET:
        return "the responses in flight take all the memory that they may";
    case HTTP_NO_MEMORY:
        return "out of memory";
    default:
        return t->message[0] ? t->message : curl_easy_strerror(code);
    }
}

static void note_connection(struct http_transfer *t) {
    struct http *http = t->http;
    long opened = 0;
    if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened) != CURLE_OK || opened <= 0) {
        return;
    }
    http->stats.connections += (uint64_t)opened;
    if (t->host && http_easy_was_connected(t)) {
        t->host->proved = clock_monotonic(&http->clock);
    }
}

void http_finish(struct http_transfer *t, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    note_connection(t);
    enum http_error error = http_easy_error(t, code);
    struct http_response response = {
        .error = error,
        .status = (int)status,
        .answered = t->answered,
        .body = buf_span(&t->body),
        .storage = &t->body,
        .message = error_message(t, error, code),
    };
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        response.header[i] = http_headers_get(&t->headers, (enum http_header)i);
    }
    leave(t);
    t->done(t->user, &response);
    transfer_give_back(t);
}

/* An absent text is copied as NULL. */
static bool copy_text(const char *text, char **ret_copy) {
    *ret_copy = text ? strdup(text) : NULL;
    return !text || *ret_copy;
}

/* Those that libcurl looks at, whatever they name. */
static bool environment_has_proxy(void) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (getenv(names[i])) {
            return true;
        }
    }
    return false;
}

struct http *http_new(struct loop *loop, const struct http_options *options) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }
    struct http *http = calloc(1, sizeof *http);
    if (!http) {
        curl_global_cleanup();
        return NULL;
    }
    http->loop = loop;
    http->clock = loop_clock(loop);
    http->timers = loop_timers(loop);
    http->has_proxy = environment_has_proxy();
    http->max_connections = options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS;
    http->response_budget = options->response_budget ? options->response_budget : DEFAULT_BUDGET;
    bool ok = copy_text(options->ca_file, &http->ca_file);
    ok = copy_text(options->user_agent, &http->user_agent) && ok;
    if (!http_multi_open(http) || !ok || !random_seed_from_system(&http->random)) {
        http_free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http) {
    if (!http) {
        return;
    }
    for (struct http_transfer *t = http->in_flight, *next; t; t = next) {
        next = t->next;
        cancel(http, t);
    }
    for (struct http_transfer *t = http->idle, *next; t; t = next) {
        next = t->next;
        transfer_free(t);
    }
    http_multi_close(http);
    http_urls_free(&http->urls);
    free(http->ca_file);
    free(http->user_agent);
    free(http);
    curl_global_cleanup();
}

struct http_port http_port(struct http *http) {
    return (struct http_port){.ctx = http, .start = start, .cancel = cancel};
}

struct http_stats http_stats(const struct http *http) {
    return http->stats;
}

bool http_ca_file_check(const char *path, char *ret_why, size_t size) {
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    if (!store) {
        (void)snprintf(ret_why, size, "out of memory");
        return false;
    }
    bool ok = X509_STORE_load_file(store, path) == 1;
    if (!ok) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        (void)snprintf(ret_why, size, "%s", reason ? reason : "no certificates in it");
        ERR_clear_error();
    }
    X509_STORE_free(store);
    return ok;
}
