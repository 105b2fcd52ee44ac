#include "json_string.h"

#include "json_reader.h"

#include <stdint.h>

/* The decoded form in pieces: runs without a backslash as they stand, and single characters that were escaped. */
struct pieces {
    struct span rest;
    char decoded[4];
};

static uint32_t hex_value(const char *digits) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)digits[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t encode_utf8(uint32_t c, char ret_bytes[static 4]) {
    if (c < 0x80) {
        ret_bytes[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    ret_bytes[0] = (char)((0xf00U >> n & 0xff) | c);
    return n;
}

/* The text was read already, so that an escape is whole and a high surrogate has its low one. */
static size_t decode_escape(struct span s, char ret_bytes[static 4], size_t *ret_len) {
    static const char spelled[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    if (s.data[1] != 'u') {
        const char *at = memchr(spelled, s.data[1], sizeof spelled - 1);
        ret_bytes[0] = at ? meant[at - spelled] : s.data[1];
        *ret_len = 1;
        return 2;
    }
    uint32_t unit = hex_value(s.data + 2);
    if (unit < 0xd800 || unit > 0xdbff || s.len < 12) {
        *ret_len = encode_utf8(unit, ret_bytes);
        return 6;
    }
    uint32_t low = hex_value(s.data + 8);
    *ret_len = encode_utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), ret_bytes);
    return 12;
}

static bool next_piece(struct pieces *p, struct span *ret_piece, bool *ret_was_escaped) {
    if (p->rest.len == 0)
        return false;
    size_t taken;
    size_t len = 0;
    if (p->rest.data[0] == '\\') {
        taken = decode_escape(p->rest, p->decoded, &len);
        *ret_piece = span_of(p->decoded, len);
        *ret_was_escaped = true;
    } else {
        const char *backslash = memchr(p->rest.data, '\\', p->rest.len);
        taken = backslash ? (size_t)(backslash - p->rest.data) : p->rest.len;
        *ret_piece = span_of(p->rest.data, taken);
        *ret_was_escaped = false;
    }
    p->rest = span_of(p->rest.data + taken, p->rest.len - taken);
    return true;
}

size_t json_escaped_size(struct span raw) {
    struct pieces pieces = {.rest = raw};
    struct span piece;
    bool was_escaped;
    size_t size = 0;
    while (next_piece(&pieces, &piece, &was_escaped))
        size += piece.len;
    return size;
}

int json_string_compare(struct json_string a, struct json_string b) {
    if (!a.escaped && !b.escaped)
        return span_compare(a.raw, b.raw);
    struct pieces pieces_a = {.rest = a.raw};
    struct pieces pieces_b = {.rest = b.raw};
    struct span x = {"", 0};
    struct span y = {"", 0};
    bool was_escaped;
    for (;;) {
        bool more_x = x.len > 0 || next_piece(&pieces_a, &x, &was_escaped);
        bool more_y = y.len > 0 || next_piece(&pieces_b, &y, &was_escaped);
        if (!more_x || !more_y)
            return (int)more_x - (int)more_y;
        size_t n = x.len < y.len ? x.len : y.len;
        int order = memcmp(x.data, y.data, n);
        if (order != 0)
            return order;
        x = span_of(x.data + n, x.len - n);
        y = span_of(y.data + n, y.len - n);
    }
}

bool json_string_is_blank(struct json_string s) {
    struct pieces pieces = {.rest = s.raw};
    struct span piece;
    bool was_escaped;
    while (next_piece(&pieces, &piece, &was_escaped))
        for (size_t i = 0; i < piece.len; i++)
            if (!memchr(" \t\n\r", piece.data[i], 4))
                return false;
    return true;
}

bool json_string_decode(struct json_string s, struct buf *out) {
    return s.escaped ? json_unescape(s.raw, out) : buf_append_span(out, s.raw);
}

size_t json_string_decode_to(struct json_string s, char *to) {
    struct pieces pieces = {.rest = s.raw};
    struct span piece;
    bool was_escaped;
    size_t len = 0;
    while (next_piece(&pieces, &piece, &was_escaped)) {
        memmove(to + len, piece.data, piece.len);
        len += piece.len;
    }
    return len;
}

struct span json_string_text(struct json_string s, struct arena *a) {
    if (!s.escaped)
        return s.raw;
    char *text = arena_alloc(a, s.raw.len + 1);
    return text ? span_of(text, json_string_decode_to(s, text)) : (struct span){NULL, 0};
}

/* The canonical escape of c, or nothing where it stands for itself. */
static struct span canonical_escape(unsigned char c, char space[static 6]) {
    static const char hex[] = "0123456789abcdef";
    static const char short_forms[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *at = memchr(short_forms, c, sizeof short_forms - 1);
    space[0] = '\\';
    if (at) {
        space[1] = letters[at - short_forms];
        return span_of(space, 2);
    }
    if (c >= 0x20)
        return span_of(space, 0);
    memcpy(space + 1, "u00", 3);
    space[4] = hex[c >> 4];
    space[5] = hex[c & 0xf];
    return span_of(space, 6);
}

/* What a piece is in canonical form. */
static struct span canonical_piece(struct span piece, bool was_escaped, char space[static 6]) {
    if (!was_escaped || piece.len != 1)
        return piece;
    struct span escape = canonical_escape((unsigned char)piece.data[0], space);
    return escape.len > 0 ? escape : piece;
}

bool json_escaped_append(struct span raw, struct buf *out) {
    buf_append_char(out, '"');
    struct pieces pieces = {.rest = raw};
    struct span piece;
    bool was_escaped;
    char space[6];
    while (next_piece(&pieces, &piece, &was_escaped))
        buf_append_span(out, canonical_piece(piece, was_escaped, space));
    return buf_append_char(out, '"');
}

size_t json_escaped_canonical_size(struct span raw) {
    struct pieces pieces = {.rest = raw};
    struct span piece;
    bool was_escaped;
    char space[6];
    size_t size = 2;
    while (next_piece(&pieces, &piece, &was_escaped))
        size += canonical_piece(piece, was_escaped, space).len;
    return size;
}
