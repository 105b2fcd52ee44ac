#include "json_writer.h"

#include "json_plain.h"

void json_writer_init(struct json_writer *w, struct buf *out) {
    *w = (struct json_writer){.out = out};
}

/* A failure stays in the buffer, where whoever uses the text looks. */
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

#define ESCAPE_MAX 6 /* most bytes that one byte becomes */

/* Writes the escape of c, and returns its length. */
static size_t write_escape(char *to, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    static const char short_forms[] = "btn\0fr"; /* of U+0008 to U+000D */
    to[0] = '\\';
    to[1] = (char)c;
    if (c == '"' || c == '\\')
        return 2;
    to[1] = 'u';
    if (c >= '\b' && c <= '\r' && c != '\v') {
        to[1] = short_forms[c - '\b'];
        return 2;
    }
    to[2] = to[3] = '0';
    to[4] = hex[c >> 4];
    to[5] = hex[c & 0xF];
    return ESCAPE_MAX;
}

/* Copies what comes before the next byte that must be escaped, in whole blocks where text has them; returns how much.
 */
static size_t copy_plain(struct span text, char *to) {
    size_t n = 0;
    for (; text.len - n >= BLOCK_SIZE; n += BLOCK_SIZE) {
        block b = block_load(text.data + n);
        unsigned special = json_bits_special(b, false);
        block_store(to + n, b);
        if (special)
            return n + block_first(special);
    }
    size_t end = json_skip_plain(text, n, false);
    memcpy(to + n, text.data + n, end - n);
    return end;
}

/* For a buffer with room for the longest result. A message's body is JSON inside JSON, whose runs between quotes are
 * short. */
static void append_in_place(struct buf *out, struct span text) {
    char *begin = out->data + out->len, *to = begin;
    *to++ = '"';
    while (text.len > 0) {
        size_t plain = copy_plain(text, to);
        to += plain;
        if (plain < text.len)
            to += write_escape(to, (unsigned char)text.data[plain++]);
        text = span_of(text.data + plain, text.len - plain);
    }
    *to++ = '"';
    buf_advance(out, (size_t)(to - begin));
}

/* The first byte that must be escaped is at `plain`. */
OUT_OF_LINE static bool append_with_escapes(struct buf *out, struct span text, size_t plain) {
    if (text.len < SIZE_MAX / ESCAPE_MAX - 2 && ESCAPE_MAX * text.len + 2 < out->bound - out->len) {
        append_in_place(out, text);
        return true;
    }
    /* The result has at least this length: mostly the buffer grows once. */
    if (text.len > SIZE_MAX - 2 || !buf_reserve(out, text.len + 2))
        return false;
    (void)buf_append_char(out, '"');
    (void)buf_append(out, text.data, plain);
    for (size_t at = plain; at < text.len;) {
        char escape[ESCAPE_MAX];
        (void)buf_append(out, escape, write_escape(escape, (unsigned char)text.data[at++]));
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
