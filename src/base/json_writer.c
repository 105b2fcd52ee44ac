#include "json_writer.h"

#include "json_plain.h"

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

/* The first byte that must be escaped is at `plain`. */
OUT_OF_LINE static bool append_with_escapes(struct buf *out, struct span text, size_t plain) {
    /* At least so much comes: one growth for the common case. */
    if (text.len > SIZE_MAX - 2 || !buf_reserve(out, text.len + 2))
        return false;
    (void)buf_append_char(out, '"');
    (void)buf_append(out, text.data, plain);
    for (size_t at = plain; at < text.len;) {
        (void)append_escaped(out, (unsigned char)text.data[at++]);
        size_t end = json_skip_plain(text, at, false);
        (void)buf_append(out, text.data + at, end - at);
        at = end;
    }
    return buf_append_char(out, '"');
}

bool json_append_string(struct buf *out, struct span text) {
    size_t plain = json_skip_plain(text, 0, false);
    return plain == text.len ? json_append_quoted(out, text) : append_with_escapes(out, text, plain);
}
