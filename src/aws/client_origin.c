/* Where a client's calls go: a URL taken apart, and the signer for it. */
#include "client.h"
#include "client_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)4096)
#define TARGETS_MAX 16 /* accounts that one client's keys may be of, one after the other */
#define CONTENT_TYPE "application/x-amz-json-1.0"

/* The parts of an endpoint's URL. */
struct endpoint {
    struct span authority; /* host and port as given */
    struct span host; /* without the scheme's own port: the Host header */
    struct span path; /* may be empty */
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

static bool fill(struct client_origin *t, const struct aws_client *c, const char *url) {
    struct endpoint endpoint;
    if (!read_endpoint(url, &endpoint)) {
        return false;
    }
    const struct sigv4_scope scope = {span_cstr(c->region), span_cstr(c->signing_name)};
    t->signer = sigv4_signer_new(c->digest, &scope, endpoint.path, SPAN(CONTENT_TYPE), endpoint.host);
    return t->signer && buf_append_cstr(&t->url, url) && (endpoint.path.len > 0 || buf_append_char(&t->url, '/')) &&
           buf_append_cstr(&t->host_line, "Host: ") && buf_append_span(&t->host_line, endpoint.host);
}

static void free_target(struct client_origin *t) {
    sigv4_signer_free(t->signer);
    buf_free(&t->url);
    buf_free(&t->host_line);
    free(t);
}

struct client_origin *client_origin_new(struct aws_client *c, const char *url) {
    struct client_origin *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    buf_init(&t->url, TEXT_MAX);
    buf_init(&t->host_line, TEXT_MAX);
    if (!fill(t, c, url)) {
        free_target(t);
        return NULL;
    }
    t->next = c->targets;
    c->targets = t;
    return t;
}

void client_origins_free(struct aws_client *c) {
    while (c->targets) {
        struct client_origin *t = c->targets;
        c->targets = t->next;
        free_target(t);
    }
}

static bool make_target(struct aws_client *c, struct span account_id, char why[static SETTING_WHY_SIZE]) {
    char url[AWS_ENDPOINT_SIZE];
    if (account_id.len >= ACCOUNT_ID_SIZE || !c->endpoint_of_account(c->endpoint_ctx, account_id, url, why)) {
        return false;
    }
    struct client_origin *t = client_origin_new(c, url);
    if (!t) {
        (void)snprintf(why, SETTING_WHY_SIZE, "the account's endpoint is none, or there is no memory for it");
        return false;
    }
    memcpy(t->account_id, account_id.data, account_id.len);
    c->target = t;
    return true;
}

bool client_aim(struct aws_client *c, struct span account_id, char ret_why[static SETTING_WHY_SIZE]) {
    if (!c->endpoint_of_account ||
        (span_is(account_id, c->target->account_id) && (account_id.len || c->nameless_is_fine))) {
        return true;
    }
    if (!account_id.len && !c->nameless_is_fine) {
        char url[AWS_ENDPOINT_SIZE];
        c->nameless_is_fine = c->endpoint_of_account(c->endpoint_ctx, account_id, url, ret_why);
        if (!c->nameless_is_fine) {
            return false;
        }
    }
    size_t count = 0;
    for (struct client_origin *t = c->targets; t; t = t->next, count++) {
        if (span_is(account_id, t->account_id)) {
            c->target = t;
            return true;
        }
    }
    if (count == TARGETS_MAX) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "the credentials have changed their account too often");
        return false;
    }
    return make_target(c, account_id, ret_why);
}
