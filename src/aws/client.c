/* The client: what all its calls have in common. */
#include "client.h"
#include "client_private.h"

#include "timers.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)4096)
#define LINES_MAX ((size_t)SESSION_TOKEN_MAX + 4096)
#define IDLE_CALLS_MAX 512
#define CONTENT_TYPE "application/x-amz-json-1.0"

/* The parts of an endpoint's URL. */
struct endpoint {
    struct span authority; /* host and port as given */
    struct span host;      /* without the scheme's own port: the Host header */
    struct span path;      /* may be empty */
};

static bool all_of(struct span text, const char *others) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == '\0' || !strchr(others, c))) {
            return false;
        }
    }
    return text.len > 0;
}

static bool read_port(struct span digits, unsigned *ret_port) {
    unsigned port = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || port > 65535) {
            return false;
        }
        port = port * 10 + (unsigned)(digits.data[i] - '0');
    }
    *ret_port = port;
    return digits.len > 0 && port > 0 && port <= 65535;
}

static bool read_host(struct span authority, size_t *ret_len) {
    if (authority.len > 0 && authority.data[0] == '[') {
        const char *end = memchr(authority.data, ']', authority.len);
        size_t len = end ? (size_t)(end - authority.data) + 1 : 0;
        *ret_len = len;
        return len > 2 && all_of(span_of(authority.data + 1, len - 2), ":.");
    }
    const char *colon = authority.len ? memchr(authority.data, ':', authority.len) : NULL;
    *ret_len = colon ? (size_t)(colon - authority.data) : authority.len;
    return all_of(span_of(authority.data, *ret_len), "-._");
}

static bool read_endpoint(const char *url, struct endpoint *ret) {
    bool tls = strncasecmp(url, "https://", 8) == 0;
    if ((!tls && strncasecmp(url, "http://", 7) != 0) || strlen(url) > TEXT_MAX / 2) {
        return false;
    }
    const char *begin = url + (tls ? 8 : 7);
    size_t len = strcspn(begin, "/");
    struct span authority = span_of(begin, len);
    size_t host_len = 0;
    if (!read_host(authority, &host_len)) {
        return false;
    }
    struct span host = authority;
    if (host_len < len) {
        unsigned port = 0;
        if (begin[host_len] != ':' || !read_port(span_of(begin + host_len + 1, len - host_len - 1), &port)) {
            return false;
        }
        host.len = port == (tls ? 443U : 80U) ? host_len : len;
    }
    struct span path = span_cstr(begin + len);
    if (path.len > 0 && !all_of(path, "/-._~%!$&'()*+,;=:@")) {
        return false;
    }
    *ret = (struct endpoint){authority, host, path};
    return true;
}

bool aws_endpoint_valid(const char *url) {
    struct endpoint endpoint;
    return read_endpoint(url, &endpoint);
}

static bool fill(struct aws_client *c, const struct aws_client_options *options) {
    struct endpoint endpoint;
    if (!read_endpoint(options->endpoint, &endpoint)) {
        return false;
    }
    const struct sigv4_scope scope = {span_cstr(options->region), span_cstr(options->signing_name)};
    c->signer = sigv4_signer_new(options->digest, &scope, endpoint.path, SPAN(CONTENT_TYPE), endpoint.host);
    return c->signer && buf_append_cstr(&c->url, options->endpoint) && (endpoint.path.len > 0 || buf_append_char(&c->url, '/')) &&
           buf_append_cstr(&c->host_line, "Host: ") && buf_append_span(&c->host_line, endpoint.host) &&
           buf_append_cstr(&c->target_prefix, options->target_prefix);
}

struct aws_client *aws_client_new(const struct aws_client_options *options) {
    struct aws_client *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->credentials = options->credentials;
    c->http = options->http;
    c->clock = options->clock;
    c->timers = options->timers;
    c->random = options->random;
    c->log = options->log;
    c->policy = options->retry.max_attempts ? options->retry : retry_policy_default();
    c->verify_crc32 = options->verify_crc32;
    retry_budget_init(&c->budget);
    buf_init(&c->url, TEXT_MAX);
    buf_init(&c->host_line, TEXT_MAX);
    buf_init(&c->target_prefix, TEXT_MAX);
    if (!fill(c, options)) {
        aws_client_free(c);
        return NULL;
    }
    return c;
}

static void list_push(struct call **list, struct call *call) {
    call->previous = NULL;
    call->next = *list;
    if (*list) {
        (*list)->previous = call;
    }
    *list = call;
}

static void list_remove(struct call **list, struct call *call) {
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        *list = call->next;
    }
    if (call->next) {
        call->next->previous = call->previous;
    }
}

static void free_call(struct call *call) {
    if (call->lines.data) {
        OPENSSL_cleanse(call->lines.data, call->lines.capacity);
    }
    buf_free(&call->lines);
    buf_free(&call->target_line);
    free(call);
}

struct call *client_take_call(struct aws_client *c) {
    struct call *call = c->idle;
    if (call) {
        list_remove(&c->idle, call);
        c->idle_count--;
        const struct buf lines = call->lines, target_line = call->target_line;
        *call = (struct call){.lines = lines, .target_line = target_line};
        buf_reset(&call->lines);
        buf_reset(&call->target_line);
    } else {
        call = calloc(1, sizeof *call);
        if (!call) {
            return NULL;
        }
        buf_init(&call->lines, LINES_MAX);
        buf_init(&call->target_line, TEXT_MAX);
    }
    call->client = c;
    list_push(&c->in_flight, call);
    c->stats.calls++;
    return call;
}

void client_give_back(struct call *call) {
    struct aws_client *c = call->client;
    call->state = CALL_IDLE;
    list_remove(&c->in_flight, call);
    c->stats.calls--;
    if (c->idle_count >= IDLE_CALLS_MAX) {
        free_call(call);
        return;
    }
    list_push(&c->idle, call);
    c->idle_count++;
}

void aws_client_free(struct aws_client *c) {
    if (!c) {
        return;
    }
    while (c->in_flight) {
        call_cancel(c->in_flight);
    }
    for (struct call *call = c->idle, *next; call; call = next) {
        next = call->next;
        free_call(call);
    }
    sigv4_signer_free(c->signer);
    buf_free(&c->url);
    buf_free(&c->host_line);
    buf_free(&c->target_prefix);
    free(c);
}

struct aws_client_stats aws_client_stats(const struct aws_client *client) {
    return client->stats;
}
