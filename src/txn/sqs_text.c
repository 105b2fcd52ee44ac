#include "sqs_text.h"

#include <stddef.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

enum character {
    PLAIN,
    CONTROL, /* below U+0020, JSON escapes it anyway */
    QUOTED, /* '"' or '\' */
    REFUSED, /* U+FFFE or U+FFFF */
    NO_CHARACTER /* a byte that begins no valid UTF-8 sequence */
};

static bool is_continuation(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

/* A sequence of more than one byte (RFC 3629): its length, or 0. */
static size_t sequence_length(const unsigned char *p, size_t n) {
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_continuation(p[i]))
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

/* What text begins with, and how many bytes it has. */
static enum character next_character(struct span text, size_t *ret_len) {
    const unsigned char *p = (const unsigned char *)text.data;
    *ret_len = 1;
    if (p[0] < 0x20)
        return CONTROL;
    if (p[0] == '"' || p[0] == '\\')
        return QUOTED;
    if (p[0] < 0x80)
        return PLAIN;
    size_t length = sequence_length(p, text.len);
    if (length == 0)
        return NO_CHARACTER;
    *ret_len = length;
    return p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe ? REFUSED : PLAIN;
}

static struct span rest_of(struct span text, size_t from) {
    return span_of(text.data + from, text.len - from);
}

bool sqs_text_is_valid(struct span text) {
    for (size_t i = 0; i < text.len;) {
        size_t len;
        enum character c = next_character(rest_of(text, i), &len);
        if (c == REFUSED || c == NO_CHARACTER ||
            (c == CONTROL && text.data[i] != '\t' && text.data[i] != '\n' && text.data[i] != '\r'))
            return false;
        i += len;
    }
    return true;
}

static void append_control(struct buf *out, char c) {
    static const char controls[] = "\b\f\n\r\t";
    static const char letters[] = "bfnrt";
    const char *at = memchr(controls, c, sizeof controls - 1);
    if (at) {
        buf_append_char(out, '\\');
        buf_append_char(out, letters[at - controls]);
    } else {
        buf_printf(out, "\\u%04x", (unsigned)c);
    }
}

static void append_character(struct buf *out, enum character c, const char *at) {
    switch (c) {
    case CONTROL: append_control(out, *at); break;
    case QUOTED:
        buf_append_char(out, '\\');
        buf_append_char(out, *at);
        break;
    case REFUSED: buf_append_cstr(out, at[2] == '\xbe' ? "\\ufffe" : "\\uffff"); break;
    default: buf_append_cstr(out, REPLACEMENT); break;
    }
}

bool sqs_text_append_json(struct span text, struct buf *out) {
    buf_append_char(out, '"');
    size_t run = 0; /* where the plain text began that isn't written yet */
    for (size_t i = 0; i < text.len && buf_ok(out);) {
        size_t len;
        enum character c = next_character(rest_of(text, i), &len);
        if (c != PLAIN) {
            buf_append(out, text.data + run, i - run);
            append_character(out, c, text.data + i);
            run = i + len;
        }
        i += len;
    }
    buf_append(out, text.data + run, text.len - run);
    return buf_append_char(out, '"');
}

bool sqs_text_append_escaped(struct span json, struct buf *out) {
    size_t run = 0;
    for (size_t i = 0; i < json.len && buf_ok(out);) {
        size_t len;
        enum character c = next_character(rest_of(json, i), &len);
        if (c == REFUSED || c == NO_CHARACTER) {
            buf_append(out, json.data + run, i - run);
            append_character(out, c, json.data + i);
            run = i + len;
        }
        i += len;
    }
    return buf_append(out, json.data + run, json.len - run);
}
