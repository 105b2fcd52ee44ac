/* Where a client's calls go: a parsed URL, and the signer for it. */
#include "client.h"
#include "client_private.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)4096)
#define TARGETS_MAX 16 /* how many accounts a client's keys may belong to in its life */
#define CONTENT_TYPE "application/x-amz-json-1.0"

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

static bool has_path(const char *text, const struct url *url) {
    size_t len = strlen(text), path = strlen(url->path);
    return len >= path && strcmp(text + len - path, url->path) == 0;
}

/* libcurl accepts what an endpoint must not have: too many or too few slashes, a port without digits. */
static bool is_endpoint(const char *text, const struct url *url) {
    size_t scheme = url->is_tls ? 8 : 7;
    if (url->has_user || url->query || url->has_fragment ||
        strncasecmp(text, url->is_tls ? "https://" : "http://", scheme) != 0) {
        return false;
    }
    struct span authority = span_cstr(text + scheme);
    authority.len -= has_path(text, url) ? strlen(url->path) : 0;
    return all_of(authority, "-._:[]") && authority.data[authority.len - 1] != ':' &&
           all_of(span_cstr(url->path), "/-._~%!$&'()*+,;=:@");
}

static bool read_endpoint(const char *text, struct url *ret_url) {
    struct url url;
    if (strlen(text) > TEXT_MAX / 2 || url_read(text, &url, NULL) != URL_FINE) {
        return false;
    }
    if (!is_endpoint(text, &url)) {
        url_free(&url);
        return false;
    }
    *ret_url = url;
    return true;
}

bool aws_endpoint_valid(const char *text) {
    struct url url;
    bool valid = read_endpoint(text, &url);
    if (valid) {
        url_free(&url);
    }
    return valid;
}

static bool fill(struct client_origin *t, const struct aws_client *c, const char *text) {
    struct url url;
    if (!read_endpoint(text, &url)) {
        return false;
    }
    const struct sigv4_scope scope = {span_cstr(c->region), span_cstr(c->signing_name)};
    struct span host = span_cstr(url.authority);
    t->signer = sigv4_signer_new(c->digest, &scope, span_cstr(url.path), SPAN(CONTENT_TYPE), host);
    bool ok = t->signer && buf_append_cstr(&t->url, text) && (has_path(text, &url) || buf_append_char(&t->url, '/')) &&
              buf_append_cstr(&t->host_line, "Host: ") && buf_append_span(&t->host_line, host);
    url_free(&url);
    return ok;
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
        (void)snprintf(why, SETTING_WHY_SIZE,
                       "the account's endpoint is not a valid URL, or there is no memory for it");
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
