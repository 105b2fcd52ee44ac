#include "sts_call.h"

#include "digest.h"
#include "http_date.h"
#include "retry.h"
#include "sigv4.h"
#include "sts_response.h"
#include "token_file.h"
#include "url.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)256 * 1024)
#define LINES_MAX ((size_t)SESSION_TOKEN_MAX + 8192)
#define CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define TIMEOUT (5 * MICROSECONDS)
#define ATTEMPTS 3
#define SKEW_MAX (240 * MICROSECONDS)
#define WHY_SIZE 768

void sts_call_init(struct sts_call *c, const struct sts_place *place, const struct credentials_world *world,
                   void (*done)(void *user, const struct credentials *credentials, const struct sts_failure *failure),
                   void *user) {
    *c = (struct sts_call){.place = place, .world = world, .done = done, .user = user};
    buf_init(&c->body, BODY_MAX);
    buf_init(&c->lines, LINES_MAX);
}

void sts_call_begin(struct sts_call *c, const char *action) {
    buf_wipe(&c->body);
    c->clock_corrected = false;
    c->signer.id[0] = '\0';
    /* Room for any usual body at once, so that growing leaves no copies of a token behind. */
    if (buf_reserve(&c->body, BODY_MAX / 2)) {
        (void)buf_printf(&c->body, "Action=%s&Version=2011-06-15", action);
    }
}

