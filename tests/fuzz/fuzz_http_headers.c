/* Any bytes as a response's head, line by line, against a plain reading of the same lines; then each value as a date. What a date means, it
 * means when it is written again. */
#include "clock.h"
#include "http_date.h"
#include "http_headers.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static const char *const names[] = {"DATE",        "X-AMZN-ERRORTYPE",  "X-AMZN-QUERY-ERROR", "X-AMZ-CRC32",
                                    "RETRY-AFTER", "X-AMZ-RETRY-AFTER", "X-AMZN-REQUESTID"};

static bool is_blank(char c) {
    return c != '\0' && strchr(" \t\r\n", c);
}

static struct span trim(struct span s) {
    while (s.len > 0 && is_blank(s.data[0]))
        s = span_of(s.data + 1, s.len - 1);
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool is_name(struct span line, const char *upper) {
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
static struct span take_line(struct span *rest) {
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) + 1 : rest->len;
    struct span line = span_of(rest->data, len);
    *rest = span_of(rest->data + len, rest->len - len);
    return line;
}

static void expect(struct span line, struct span expected[HTTP_KEPT_HEADERS]) {
    if (line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0)
        memset(expected, 0, HTTP_KEPT_HEADERS * sizeof *expected);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        size_t skip = strlen(names[i]) + 1;
        if (!is_name(line, names[i]))
            continue;
        struct span value = trim(span_of(line.data + skip, line.len - skip));
        if (value.len < KEPT_HEADER_SIZE)
            expected[i] = value;
    }
}

static void check_date(struct span text) {
    int64_t wall = 0, again = 0;
    if (!http_date_parse(text, &wall))
        return;
    time_t seconds = (time_t)(wall / MICROSECONDS);
    struct tm tm;
    char written[64];
    check(wall >= 0 && wall % MICROSECONDS == 0 && gmtime_r(&seconds, &tm));
    size_t len = strftime(written, sizeof written, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    /* A leap second of the last year there is would have five digits. */
    check(len != 29 || (http_date_parse(span_of(written, len), &again) && again == wall));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_headers h = {0};
    struct span expected[HTTP_KEPT_HEADERS] = {{NULL, 0}};
    struct span rest = span_of((const char *)data, size);
    size_t bytes = 0;
    while (rest.len > 0) {
        struct span line = take_line(&rest);
        bytes += line.len;
        bool fits = http_headers_take(&h, line);
        check(fits == (bytes <= HEADERS_CEILING));
        if (!fits)
            break;
        expect(line, expected);
    }
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        struct span value = http_headers_get(&h, (enum http_header)i);
        check(!value.data == !expected[i].data && span_equal(value, expected[i]));
        check(!value.data || value.data[value.len] == '\0');
        check_date(value);
    }
    http_headers_reset(&h);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++)
        check(!http_headers_get(&h, (enum http_header)i).data);
    return 0;
}
