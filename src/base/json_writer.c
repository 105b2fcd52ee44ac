#include "json_writer.h"

void json_writer_init(struct json_writer *w, struct buf *out) {
    *w = (struct json_writer){.out = out};
}

/* Failures stick to the buffer, and whoever uses the text looks there. */
static void put(struct json_writer *w, struct span text) {
    (void)buf_append_span(w->out, text);
}

static void begin_value(struct json_writer *w) {
    if (w->need_comma)
        put(w, SPAN(","));
    w->need_comma = true;
}

static void open(struct json_writer *w, struct span bracket) {
    begin_value(w);
    put(w, bracket);
    w->need_comma = false;
}

static void close(struct json_writer *w, struct span bracket) {
    put(w, bracket);
    w->need_comma = true;
}

void json_object_begin(struct json_writer *w) {
    open(w, SPAN("{"));
}

void json_object_end(struct json_writer *w) {
    close(w, SPAN("}"));
}

void json_array_begin(struct json_writer *w) {
    open(w, SPAN("["));
}

void json_array_end(struct json_writer *w) {
    close(w, SPAN("]"));
}

void json_name(struct json_writer *w, struct span name) {
    json_string(w, name);
    put(w, SPAN(":"));
    w->need_comma = false;
}

void json_string(struct json_writer *w, struct span value) {
    begin_value(w);
    (void)json_append_string(w->out, value);
}

void json_integer(struct json_writer *w, int64_t value) {
    begin_value(w);
    (void)buf_append_integer(w->out, value);
}

void json_boolean(struct json_writer *w, bool value) {
    begin_value(w);
    put(w, value ? SPAN("true") : SPAN("false"));
}

void json_null(struct json_writer *w) {
    begin_value(w);
    put(w, SPAN("null"));
}

void json_raw(struct json_writer *w, struct span json) {
    begin_value(w);
    put(w, json);
}

static bool append_escaped(struct buf *out, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    static const char short_forms[] = "btn\0fr"; /* of U+0008 to U+000D */
    if (c == '"' || c == '\\')
        return buf_append(out, (const char[]){'\\', (char)c}, 2);
    if (c >= '\b' && c <= '\r' && c != '\v')
        return buf_append(out, (const char[]){'\\', short_forms[c - '\b']}, 2);
    return buf_append(out, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 0xF]}, 6);
}

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Whether a byte among the eight must be escaped: a control character, a quote or a backslash. (A byte below another is found by the
 * borrow of a subtraction; a false alarm behind a true one does no harm.) */
static bool must_escape_among(uint64_t x) {
    uint64_t quote = x ^ EVERY_BYTE('"');
    uint64_t backslash = x ^ EVERY_BYTE('\\');
    uint64_t found = ((x - EVERY_BYTE(0x20)) & ~x) | ((quote - EVERY_BYTE(1)) & ~quote) | ((backslash - EVERY_BYTE(1)) & ~backslash);
    return (found & EVERY_BYTE(0x80)) != 0;
}

static bool must_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\';
}

/* Where the run that needs no escape ends. */
static size_t skip_plain(struct span text, size_t at) {
    for (uint64_t word; text.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        if (must_escape_among(word))
            break;
    }
    while (at < text.len && !must_escape((unsigned char)text.data[at]))
        at++;
    return at;
}

bool json_append_string(struct buf *out, struct span text) {
    /* At least so much comes: one growth for the common case. */
    if (text.len > SIZE_MAX - 2 || !buf_reserve(out, text.len + 2))
        return false;
    (void)buf_append_char(out, '"');
    for (size_t at = 0; at < text.len; at++) {
        size_t end = skip_plain(text, at);
        (void)buf_append(out, text.data + at, end - at);
        if (end < text.len && !append_escaped(out, (unsigned char)text.data[end]))
            return false;
        at = end;
    }
    return buf_append_char(out, '"');
}
