#include "credentials_remote.h"

#include "credentials_document.h"
#include "error_body.h"
#include "token_file.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (2 * MICROSECONDS)
#define ATTEMPTS 3
#define WHY_SIZE 640
#define SAID_SIZE 200 /* of an error's body, this much is quoted */
#define AUTHORIZATION "Authorization: "

struct container {
    char url[CONTAINER_URL_SIZE];
    char *token_file, *token;
    const struct credentials_world *world;
    struct metadata_request request;
    struct buf line; /* the Authorization header */
    const char *headers[2];
    credentials_fetched *done;
    void *user;
};

static const struct document_form form = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "Token",
    .expiration = "Expiration",
    .account_id = "AccountId",
    .code = "code",
    .message = "message",
    .token_needed = true,
    .expiration_needed = true,
};

static void fail(struct container *c, enum call_class class, const char *why) {
    c->done(c->user, NULL, &(struct credentials_failure){class, why});
}

/* A 4xx means that this task or pod gets no credentials; any other failure (429, too) may be over soon. The agent says
 * which of its reasons it was, in plain text or in JSON. */
static void refused(struct container *c, const struct http_response *response) {
    char why[WHY_SIZE], said[SAID_SIZE] = "";
    bool final = response->status >= 400 && response->status < 500 && response->status != 429;
    if (response->body.len && response->body.data[0] != '<')
        error_copy_text(response->body, said, sizeof said);
    (void)snprintf(why, sizeof why, "the container's credentials endpoint (%.200s) answers with status %d%s%s%s%s",
                   c->url, response->status, said[0] ? " (" : "", said, said[0] ? ")" : "",
                   final ? ": look at the task's role, or the pod's association, and at the authorization token" : "");
    fail(c, final ? CALL_AUTH : CALL_RETRY, why);
}

static void on_response(void *user, const struct http_response *response) {
    struct container *c = user;
    char why[WHY_SIZE], reason[DOCUMENT_WHY_SIZE];
    if (response->error != HTTP_FINE) {
        (void)snprintf(why, sizeof why, "the container's credentials endpoint (%.200s) can't be reached: %.200s",
                       c->url, response->message);
        fail(c, CALL_RETRY, why);
        return;
    }
    if (response->status != 200) {
        refused(c, response);
        return;
    }
    struct credentials_document *d = credentials_document_read(response->body, &form, reason);
    if (!d) {
        (void)snprintf(why, sizeof why,
                       "the container's credentials endpoint (%.200s) gives a document that can't be used: %s", c->url,
                       reason);
        fail(c, CALL_RETRY, why);
    } else if (!d->credentials.access_key_id.data) {
        (void)snprintf(why, sizeof why, "the container's credentials endpoint (%.200s) has none: %.100s (%.200s)",
                       c->url, d->code, d->message);
        fail(c, CALL_RETRY, why);
    } else {
        c->done(c->user, &d->credentials, NULL);
    }
    credentials_document_free(d);
}

/* Writes the header line with the token from the file, or else from the variable. False: ret_why says why. If the file
 * fails, the variable isn't tried. */
static bool write_line(struct container *c, char ret_why[static TOKEN_WHY_SIZE]) {
    struct buf token;
    buf_init(&token, TOKEN_FILE_MAX);
    bool fine = true;
    if (c->token_file) {
        fine = token_file_read(c->token_file, &token, ret_why);
    } else if (strpbrk(c->token, "\r\n")) {
        (void)snprintf(ret_why, TOKEN_WHY_SIZE, "AWS_CONTAINER_AUTHORIZATION_TOKEN has line ends inside");
        fine = false;
    }
    buf_wipe(&c->line);
    buf_init(&c->line, TOKEN_FILE_MAX + sizeof AUTHORIZATION);
    struct span value = c->token_file ? buf_span(&token) : span_cstr(c->token);
    if (fine && !(buf_reserve(&c->line, value.len + sizeof AUTHORIZATION) && buf_append_cstr(&c->line, AUTHORIZATION) &&
                  buf_append_span(&c->line, value))) {
        (void)snprintf(ret_why, TOKEN_WHY_SIZE, "there is no memory for the authorization token");
        fine = false;
    }
    buf_wipe(&token);
    return fine;
}

static void container_fetch(void *impl, credentials_fetched *done, void *user) {
    struct container *c = impl;
    c->done = done;
    c->user = user;
    size_t count = 0;
    c->headers[count++] = "Accept: application/json";
    if (c->token_file || c->token) {
        char why[TOKEN_WHY_SIZE];
        if (!write_line(c, why)) {
            fail(c, CALL_RETRY, why);
            return;
        }
        c->headers[count++] = c->line.data;
    }
    const struct http_request request = {
        .method = HTTP_GET,
        .url = c->url,
        .headers = c->headers,
        .header_count = count,
        .timeout = TIMEOUT,
        .connect_timeout = TIMEOUT,
        .direct = metadata_is_local(c->url),
    };
    metadata_request_start(&c->request, c->world, &request, ATTEMPTS, on_response, c);
}

static void container_cancel(void *impl) {
    struct container *c = impl;
    metadata_request_cancel(&c->request);
}

static void container_release(void *impl) {
    struct container *c = impl;
    container_cancel(c);
    buf_wipe(&c->line);
    free(c->token_file);
    if (c->token) {
        OPENSSL_cleanse(c->token, strlen(c->token));
    }
    free(c->token);
    free(c);
}

bool credentials_container_new(const struct container_options *options, const struct credentials_world *world,
                               struct credentials_source *ret_source) {
    struct container *c = calloc(1, sizeof *c);
    if (!c) {
        return false;
    }
    c->world = world;
    memcpy(c->url, options->url, sizeof c->url);
    c->token_file = options->token_file ? strdup(options->token_file) : NULL;
    c->token = options->token && !options->token_file ? strdup(options->token) : NULL;
    if ((options->token_file && !c->token_file) || (options->token && !options->token_file && !c->token)) {
        container_release(c);
        return false;
    }
    *ret_source = (struct credentials_source){c, container_fetch, container_cancel, container_release};
    return true;
}
