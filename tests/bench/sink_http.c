#include "sink_http.h"

#include "sink_scan.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define HEAD_ROOM 512
#define BODY_MAX ((uint64_t)32 << 20)

/* The value of a header line with this name; absent where it has another. */
static struct span value_of(struct span line, struct span name) {
    if (line.len <= name.len || line.data[name.len] != ':' || strncasecmp(line.data, name.data, name.len) != 0)
        return (struct span){NULL, 0};
    size_t at = name.len + 1;
    while (at < line.len && line.data[at] == ' ')
        at++;
    return span_of(line.data + at, line.len - at);
}

enum sink_parsed sink_http_parse(struct span in, struct sink_request *ret_request) {
    const char *end = in.len ? memmem(in.data, in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return in.len < 65536 ? SINK_MORE : SINK_BROKEN;
    size_t head = (size_t)(end - in.data) + 4;
    *ret_request = (struct sink_request){.line = {NULL, 0}};
    uint64_t length = 0;
    for (size_t at = 0; at + 2 < head;) {
        const char *newline = memchr(in.data + at, '\n', head - at);
        size_t next = (size_t)(newline - in.data) + 1;
        struct span line = span_of(in.data + at, next - at - (next - at > 1 ? 2 : 1));
        if (at == 0)
            ret_request->line = line;
        struct span target = value_of(line, SPAN("X-Amz-Target")), size = value_of(line, SPAN("Content-Length"));
        if (target.data)
            ret_request->target = target;
        if (size.data && !scan_digits(size, &length))
            return SINK_BROKEN;
        at = next;
    }
    if (length > BODY_MAX)
        return SINK_BROKEN;
    ret_request->size = head + (size_t)length;
    ret_request->body = span_of(in.data + head, (size_t)length);
    return in.len >= ret_request->size ? SINK_WHOLE : SINK_MORE;
}

void sink_http_begin(struct buf *out) {
    buf_reset(out);
    if (buf_reserve(out, HEAD_ROOM))
        buf_advance(out, HEAD_ROOM);
}

static void write_date(char *ret_text, size_t size) {
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || !strftime(ret_text, size, "%a, %d %b %Y %H:%M:%S GMT", &utc))
        ret_text[0] = '\0';
}

struct span sink_http_end(struct buf *out, int status, const char *headers) {
    if (!buf_ok(out))
        return (struct span){NULL, 0};
    char head[HEAD_ROOM], date[64];
    write_date(date, sizeof date);
    int len =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d %s\r\nServer: Server\r\nDate: %s\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n"
                 "x-amzn-RequestId: 5B8G6K2LM5R2VMKSAV3Q1QBPGNVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n%s\r\n",
                 status, status == 200 ? "OK" : "Not Found", date, out->len - HEAD_ROOM, headers);
    if (len < 0 || (size_t)len >= sizeof head)
        return (struct span){NULL, 0};
    char *start = out->data + HEAD_ROOM - len;
    memcpy(start, head, (size_t)len);
    return span_of(start, out->len - HEAD_ROOM + (size_t)len);
}
