/* One request of a call: its headers, its signature, its sending. */
#include "block.h"
#include "client_private.h"
#include "error.h"

#include <stdio.h>
#include <string.h>

#define HOST_LINE 0
#define CONTENT_TYPE_LINE 1
#define TARGET_LINE 2
#define ENCODING_LINE 3
#define FIRST_OWN_LINE 4
#define LINES (FIRST_OWN_LINE + 4)

bool attempt_fits_header(struct span text) {
    size_t i = 0;
    for (; text.len - i >= BLOCK_SIZE; i += BLOCK_SIZE) { /* a session token has about a kilobyte */
        block_signed b = (block_signed)block_load(text.data + i);
        if (block_bits((block)(b <= ' ') | (block)(b == 0x7f))) {
            return false;
        }
    }
    for (; i < text.len; i++) {
        if ((signed char)text.data[i] <= ' ' || text.data[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool fail(struct call *call, enum call_class class, const char *message) {
    call->result = (struct call_result){.attempts = call->result.attempts, .unsent = true};
    error_set(&call->result, class, message);
    return false;
}

/* Formats the date once a second: many requests fall into the same second. */
static const char *date_now(struct aws_client *c) {
    int64_t wall = clock_wall(&c->clock) + c->stats.clock_skew;
    if (c->date[0] == '\0' || wall < c->date_from || wall - c->date_from >= MICROSECONDS) {
        sigv4_date(wall, c->date);
        c->date_from = wall - wall % MICROSECONDS;
    }
    return c->date;
}

/* The header lines that differ in each request, one after the other. */
static bool write_lines(struct call *call, const struct credentials *credentials) {
    struct aws_client *c = call->client;
    struct buf *lines = &call->lines;
    const char *date = date_now(c);
    call->skew = c->stats.clock_skew;
    const size_t label = sizeof "X-Amz-Target: " - 1;
    const struct sigv4_post post = {
        .date = date,
        .target = span_of(call->target_line.data + label, call->target_line.len - label),
        .access_key_id = credentials->access_key_id,
        .secret_access_key = credentials->secret_access_key,
        .session_token = credentials->session_token,
        .body = call->operation.body,
        .body_sha256 = call->body_sha256,
    };
    buf_reset(lines);
    if (!buf_append_cstr(lines, "X-Amz-Date: ") || !buf_append(lines, date, SIGV4_DATE_SIZE) ||
        !buf_append_cstr(lines, "Authorization: ") || !sigv4_sign_post(c->target->signer, &post, lines) ||
        !buf_append_char(lines, '\0')) {
        return false;
    }
    return credentials->session_token.len == 0 ||
           (buf_append_cstr(lines, "X-Amz-Security-Token: ") && buf_append_span(lines, credentials->session_token));
}

bool attempt_send(struct call *call, const struct credentials *credentials, http_done *done) {
    struct aws_client *c = call->client;
    struct span id = credentials->access_key_id;
    if (id.len == 0 || id.len >= sizeof call->access_key_id || !attempt_fits_header(id) ||
        !attempt_fits_header(credentials->session_token) || credentials->secret_access_key.len > SIGV4_SECRET_MAX ||
        credentials->session_token.len > SESSION_TOKEN_MAX) {
        return fail(call, CALL_AUTH,
                    "the credentials are malformed: an access key id or session token can't hold blanks or line ends");
    }
    char why[SETTING_WHY_SIZE];
    if (!client_aim(c, credentials->account_id, why)) {
        return fail(call, CALL_AUTH, why);
    }
    memcpy(call->access_key_id, id.data, id.len);
    call->access_key_id[id.len] = '\0';
    if (!write_lines(call, credentials)) {
        return fail(call, CALL_RETRY, "the request could not be signed: out of memory");
    }
    const char *lines[LINES] = {
        [HOST_LINE] = c->target->host_line.data,
        [CONTENT_TYPE_LINE] = "Content-Type: application/x-amz-json-1.0",
        [TARGET_LINE] = call->target_line.data,
        [ENCODING_LINE] = "Accept-Encoding: identity", /* not signed: proxies may change it */
    };
    size_t count = FIRST_OWN_LINE;
    for (size_t at = 0; at < call->lines.len; at += strlen(call->lines.data + at) + 1) {
        lines[count++] = call->lines.data + at;
    }
    if (c->trace_line[0]) {
        lines[count++] = c->trace_line; /* not signed */
    }
    const struct http_request request = {
        .method = HTTP_POST,
        .url = c->target->url.data,
        .headers = lines,
        .header_count = count,
        .body = call->operation.body,
        .max_response = call->operation.max_response,
        .timeout = call->operation.attempt_timeout,
        .silence = call->operation.attempt_silence,
        .wait = call->operation.attempt_wait,
    };
    call->target = c->target;
    call->sent_at = c->log && log_wants(c->log, LOG_LEVEL_DEBUG) ? clock_monotonic(&c->clock) : 0;
    call->transfer = c->http.start(c->http.ctx, &request, done, call);
    if (!call->transfer) {
        return fail(call, CALL_RETRY, "the request could not be sent: out of memory");
    }
    call->result.attempts++;
    c->stats.requests++;
    return true;
}
