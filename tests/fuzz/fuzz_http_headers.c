/* Any bytes as the lines of a response's head, against a plain reading of the same lines; then each value as a date.
 * What a date means, it means when it is written again. */
#include "clock.h"
#include "http_date.h"
#include "http_headers.h"
#include "plain_head.h"

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

/* As http_parser does. */
static void take(struct http_headers *h, struct span line) {
    const char *colon = memchr(line.data, ':', line.len);
    if (plain_is_status_line(line)) {
        http_headers_begin(h);
    } else if (colon) {
        size_t len = (size_t)(colon - line.data);
        http_headers_keep(h, span_of(line.data, len), plain_trim(span_of(colon + 1, line.len - len - 1)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_headers h = {0};
    struct span expected[HTTP_KEPT_HEADERS] = {{NULL, 0}};
    struct span rest = span_of((const char *)data, size);
    size_t bytes = 0;
    while (rest.len > 0) {
        struct span line = plain_line(&rest);
        bytes += line.len;
        bool fits = http_headers_count(&h, line.len);
        check(fits == (bytes <= HEADERS_CEILING));
        if (!fits)
            break;
        take(&h, line);
        plain_expect(line, expected);
    }
    check(plain_agrees(&h, expected));
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++)
        check_date(http_headers_get(&h, (enum http_header)i));
    http_headers_reset(&h);
    check(h.bytes == 0);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++)
        check(!http_headers_get(&h, (enum http_header)i).data);
    return 0;
}
