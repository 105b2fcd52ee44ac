#include "http_headers.h"

#include <string.h>
#include <strings.h>

static const struct span KEPT_NAMES[HTTP_KEPT_HEADERS] = {
    [HTTP_DATE] = SPAN_CONSTANT("date"),
    [HTTP_ERROR_TYPE] = SPAN_CONSTANT("x-amzn-errortype"),
    [HTTP_QUERY_ERROR] = SPAN_CONSTANT("x-amzn-query-error"),
    [HTTP_CRC32] = SPAN_CONSTANT("x-amz-crc32"),
    [HTTP_RETRY_AFTER] = SPAN_CONSTANT("retry-after"),
    [HTTP_AMZ_RETRY_AFTER] = SPAN_CONSTANT("x-amz-retry-after"),
    [HTTP_REQUEST_ID] = SPAN_CONSTANT("x-amzn-requestid"),
    [HTTP_ENCODING] = SPAN_CONSTANT("content-encoding"),
    [HTTP_SERVER] = SPAN_CONSTANT("server"),
    [HTTP_LAMBDA_REQUEST_ID] = SPAN_CONSTANT("lambda-runtime-aws-request-id"),
    [HTTP_LAMBDA_DEADLINE] = SPAN_CONSTANT("lambda-runtime-deadline-ms"),
    [HTTP_LAMBDA_TRACE_ID] = SPAN_CONSTANT("lambda-runtime-trace-id"),
};

/* HTTP_KEPT_HEADERS: it isn't one that is kept, as with most lines. */
static size_t find(struct span name) {
    size_t i = 0;
    while (i < HTTP_KEPT_HEADERS &&
           (KEPT_NAMES[i].len != name.len || strncasecmp(KEPT_NAMES[i].data, name.data, name.len) != 0)) {
        i++;
    }
    return i;
}

void http_headers_reset(struct http_headers *h) {
    h->bytes = 0;
    http_headers_begin(h);
}

bool http_headers_count(struct http_headers *h, size_t bytes) {
    if (bytes > HEADERS_CEILING - h->bytes) {
        return false;
    }
    h->bytes += bytes;
    return true;
}

void http_headers_begin(struct http_headers *h) {
    memset(h->kept_size, 0, sizeof h->kept_size);
    h->used = 0;
}

/* Closes the gap as well. */
static void drop(struct http_headers *h, size_t header) {
    uint16_t at = h->kept_at[header], size = h->kept_size[header];
    memmove(h->kept + at, h->kept + at + size, (size_t)(h->used - at - size));
    h->used = (uint16_t)(h->used - size);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        h->kept_at[i] = (uint16_t)(h->kept_at[i] - (h->kept_at[i] > at ? size : 0));
    }
    h->kept_size[header] = 0;
}

bool http_headers_keep(struct http_headers *h, struct span name, struct span value) {
    size_t found = find(name);
    if (found == HTTP_KEPT_HEADERS) {
        return false;
    }
    size_t size = value.len + 1;
    if (value.len < KEPT_HEADER_SIZE && h->used - h->kept_size[found] + size <= KEPT_HEADERS_SIZE) {
        if (h->kept_size[found]) {
            drop(h, found);
        }
        memcpy(h->kept + h->used, value.data, value.len);
        h->kept[h->used + value.len] = '\0';
        h->kept_at[found] = h->used;
        h->kept_size[found] = (uint16_t)size;
        h->used = (uint16_t)(h->used + size);
    }
    return true;
}
