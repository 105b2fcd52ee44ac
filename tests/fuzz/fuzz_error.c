/* Error responses of anybody: whatever comes, the result is well-formed. The first byte is the status, headers end at
 * NULs. */
#include "call.h"
#include "clock.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span take_header(struct span *rest) {
    const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
    if (!end) {
        return span_cstr(NULL);
    }
    struct span header = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_of(end + 1, rest->len - header.len - 1);
    return header;
}

static void check_text(const char *text, size_t size) {
    size_t len = strnlen(text, size);
    if (len == size) {
        abort();
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ') {
            abort();
        }
    }
}

static int64_t wall(void *ctx) {
    (void)ctx;
    return 1000 * MICROSECONDS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    struct http_response response = {.status = 200 + 2 * data[0], .message = ""};
    struct span rest = span_of((const char *)data + 1, size - 1);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        response.header[i] = take_header(&rest);
    }
    response.body = rest;
    struct call_result result = {.attempts = 1};
    const struct error_rules rules = {.checks_marks = size & 1, .host = "host"};
    const struct clock clock = {.wall = wall};
    error_read(&response, &rules, &clock, &result);
    check_text(result.code, sizeof result.code);
    check_text(result.message, sizeof result.message);
    check_text(result.request_id, sizeof result.request_id);
    bool well_formed = result.from_service == (result.code[0] != '\0') && result.retry_after >= 0 &&
                       !(result.from_service && result.foreign) &&
                       (result.class != CALL_PERMANENT || result.from_service) &&
                       (result.class != CALL_OK || response.status == 200);
    if (!well_formed) {
        abort();
    }
    return 0;
}
