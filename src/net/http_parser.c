#include "http_parser.h"

#include <string.h>
#include <strings.h>

#define CHUNK_DIGITS_MAX 15 /* hexadecimal */

void http_parser_reset(struct http_parser *a) {
    a->state = PARSER_STATUS_LINE;
    a->status = 0;
    a->length = -1;
    a->left = 0;
    a->is_old = a->is_chunked = a->says_close = a->says_keep_alive = a->has_line = false;
    a->partial.max = HEADERS_CEILING;
    buf_reset(&a->partial);
    http_headers_reset(&a->headers);
    a->error = HTTP_FINE;
    a->why = "";
}

void http_parser_free(struct http_parser *a) {
    buf_free(&a->partial);
}

static enum http_parser_step broken(struct http_parser *a, const char *why) {
    a->error = HTTP_BROKEN;
    a->why = why;
    return PARSER_BROKEN;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static struct span trim(struct span s) {
    while (s.len > 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

static bool equals_any_case(struct span s, struct span lower) {
    return s.len == lower.len && strncasecmp(s.data, lower.data, s.len) == 0;
}

static enum http_parser_step line_too_long(struct http_parser *a) {
    return broken(a, "a line of the response is longer than it may be");
}

static enum http_parser_step headers_too_large(struct http_parser *a) {
    return broken(a, "the response's headers are larger than they may be");
}

static enum http_parser_step keep_partial(struct http_parser *a, struct span piece) {
    if (buf_append_span(&a->partial, piece)) {
        return PARSER_NEEDS_MORE;
    }
    if (a->partial.failure == BUF_FULL) {
        return line_too_long(a);
    }
    a->error = HTTP_NO_MEMORY;
    return PARSER_BROKEN;
}

/* The next line without its end, with PARSER_DONE; it is valid until the next call. */
static enum http_parser_step take_line(struct http_parser *a, struct span *data, struct span *ret_line) {
    if (a->has_line) {
        buf_reset(&a->partial);
        a->has_line = false;
    }
    const char *end = data->len > 0 ? memchr(data->data, '\n', data->len) : NULL;
    size_t taken = end ? (size_t)(end - data->data) + 1 : data->len;
    struct span line = span_of(data->data, end ? taken - 1 : taken);
    data->data += taken;
    data->len -= taken;
    if (!end || a->partial.len > 0) {
        enum http_parser_step kept = keep_partial(a, line);
        if (!end || kept != PARSER_NEEDS_MORE) {
            return kept;
        }
        line = buf_span(&a->partial);
        a->has_line = true;
    } else if (line.len > HEADERS_CEILING) {
        return line_too_long(a);
    }
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    /* Some readers take a lone carriage return for the end of a line (RFC 9112, 2.2). */
    if (line.len > 0 && (memchr(line.data, '\0', line.len) || memchr(line.data, '\r', line.len))) {
        return broken(a, "a line of the response has a zero byte or a lone carriage return in it");
    }
    *ret_line = line;
    return PARSER_DONE;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* HTTP/1.x, a space, three digits, and a reason that may be missing. */
static enum http_parser_step take_status_line(struct http_parser *a, struct span line) {
    const char *s = line.data;
    bool ok = line.len >= 12 && memcmp(s, "HTTP/1.", 7) == 0 && is_digit(s[7]) && s[8] == ' ' && s[9] >= '1' &&
              s[9] <= '9' && is_digit(s[10]) && is_digit(s[11]) && (line.len == 12 || s[12] == ' ');
    if (!ok) {
        return broken(a, "the answer is not HTTP/1.1");
    }
    if (!http_headers_count(&a->headers, line.len)) {
        return headers_too_large(a);
    }
    http_headers_begin(&a->headers);
    a->is_old = s[7] == '0';
    a->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
    a->length = -1;
    a->is_chunked = a->says_close = a->says_keep_alive = false;
    a->state = PARSER_HEADERS;
    return PARSER_DONE;
}

static enum http_parser_step take_length(struct http_parser *a, struct span value) {
    int64_t length = 0;
    bool ok = value.len > 0;
    for (size_t i = 0; ok && i < value.len; i++) {
        ok = is_digit(value.data[i]);
        if (length > INT64_MAX / 100) {
            a->error = HTTP_TOO_LARGE;
            a->why = "the response is larger than it may be";
            return PARSER_BROKEN;
        }
        length = ok ? length * 10 + (value.data[i] - '0') : 0;
    }
    if (!ok || (a->length >= 0 && a->length != length)) {
        return broken(a, "the response's Content-Length is no length");
    }
    a->length = length;
    return PARSER_DONE;
}

static enum http_parser_step take_encoding(struct http_parser *a, struct span value) {
    if (equals_any_case(value, SPAN("identity"))) {
        return PARSER_DONE;
    }
    if (a->is_chunked || !equals_any_case(value, SPAN("chunked"))) {
        return broken(a, "the response has a Transfer-Encoding that nobody asked for");
    }
    a->is_chunked = true;
    return PARSER_DONE;
}

static void take_connection(struct http_parser *a, struct span value) {
    while (value.len > 0) {
        const char *comma = memchr(value.data, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.data) : value.len;
        struct span option = trim(span_of(value.data, len));
        a->says_close = a->says_close || equals_any_case(option, SPAN("close"));
        a->says_keep_alive = a->says_keep_alive || equals_any_case(option, SPAN("keep-alive"));
        len += comma != NULL;
        value.data += len;
        value.len -= len;
    }
}

/* A character of a token (RFC 9110, 5.6.2). Nearly all are letters, so these are checked first. */
static bool is_name_character(char c) {
    static const char others[] = "!#$%&'*+.^_`|~";
    unsigned char letter = (unsigned char)((c | 0x20) - 'a');
    return letter < 26 || c == '-' || is_digit(c) || memchr(others, c, sizeof others - 1);
}

/* A status line in the middle of a head, with a colon in its reason, must not pass for a header. */
static bool is_name(struct span name) {
    size_t i = 0;
    while (i < name.len && is_name_character(name.data[i])) {
        i++;
    }
    return name.len > 0 && i == name.len;
}

static enum http_parser_step take_header(struct http_parser *a, struct span line) {
    if (!http_headers_count(&a->headers, line.len)) {
        return headers_too_large(a);
    }
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon) {
        return broken(a, "a line of the response's head is no header");
    }
    struct span name = span_of(line.data, (size_t)(colon - line.data));
    struct span value = trim(span_of(colon + 1, line.len - name.len - 1));
    if (equals_any_case(name, SPAN("content-length"))) {
        return take_length(a, value);
    }
    if (equals_any_case(name, SPAN("transfer-encoding"))) {
        return take_encoding(a, value);
    }
    if (equals_any_case(name, SPAN("connection"))) {
        take_connection(a, value);
        return PARSER_DONE;
    }
    /* The headers that are kept have valid names: only the others are checked. */
    bool is_header = http_headers_keep(&a->headers, name, value) || is_name(name);
    return is_header ? PARSER_DONE : broken(a, "a line of the response's head is no header");
}

static enum http_parser_step end_head(struct http_parser *a) {
    if (a->status == 101) {
        return broken(a, "the server changes the protocol, which nobody asked for");
    }
    if (a->status < 200) {
        a->state = PARSER_STATUS_LINE;
    } else if (a->status == 204 || a->status == 304) {
        /* These have no body. A 304 may give the length of the response that it stands for. A 204 that gives a length
         * may go on to send a body, so the connection isn't used again. */
        a->says_close = a->says_close || (a->status == 204 && (a->is_chunked || a->length > 0));
        a->state = PARSER_COMPLETE;
    } else if (a->is_chunked) {
        /* A Content-Length beside chunks counts for nothing, and HTTP/1.0 has no chunks. A server that sends either
         * gets no further request over this connection. */
        a->says_close = a->says_close || a->length >= 0 || a->is_old;
        a->length = -1;
        a->state = PARSER_CHUNK_SIZE;
    } else if (a->length >= 0) {
        a->left = (uint64_t)a->length;
        a->state = PARSER_LENGTH;
    } else {
        a->says_close = true;
        a->state = PARSER_UNTIL_CLOSE;
    }
    return PARSER_DONE;
}

static int hex_value(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Hexadecimal digits, perhaps followed by extensions, which are ignored. */
static enum http_parser_step take_chunk_size(struct http_parser *a, struct span line) {
    size_t digits = 0;
    a->left = 0;
    while (digits < line.len && digits <= CHUNK_DIGITS_MAX && hex_value(line.data[digits]) >= 0) {
        a->left = a->left * 16 + (uint64_t)hex_value(line.data[digits++]);
    }
    struct span rest = trim(span_of(line.data + digits, line.len - digits));
    if (digits == 0 || digits > CHUNK_DIGITS_MAX || (rest.len > 0 && rest.data[0] != ';')) {
        return broken(a, "a chunk of the response has no size");
    }
    a->state = a->left > 0 ? PARSER_CHUNK : PARSER_TRAILERS;
    return PARSER_DONE;
}

static enum http_parser_step take_whole_line(struct http_parser *a, struct span line) {
    switch (a->state) {
    case PARSER_STATUS_LINE: return take_status_line(a, line);
    case PARSER_HEADERS: return line.len > 0 ? take_header(a, line) : end_head(a);
    case PARSER_CHUNK_SIZE: return take_chunk_size(a, line);
    case PARSER_CHUNK_END:
        if (line.len > 0) {
            return broken(a, "a chunk of the response is longer than its size");
        }
        a->state = PARSER_CHUNK_SIZE;
        return PARSER_DONE;
    default: /* trailers mean nothing to us */
        if (line.len == 0) {
            a->state = PARSER_COMPLETE;
        } else if (!http_headers_count(&a->headers, line.len)) {
            return headers_too_large(a);
        }
        return PARSER_DONE;
    }
}

/* A piece of the body, if there is one; or the end of the body or chunk is reached. */
static enum http_parser_step take_body(struct http_parser *a, struct span *data, struct span *ret_body) {
    if (a->state != PARSER_UNTIL_CLOSE && a->left == 0) {
        a->state = a->state == PARSER_CHUNK ? PARSER_CHUNK_END : PARSER_COMPLETE;
        return PARSER_DONE;
    }
    if (data->len == 0) {
        return PARSER_NEEDS_MORE;
    }
    size_t len = data->len;
    if (a->state != PARSER_UNTIL_CLOSE) {
        len = len < a->left ? len : (size_t)a->left;
        a->left -= len;
    }
    *ret_body = span_of(data->data, len);
    data->data += len;
    data->len -= len;
    return PARSER_BODY;
}

enum http_parser_step http_parser_take(struct http_parser *a, struct span *data, struct span *ret_body) {
    while (a->state != PARSER_COMPLETE) {
        enum http_parser_step step;
        if (a->state == PARSER_LENGTH || a->state == PARSER_CHUNK || a->state == PARSER_UNTIL_CLOSE) {
            step = take_body(a, data, ret_body);
        } else {
            struct span line;
            step = take_line(a, data, &line);
            if (step == PARSER_DONE) {
                step = take_whole_line(a, line);
            }
        }
        if (step != PARSER_DONE) {
            return step;
        }
    }
    return PARSER_DONE;
}

enum http_parser_step http_parser_end(struct http_parser *a) {
    if (a->state == PARSER_COMPLETE || a->state == PARSER_UNTIL_CLOSE) {
        a->state = PARSER_COMPLETE;
        return PARSER_DONE;
    }
    bool nothing = a->status == 0 && a->partial.len == 0;
    return broken(a, nothing ? "the server closed the connection without an answer"
                             : "the connection was closed before the response was complete");
}

bool http_parser_keeps_connection(const struct http_parser *a) {
    return a->state == PARSER_COMPLETE && !a->says_close && (!a->is_old || a->says_keep_alive);
}
