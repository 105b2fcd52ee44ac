#include "imds.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_LIFE "21600"
#define TOKEN_LIFE_SECONDS 21600
#define TOKEN_SLACK 60 /* seconds before its end when a token is no longer used */

static void fail(struct imds *m, enum call_class class, const char *why) {
    m->failed(m->user, class, why);
}

/* Says why no token came. Inside a container the usual reason is the hop limit: the answer to the PUT doesn't get
 * through. */
static void no_token(struct imds *m, const struct http_response *response) {
    char why[IMDS_WHY_SIZE];
    enum call_class class = CALL_RETRY;
    const char *at = m->options.url;
    if (response->error == HTTP_TIMED_OUT) {
        (void)snprintf(
            why, sizeof why,
            "the instance metadata service (%.100s) gives no token in time; inside a container of an EC2 instance its "
            "hop limit has to be at least 2: aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2",
            at);
    } else if (response->error != HTTP_FINE) {
        (void)snprintf(why, sizeof why, "the instance metadata service (%.100s) can't be reached: %.200s", at,
                       response->message);
    } else if (response->status == 403) {
        class = CALL_AUTH;
        (void)snprintf(why, sizeof why,
                       "the instance metadata service (%.100s) is turned off for this instance (status 403)", at);
    } else if (response->status == 404 || response->status == 405) {
        class = CALL_AUTH;
        (void)snprintf(
            why, sizeof why,
            "the instance metadata service (%.100s) gives no tokens (status %d): it has to speak IMDSv2; version 1 is "
            "not used",
            at, response->status);
    } else {
        m->busy = imds_is_busy(response->status);
        (void)snprintf(why, sizeof why, "the instance metadata service (%.100s) gives no token: status %d", at,
                       response->status);
    }
    fail(m, class, why);
}

static bool take_token(struct imds *m, struct span body) {
    if (!body.len || body.len >= sizeof m->token) {
        return false;
    }
    for (size_t i = 0; i < body.len; i++) {
        if (body.data[i] <= ' ' || body.data[i] > '~') {
            return false;
        }
    }
    memcpy(m->token, body.data, body.len);
    m->token[body.len] = '\0';
    m->token_until = clock_monotonic(&m->world->clock) + (TOKEN_LIFE_SECONDS - TOKEN_SLACK) * MICROSECONDS;
    return true;
}

static void send(struct imds *m, enum http_method method, const char *path, const char *line, http_done *done) {
    m->headers[0] = line;
    (void)snprintf(m->url, sizeof m->url, "%s/latest/%s", m->options.url, path);
    const struct http_request request = {
        .method = method,
        .url = m->url,
        .headers = m->headers,
        .header_count = 1,
        .timeout = m->options.timeout,
        .connect_timeout = m->options.timeout / 10 * 9, /* less, to tell "no connection" from "no answer" */
        .direct = metadata_is_local(m->options.url),
    };
    metadata_request_start(&m->request, m->world, &request, m->options.attempts, done, m);
}

static void on_document(void *user, const struct http_response *response);

static void ask_document(struct imds *m) {
    (void)snprintf(m->token_line, sizeof m->token_line, "x-aws-ec2-metadata-token: %s", m->token);
    send(m, HTTP_GET, m->path, m->token_line, on_document);
}

static void on_token(void *user, const struct http_response *response) {
    struct imds *m = user;
    if (response->error != HTTP_FINE || response->status != 200) {
        no_token(m, response);
    } else if (!take_token(m, response->body)) {
        fail(m, CALL_RETRY,
             "the instance metadata service gives a token that can't be used: empty, too long, or with blanks inside");
    } else {
        ask_document(m);
    }
}

static void ask_token(struct imds *m) {
    m->token_renewed = true;
    send(m, HTTP_PUT, "api/token", "x-aws-ec2-metadata-token-ttl-seconds: " TOKEN_LIFE, on_token);
}

static void on_document(void *user, const struct http_response *response) {
    struct imds *m = user;
    char why[IMDS_WHY_SIZE];
    if (response->error != HTTP_FINE) {
        m->busy = true;
        (void)snprintf(why, sizeof why, "the instance metadata service (%.100s) fails: %.200s", m->options.url,
                       response->message);
        fail(m, CALL_RETRY, why);
    } else if (response->status == 401 && !m->token_renewed) {
        ask_token(m);
    } else if (response->status == 401) {
        m->token[0] = '\0';
        fail(m, CALL_RETRY, "the instance metadata service refuses the token that it gave a moment ago (status 401)");
    } else {
        m->busy = imds_is_busy(response->status);
        m->got(m->user, response);
    }
}

void imds_init(struct imds *m, const struct imds_options *options, const struct credentials_world *world,
               void (*got)(void *user, const struct http_response *response),
               void (*failed)(void *user, enum call_class class, const char *why), void *user) {
    *m = (struct imds){.options = *options, .world = world, .got = got, .failed = failed, .user = user};
}

void imds_begin(struct imds *m) {
    m->token_renewed = m->busy = false;
}

void imds_get(struct imds *m, const char *path) {
    (void)snprintf(m->path, sizeof m->path, "%s", path);
    if (m->token[0] && clock_monotonic(&m->world->clock) < m->token_until) {
        ask_document(m);
    } else {
        ask_token(m);
    }
}

void imds_cancel(struct imds *m) {
    metadata_request_cancel(&m->request);
}

void imds_done(struct imds *m) {
    imds_cancel(m);
    OPENSSL_cleanse(m->token, sizeof m->token);
    OPENSSL_cleanse(m->token_line, sizeof m->token_line);
}
