/* A plain reading of a response's head, line by line, for the targets to compare with. */
#pragma once

#include "http_headers.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static inline bool plain_is_blank(char c) {
    return c != '\0' && strchr(" \t\r\n", c);
}

static inline struct span plain_trim(struct span s) {
    while (s.len > 0 && plain_is_blank(s.data[0]))
        s = span_of(s.data + 1, s.len - 1);
    while (s.len > 0 && plain_is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

static inline bool plain_is_name(struct span line, const char *upper) {
    size_t len = strlen(upper);
    if (line.len <= len || line.data[len] != ':')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = line.data[i];
        if ((c >= 'a' && c <= 'z' ? c - 32 : c) != upper[i])
            return false;
    }
    return true;
}

/* The next line with its end, as it comes. */
static inline struct span plain_line(struct span *rest) {
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) + 1 : rest->len;
    struct span line = span_of(rest->data, len);
    *rest = span_of(rest->data + len, rest->len - len);
    return line;
}

/* RFC 9110, 5.6.2. */
static inline bool plain_has_token(struct span line) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t i = 0;
    while (i < line.len && memchr(token, line.data[i], sizeof token - 1))
        i++;
    return i > 0 && i < line.len && line.data[i] == ':';
}

static inline bool plain_is_status_line(struct span line) {
    return line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0;
}

/* What is to be kept after this line, of what was before. */
static inline void plain_expect(struct span line, struct span expected[HTTP_KEPT_HEADERS]) {
    static const char *const names[] = {"DATE",
                                        "X-AMZN-ERRORTYPE",
                                        "X-AMZN-QUERY-ERROR",
                                        "X-AMZ-CRC32",
                                        "RETRY-AFTER",
                                        "X-AMZ-RETRY-AFTER",
                                        "X-AMZN-REQUESTID",
                                        "CONTENT-ENCODING",
                                        "SERVER",
                                        "LAMBDA-RUNTIME-AWS-REQUEST-ID",
                                        "LAMBDA-RUNTIME-DEADLINE-MS",
                                        "LAMBDA-RUNTIME-TRACE-ID"};
    static_assert(sizeof names / sizeof *names == HTTP_KEPT_HEADERS, "one name for each header that is kept");
    if (plain_is_status_line(line))
        memset(expected, 0, HTTP_KEPT_HEADERS * sizeof *expected);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        size_t skip = strlen(names[i]) + 1;
        if (!plain_is_name(line, names[i]))
            continue;
        struct span value = plain_trim(span_of(line.data + skip, line.len - skip));
        size_t others = 0;
        for (size_t j = 0; j < HTTP_KEPT_HEADERS; j++)
            others += j != i && expected[j].data ? expected[j].len + 1 : 0;
        if (value.len < KEPT_HEADER_SIZE && others + value.len + 1 <= KEPT_HEADERS_SIZE)
            expected[i] = value;
    }
}

/* Whether just that is kept. */
static inline bool plain_agrees(const struct http_headers *h, const struct span expected[HTTP_KEPT_HEADERS]) {
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        struct span value = http_headers_get(h, (enum http_header)i);
        if (!value.data != !expected[i].data || !span_equal(value, expected[i]) ||
            (value.data && value.data[value.len] != '\0'))
            return false;
    }
    return true;
}
