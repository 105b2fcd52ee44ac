#include "error.h"

#include "buf.h"
#include "clock.h"
#include "digest.h"
#include "http_date.h"
#include "json_reader.h"
#include "retry.h"

#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_MAX (86400 * MICROSECONDS)
#define TEXT_MAX ((size_t)8 * CALL_MESSAGE_SIZE) /* raw JSON text of a message that is looked at; escapes take up to six bytes each */

/* Copies at most size - 1 bytes, cut where a character ends, control characters as spaces. */
static void copy_cut(struct span text, char *ret_text, size_t size) {
    size_t len = text.len < size ? text.len : size - 1;
    while (len < text.len && len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        ret_text[i] = c < 0x20 || c == 0x7f ? ' ' : text.data[i];
    }
    ret_text[len] = '\0';
}

/* The longest beginning of a raw JSON string that ends between its characters and escapes. */
static struct span raw_beginning(struct span raw, size_t max) {
    if (raw.len <= max) {
        return raw;
    }
    size_t at = 0;
    for (;;) {
        size_t next = at + 1;
        if (raw.data[at] == '\\') {
            /* A surrogate pair is two escapes; a first half alone could not be decoded. */
            bool unicode = raw.data[at + 1] == 'u';
            bool first_half = unicode && (raw.data[at + 2] | 0x20) == 'd' && strchr("89abAB", raw.data[at + 3]);
            next = at + (first_half ? 12 : unicode ? 6 : 2);
        } else {
            while (next < raw.len && ((unsigned char)raw.data[next] & 0xc0) == 0x80) {
                next++;
            }
        }
        if (next > max) {
            return span_of(raw.data, at);
        }
        at = next;
    }
}

/* "com.amazonaws.sqs#QueueDoesNotExist:http://…" is QueueDoesNotExist. False: nothing that looks like an exception's name is left. */
static bool set_code(struct span type, char ret_code[static CALL_CODE_SIZE]) {
    const char *colon = type.len ? memchr(type.data, ':', type.len) : NULL;
    size_t len = colon ? (size_t)(colon - type.data) : type.len;
    const char *hash = len ? memrchr(type.data, '#', len) : NULL;
    size_t at = hash ? (size_t)(hash - type.data) + 1 : 0;
    if (len == at || len - at >= CALL_CODE_SIZE) {
        return false;
    }
    for (size_t i = at; i < len; i++) {
        char c = type.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')) {
            return false;
        }
    }
    memcpy(ret_code, type.data + at, len - at);
    ret_code[len - at] = '\0';
    return true;
}

/* x-amzn-query-error: "AWS.SimpleQueueService.NonExistentQueue;Sender". */
static bool set_code_from_query_error(struct span value, char ret_code[static CALL_CODE_SIZE]) {
    const char *semicolon = value.len ? memchr(value.data, ';', value.len) : NULL;
    size_t len = semicolon ? (size_t)(semicolon - value.data) : value.len;
    const char *dot = len ? memrchr(value.data, '.', len) : NULL;
    size_t at = dot ? (size_t)(dot - value.data) + 1 : 0;
    return set_code(span_of(value.data + at, len - at), ret_code);
}

static void take_string(struct span raw, struct buf *scratch, bool is_type, struct call_result *result) {
    buf_reset(scratch);
    if (!json_unescape(raw_beginning(raw, TEXT_MAX), scratch)) {
        return;
    }
    if (is_type) {
        (void)set_code(buf_span(scratch), result->code);
    } else {
        copy_cut(buf_span(scratch), result->message, sizeof result->message);
    }
}

/* The members of the error's object that we know. False: the body is no JSON object. */
static bool read_members(struct json_reader *reader, struct buf *scratch, struct call_result *result) {
    struct json_token token;
    if (json_next(reader, &token) != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(reader, &token) == JSON_NAME) {
        bool is_type = json_token_is(&token, "__type");
        bool is_message = json_token_is(&token, "message") || json_token_is(&token, "Message");
        if (json_next(reader, &token) == JSON_STRING && (is_type || is_message)) {
            take_string(token.raw, scratch, is_type, result);
        } else if (!json_skip(reader, &token)) {
            return false;
        }
    }
    return token.event == JSON_OBJECT_END && json_next(reader, &token) == JSON_END;
}

static void read_body(struct span body, struct call_result *result) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader reader;
    struct buf scratch;
    json_reader_init(&reader, body, &options);
    buf_init(&scratch, TEXT_MAX);
    if (!read_members(&reader, &scratch, result)) {
        result->code[0] = '\0';
        result->message[0] = '\0';
    }
    json_reader_done(&reader);
    buf_free(&scratch);
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

static int64_t read_retry_after(const struct http_response *response, int64_t wall) {
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
    /* By the server's clock where it tells: ours may be off. */
    int64_t left = date - (http_date_parse(response->header[HTTP_DATE], &now) ? now : wall);
    return left < 0 ? 0 : left < RETRY_AFTER_MAX ? left : RETRY_AFTER_MAX;
}

void error_set(struct call_result *result, enum call_class class, const char *message) {
    result->class = class;
    result->code[0] = '\0';
    result->from_service = false;
    copy_cut(span_cstr(message), result->message, sizeof result->message);
}

static bool crc32_fits(const struct http_response *response) {
    int64_t expected = 0;
    struct span header = response->header[HTTP_CRC32];
    return !header.data || !read_number(header, (int64_t)UINT32_MAX + 1, &expected) || digest_crc32(response->body) == (uint32_t)expected;
}

void error_read(const struct http_response *response, bool verify_crc32, int64_t wall, struct call_result *result) {
    *result = (struct call_result){
        .attempts = result->attempts,
        .status = response->status,
        .answered = response->answered,
        .untrusted = response->error == HTTP_UNTRUSTED,
        .retry_after = read_retry_after(response, wall),
    };
    if (response->error != HTTP_FINE) {
        error_set(result, CALL_RETRY, response->message);
        result->unsent = !response->sent;
        return;
    }
    if (verify_crc32 && !crc32_fits(response)) {
        error_set(result, CALL_RETRY, "the answer does not have the checksum that it came with");
        return;
    }
    if (response->status < 200 || response->status >= 300) {
        read_body(response->body, result);
        result->from_service = result->code[0] || set_code(response->header[HTTP_ERROR_TYPE], result->code) ||
                               set_code_from_query_error(response->header[HTTP_QUERY_ERROR], result->code);
        if (!result->from_service) {
            (void)snprintf(result->message, sizeof result->message, "HTTP status %d with no error of the service's", response->status);
        }
    }
    result->class = retry_classify(response->status, result->code, result->from_service);
}