void sts_call_add(struct sts_call *c, const char *name, struct span value) {
    (void)buf_printf(&c->body, "&%s=", name);
    for (size_t i = 0; i < value.len; i++) {
        char x = value.data[i];
        bool plain =
            (x >= 'A' && x <= 'Z') || (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || (x && strchr("-._~", x));
        if (plain) {
            (void)buf_append_char(&c->body, x);
        } else {
            (void)buf_printf(&c->body, "%%%02X", (unsigned char)x);
        }
    }
}

static void fail(struct sts_call *c, enum call_class class, const char *why, bool keys_refused) {
    c->done(c->user, NULL, &(struct sts_failure){{class, why}, keys_refused});
}

/* Writes the lines for host, date, token and Authorization. */
static bool write_lines(struct sts_call *c, size_t *ret_count) {
    struct buf *lines = &c->lines;
    struct url url;
    if (url_read(c->place->url, &url, NULL) != URL_FINE) {
        return false;
    }
    struct span host = span_cstr(url.authority);
    char date[SIGV4_DATE_SIZE], signature[SIGV4_SIGNATURE_SIZE];
    struct buf canonical, signed_headers, to_sign;
    buf_init(&canonical, LINES_MAX);
    buf_init(&signed_headers, 256);
    buf_init(&to_sign, 1024);
    sigv4_date(clock_wall(&c->world->clock) + c->skew, date);
    const struct sigv4_header headers[] = {{SPAN("Content-Type"), SPAN(CONTENT_TYPE)},
                                           {SPAN("Host"), host},
                                           {SPAN("X-Amz-Date"), span_cstr(date)},
                                           {SPAN("X-Amz-Security-Token"), span_cstr(c->signer.token)}};
    struct sigv4_request request = {.method = SPAN("POST"),
                                    .path = span_cstr(url.path),
                                    .query = SPAN(""),
                                    .headers = headers,
                                    .header_count = c->signer.token[0] ? 4 : 3};
    const struct sigv4_scope scope = {span_cstr(c->place->region), SPAN("sts")};
    uint8_t hash[SHA256_SIZE], key[SHA256_SIZE];
    bool fine = digest_sha256(c->world->digest, buf_span(&c->body), hash);
    if (fine) {
        hex_encode(hash, sizeof hash, request.body_hash);
        fine = sigv4_canonical_request(&request, &canonical, &signed_headers) &&
               sigv4_string_to_sign(c->world->digest, &scope, date, buf_span(&canonical), &to_sign) &&
               sigv4_key(c->world->digest, &scope, date, span_cstr(c->signer.secret), key) &&
               sigv4_signature(c->world->digest, key, buf_span(&to_sign), signature);
        OPENSSL_cleanse(key, sizeof key);
    }
    size_t at[4] = {0};
    buf_reset(lines);
    fine = fine && buf_reserve(lines, LINES_MAX - 1) && buf_append_cstr(lines, "Host: ") &&
           buf_append_span(lines, host) && buf_append_char(lines, '\0');
    at[1] = lines->len;
    fine = fine && buf_append_cstr(lines, "X-Amz-Date: ") && buf_append(lines, date, sizeof date);
    at[2] = lines->len;
    fine = fine && buf_append_cstr(lines, "Authorization: ") &&
           sigv4_authorization(&scope, date, span_cstr(c->signer.id), buf_span(&signed_headers), signature, lines) &&
           buf_append_char(lines, '\0');
    at[3] = lines->len;
    fine = fine && (!c->signer.token[0] ||
                    (buf_append_cstr(lines, "X-Amz-Security-Token: ") && buf_append_cstr(lines, c->signer.token)));
    for (size_t i = 0; fine && i < (c->signer.token[0] ? 4 : 3); i++) {
        c->headers[(*ret_count)++] = lines->data + at[i];
    }
    buf_wipe(&canonical);
    buf_free(&signed_headers);
    buf_free(&to_sign);
    url_free(&url);
    return fine;
}

static bool is_transient_code(const char *code) {
    return strcmp(code, "IDPCommunicationError") == 0 || retry_classify(400, code, true) == CALL_THROTTLED ||
           retry_classify(400, code, true) == CALL_RETRY;
}

static bool worth_a_retry(void *user, const struct http_response *response) {
    (void)user;
    char why[DOCUMENT_WHY_SIZE];
    struct credentials_document *d = response->status == 200 ? NULL : sts_response_read(response->body, why);
    bool worth = d && is_transient_code(d->code);
    credentials_document_free(d);
    return worth;
}

static void send(struct sts_call *c);

/* If the refusal may come from our clock: signs and sends once more, with the service's time. */
static bool correct_clock(struct sts_call *c, const struct http_response *response, const char *code) {
    int64_t date = 0, wall = clock_wall(&c->world->clock);
    if (c->clock_corrected || !c->signer.id[0] || !(retry_may_be_clock(code) || strcmp(code, "AccessDenied") == 0) ||
        !http_date_parse(response->header[HTTP_DATE], &date) || llabs(date - (wall + c->skew)) <= SKEW_MAX) {
        return false;
    }
    c->skew = date - wall;
    c->clock_corrected = true;
    send(c);
    return true;
}

static void refused(struct sts_call *c, const struct http_response *response, const struct credentials_document *d) {
    char why[WHY_SIZE];
    if (correct_clock(c, response, d->code)) {
        return;
    }
    bool keys_refused = c->signer.id[0] && retry_classify(response->status, d->code, true) == CALL_AUTH;
    bool transient = response->status >= 500 || is_transient_code(d->code);
    (void)snprintf(why, sizeof why, "AWS STS (%.100s) refuses: %.100s: %.255s%s", c->place->url, d->code, d->message,
                   strcmp(d->code, "AccessDenied") == 0 ? "; look at the role's trust policy" : "");
    fail(c, transient ? CALL_RETRY : CALL_AUTH, why, keys_refused);
}

static void on_response(void *user, const struct http_response *response) {
    struct sts_call *c = user;
    char why[WHY_SIZE], reason[DOCUMENT_WHY_SIZE];
    if (response->error != HTTP_FINE) {
        (void)snprintf(why, sizeof why, "AWS STS (%.100s) can't be reached: %.200s", c->place->url, response->message);
        fail(c, CALL_RETRY, why, false);
        return;
    }
    struct credentials_document *d = sts_response_read(response->body, reason);
    if (d && d->code[0]) {
        refused(c, response, d);
    } else if (d && response->status == 200) {
        c->done(c->user, &d->credentials, NULL);
    } else {
        (void)snprintf(why, sizeof why, "AWS STS (%.100s) answers with status %d, and not as it should: %s",
                       c->place->url, response->status, d ? "credentials with another status than 200" : reason);
        fail(c, CALL_RETRY, why, false);
    }
    credentials_document_free(d);
}

static void send(struct sts_call *c) {
    size_t count = 0;
    c->headers[count++] = "Content-Type: " CONTENT_TYPE;
    if (!buf_ok(&c->body) || (c->signer.id[0] && !write_lines(c, &count))) {
        fail(c, CALL_RETRY, "there is no memory for a request to AWS STS, or the token for it is too long", false);
        return;
    }
    const struct http_request request = {
        .method = HTTP_POST,
        .url = c->place->url,
        .headers = c->headers,
        .header_count = count,
        .body = buf_span(&c->body),
        .timeout = TIMEOUT,
        .connect_timeout = TIMEOUT,
    };
    c->request.worth_a_retry = worth_a_retry;
    metadata_request_start(&c->request, c->world, &request, ATTEMPTS, on_response, c);
}

static void copy(struct span from, char *to, size_t size) {
    size_t len = from.len < size ? from.len : size - 1;
    if (len) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

void sts_call_send(struct sts_call *c, const struct credentials *signer) {
    if (signer) {
        copy(signer->access_key_id, c->signer.id, sizeof c->signer.id);
        copy(signer->secret_access_key, c->signer.secret, sizeof c->signer.secret);
        copy(signer->session_token, c->signer.token, sizeof c->signer.token);
    }
    send(c);
}

void sts_call_cancel(struct sts_call *c) {
    metadata_request_cancel(&c->request);
}

void sts_call_done(struct sts_call *c) {
    sts_call_cancel(c);
    buf_wipe(&c->body);
    buf_wipe(&c->lines);
    OPENSSL_cleanse(&c->signer, sizeof c->signer);
}
