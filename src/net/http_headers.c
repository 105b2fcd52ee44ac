#include "http_headers.h"

#include <string.h>
#include <strings.h>

#define NAME(text) {text, sizeof(text) - 1}

static const struct span KEPT_NAMES[HTTP_KEPT_HEADERS] = {
    [HTTP_DATE] = NAME("date"),
    [HTTP_ERROR_TYPE] = NAME("x-amzn-errortype"),
    [HTTP_QUERY_ERROR] = NAME("x-amzn-query-error"),
    [HTTP_CRC32] = NAME("x-amz-crc32"),
    [HTTP_RETRY_AFTER] = NAME("retry-after"),
    [HTTP_AMZ_RETRY_AFTER] = NAME("x-amz-retry-after"),
    [HTTP_REQUEST_ID] = NAME("x-amzn-requestid"),
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* HTTP_KEPT_HEADERS: none that is kept, as most lines are. */
static size_t find(struct span name) {
    size_t i = 0;
    while (i < HTTP_KEPT_HEADERS && (KEPT_NAMES[i].len != name.len || strncasecmp(KEPT_NAMES[i].data, name.data, name.len) != 0)) {
        i++;
    }
    return i;
}

static void keep(struct http_headers *h, struct span line) {
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon) {
        return;
    }
    size_t found = find(span_of(line.data, (size_t)(colon - line.data)));
    if (found == HTTP_KEPT_HEADERS) {
        return;
    }
    const char *value = colon + 1, *end = line.data + line.len;
    while (value < end && is_blank(*value)) {
        value++;
    }
    while (end > value && is_blank(end[-1])) {
        end--;
    }
    size_t value_len = (size_t)(end - value);
    if (value_len < KEPT_HEADER_SIZE) {
        memcpy(h->kept[found], value, value_len);
        h->kept[found][value_len] = '\0';
        h->kept_size[found] = value_len + 1;
    }
}

void http_headers_reset(struct http_headers *h) {
    h->bytes = 0;
    memset(h->kept_size, 0, sizeof h->kept_size);
}

bool http_headers_skip(struct http_headers *h, struct span line) {
    if (line.len > HEADERS_CEILING - h->bytes) {
        return false;
    }
    h->bytes += line.len;
    return true;
}

bool http_headers_take(struct http_headers *h, struct span line) {
    if (!http_headers_skip(h, line)) {
        return false;
    }
    if (line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        /* A status line: what came before belonged to a 100 Continue or the like. */
        memset(h->kept_size, 0, sizeof h->kept_size);
    } else if (line.len > 0) {
        keep(h, line);
    }
    return true;
}

struct span http_headers_get(const struct http_headers *h, enum http_header header) {
    return h->kept_size[header] ? span_of(h->kept[header], h->kept_size[header] - 1) : (struct span){NULL, 0};
}
