#include "json_text.h"

#include "block.h"
#include "json_reader.h"
#include "json_scan.h"
#include "utf8.h"

#include <limits.h>
#include <stddef.h>

#define UNICODE_ESCAPE_SIZE (sizeof "\\uXXXX" - 1)

static bool hex_unit(struct span s, uint32_t *ret_unit) {
    if (s.len < UNICODE_ESCAPE_SIZE || s.data[0] != '\\' || s.data[1] != 'u')
        return false;
    uint32_t unit = 0;
    for (size_t i = 2; i < UNICODE_ESCAPE_SIZE; i++) {
        int digit = json_hex_digit(s.data[i]);
        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret_unit = unit;
    return true;
}

/* What a backslash and this letter stand for; NUL: nothing by themselves. */
static char short_form(char letter) {
    static const char meant[UCHAR_MAX + 1] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    return meant[(unsigned char)letter];
}

/* Decodes the escape at the beginning of s, and returns how many bytes of s it took. A backslash that the reader would
 * have refused stands for itself. */
static size_t decode_escape(struct span s, char decoded[static 4], size_t *ret_len) {
    uint32_t unit = 0;
    uint32_t low = 0;
    *ret_len = 1;
    decoded[0] = s.len > 1 ? short_form(s.data[1]) : '\0';
    if (decoded[0])
        return 2;
    if (hex_unit(s, &unit) && (unit < 0xD800 || unit > 0xDFFF)) {
        *ret_len = utf8_encode(unit, decoded);
        return UNICODE_ESCAPE_SIZE;
    }
    if (unit >= 0xD800 && unit <= 0xDBFF &&
        hex_unit(span_of(s.data + UNICODE_ESCAPE_SIZE, s.len - UNICODE_ESCAPE_SIZE), &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *ret_len = utf8_encode(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), decoded);
        return 2 * UNICODE_ESCAPE_SIZE;
    }
    decoded[0] = s.data[0];
    return 1;
}

bool json_next_piece(struct json_pieces *pieces, struct span *ret_piece) {
    struct span rest = pieces->rest;
    if (rest.len == 0)
        return false;
    size_t taken = 0;
    if (rest.data[0] == '\\') {
        size_t len = 0;
        taken = decode_escape(rest, pieces->decoded, &len);
        *ret_piece = span_of(pieces->decoded, len);
    } else {
        const char *backslash = memchr(rest.data, '\\', rest.len);
        taken = backslash ? (size_t)(backslash - rest.data) : rest.len;
        *ret_piece = span_of(rest.data, taken);
    }
    pieces->rest = span_of(rest.data + taken, rest.len - taken);
    return true;
}

bool json_raw_equal(struct span a, struct span b) {
    struct json_pieces pieces_a = json_pieces_of(a);
    struct json_pieces pieces_b = json_pieces_of(b);
    struct span x = {"", 0};
    struct span y = {"", 0};
    for (;;) {
        bool more_x = x.len > 0 || json_next_piece(&pieces_a, &x);
        bool more_y = y.len > 0 || json_next_piece(&pieces_b, &y);
        if (!more_x || !more_y)
            return more_x == more_y;
        size_t n = x.len < y.len ? x.len : y.len;
        if (memcmp(x.data, y.data, n) != 0)
            return false;
        x = span_of(x.data + n, x.len - n);
        y = span_of(y.data + n, y.len - n);
    }
}

/* Decodes the escape at *from, moves *from behind it, and returns where the decoded text ends. */
static inline char *unescape_one(const char **from, const char *end, char *to) {
    char meant = end - *from > 1 ? short_form((*from)[1]) : '\0';
    if (meant) {
        *to = meant;
        *from += 2;
        return to + 1;
    }
    char decoded[4];
    size_t len = 0;
    *from += decode_escape(span_of(*from, (size_t)(end - *from)), decoded, &len);
    memcpy(to, decoded, len);
    return to + len;
}

/* Decodes into room for raw.len bytes: decoded text is never longer than its spelling, so that whole blocks can be
 * copied. A message's body is JSON inside JSON. Its runs between escaped quotes are so short that finding their end
 * first would cost more than copying them. */
static size_t unescape_into(struct span raw, char *to) {
    const char *from = raw.data, *end = raw.data + raw.len;
    char *begin = to;
    while (end - from >= (ptrdiff_t)BLOCK_SIZE) {
        block b = block_load(from);
        unsigned backslashes = block_bits((block)(b == (uint8_t)'\\'));
        size_t run = backslashes ? block_first(backslashes) : BLOCK_SIZE;
        block_store(to, b);
        from += run;
        to += run;
        if (backslashes)
            to = unescape_one(&from, end, to);
    }
    while (from < end) {
        if (*from == '\\')
            to = unescape_one(&from, end, to);
        else
            *to++ = *from++;
    }
    return (size_t)(to - begin);
}

bool json_unescape(struct span raw, struct buf *out) {
    if (buf_ok(out) && raw.len <= out->max - out->len) {
        char *to = buf_reserve(out, raw.len);
        if (to)
            buf_advance(out, unescape_into(raw, to));
        return to != NULL;
    }
    struct json_pieces pieces = json_pieces_of(raw);
    struct span piece;
    while (json_next_piece(&pieces, &piece))
        if (!buf_append_span(out, piece))
            return false;
    return buf_ok(out);
}

bool json_escaped_is(struct span raw, struct span text) {
    struct json_pieces pieces = json_pieces_of(raw);
    struct span piece;
    while (json_next_piece(&pieces, &piece)) {
        if (piece.len > text.len || memcmp(piece.data, text.data, piece.len) != 0)
            return false;
        text = span_of(text.data + piece.len, text.len - piece.len);
    }
    return text.len == 0;
}
