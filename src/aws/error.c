#include "error.h"

#include "clock.h"
#include "digest.h"
#include "error_body.h"
#include "http_date.h"
#include "retry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER_MAX (86400 * MICROSECONDS)
#define KEPT_TEXT_MAX 64 /* of a header's value when it is quoted in a sentence */

/* x-amzn-query-error: "AWS.SimpleQueueService.NonExistentQueue;Sender". */
static bool set_code_from_query_error(struct span value, char ret_code[static CALL_CODE_SIZE]) {
    const char *semicolon = value.len ? memchr(value.data, ';', value.len) : NULL;
    size_t len = semicolon ? (size_t)(semicolon - value.data) : value.len;
    const char *dot = len ? memrchr(value.data, '.', len) : NULL;
    size_t at = dot ? (size_t)(dot - value.data) + 1 : 0;
    return error_set_code(span_of(value.data + at, len - at), ret_code);
}

static bool read_number(struct span text, int64_t max, int64_t *ret_number) {
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        n = n * 10 + (text.data[i] - '0');
        n = n < max ? n : max;
    }
    *ret_number = n;
    return text.len > 0;
}

static int64_t read_retry_after(const struct http_response *response, const struct clock *clock) {
    int64_t n = 0, date = 0, now = 0;
    if (read_number(response->header[HTTP_AMZ_RETRY_AFTER], RETRY_AFTER_MAX / MILLISECOND, &n)) {
        return n * MILLISECOND;
    }
    struct span plain = response->header[HTTP_RETRY_AFTER];
    if (read_number(plain, RETRY_AFTER_MAX / MICROSECONDS, &n)) {
        return n * MICROSECONDS;
    }
    if (!http_date_parse(plain, &date)) {
        return 0;
    }
    /* By the server's clock, if the answer has its Date: ours may be off. */
    int64_t left = date - (http_date_parse(response->header[HTTP_DATE], &now) ? now : clock_wall(clock));
    return left < 0 ? 0 : left < RETRY_AFTER_MAX ? left : RETRY_AFTER_MAX;
}

void error_set(struct call_result *result, enum call_class class, const char *message) {
    result->class = class;
    result->code[0] = '\0';
    result->from_service = result->foreign = false;
    error_copy_text(span_cstr(message), result->message, sizeof result->message);
}

static bool crc32_fits(const struct http_response *response) {
    int64_t expected = 0;
    struct span header = response->header[HTTP_CRC32];
    return !header.data || !read_number(header, (int64_t)UINT32_MAX + 1, &expected) ||
           digest_crc32(response->body) == (uint32_t)expected;
}

static bool is_plain(const struct http_response *response) {
    struct span encoding = response->header[HTTP_ENCODING];
    return encoding.len == 0 || (encoding.len == 8 && strncasecmp(encoding.data, "identity", 8) == 0);
}

void error_foreign(const struct http_response *response, const char *host, const char *why,
                   struct call_result *result) {
    char text[CALL_MESSAGE_SIZE];
    struct span server = response->header[HTTP_SERVER];
    (void)snprintf(text, sizeof text, "HTTP status %d from %.255s%s%.*s%s %s", response->status, host,
                   server.len ? " (Server: " : "", (int)server.len, server.len ? server.data : "",
                   server.len ? ")" : "", why);
    error_copy_text(span_cstr(text), result->message, sizeof result->message);
    result->from_service = false;
    result->foreign = true;
}

/* Reads an error: whether it is the service's, and which. */
static void read_error(const struct http_response *response, const struct error_rules *rules, bool is_marked,
                       struct call_result *result) {
    error_body_read(response->body, result);
    bool has_code = result->code[0] || error_set_code(response->header[HTTP_ERROR_TYPE], result->code) ||
                    set_code_from_query_error(response->header[HTTP_QUERY_ERROR], result->code);
    result->from_service = has_code && is_marked;
    if (result->from_service) {
        result->class = retry_classify(response->status, result->code, true);
        return;
    }
    char why[CALL_CODE_SIZE + 128];
    (void)snprintf(why, sizeof why, "with no error of the service's%s%s%s", has_code ? ": " : "", result->code,
                   has_code ? " without x-amzn-requestid, which the service's errors have" : "");
    result->code[0] = '\0';
    result->class = retry_classify(response->status, "", false);
    error_foreign(response, rules->host, why, result);
}

void error_read(const struct http_response *response, const struct error_rules *rules, const struct clock *clock,
                struct call_result *result) {
    call_result_begin(result, result->attempts);
    result->status = response->status;
    result->answered = response->answered;
    result->untrusted = response->error == HTTP_UNTRUSTED;
    result->retry_after = read_retry_after(response, clock);
    if (response->error != HTTP_FINE) {
        error_set(result, CALL_RETRY, response->message);
        result->unsent = !response->sent;
        return;
    }
    if (!is_plain(response)) {
        char why[KEPT_TEXT_MAX + 128];
        struct span encoding = response->header[HTTP_ENCODING];
        (void)snprintf(why, sizeof why,
                       "that isn't the service's: it is compressed (%.*s), though plain bytes were asked for",
                       (int)(encoding.len < KEPT_TEXT_MAX ? encoding.len : KEPT_TEXT_MAX), encoding.data);
        result->class = CALL_RETRY;
        error_foreign(response, rules->host, why, result);
        return;
    }
    if (rules->checks_marks && !crc32_fits(response)) {
        error_set(result, CALL_RETRY, "the answer does not have the checksum that it came with");
        return;
    }
    bool is_marked = !rules->checks_marks || response->header[HTTP_REQUEST_ID].len || response->header[HTTP_CRC32].len;
    if (response->status != 200) {
        read_error(response, rules, is_marked, result);
    } else if (!is_marked) {
        result->class = CALL_RETRY;
        error_foreign(response, rules->host,
                      "that isn't the service's: it has neither x-amzn-requestid nor x-amz-crc32", result);
    }
    if (response->header[HTTP_REQUEST_ID].len && result->class != CALL_OK) {
        error_copy_text(response->header[HTTP_REQUEST_ID], result->request_id, sizeof result->request_id);
    }
}
