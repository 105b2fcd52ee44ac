#include "json_scan.h"

#include "compiler.h"
#include "json_plain.h"
#include "utf8.h"

static struct json_scan wrong(size_t at) {
    return (struct json_scan){.at = at};
}

static struct json_scan right(size_t at) {
    return (struct json_scan){.at = at, .ok = true};
}

static unsigned char byte_at(struct span text, size_t at) {
    return (unsigned char)text.data[at];
}

static bool is_digit(struct span text, size_t at) {
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

int json_hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four hex digits at `at`. */
static struct json_scan scan_hex(struct span text, size_t at, uint32_t *ret_unit) {
    uint32_t unit = 0;
    for (size_t end = at + 4; at < end; at++) {
        int digit = at < text.len ? json_hex_digit(text.data[at]) : -1;
        if (digit < 0)
            return wrong(at);
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret_unit = unit;
    return right(at);
}

/* Scans the escape whose backslash is at `at`; a high surrogate includes the low one that must follow. A syntax error
 * is reported at its byte. A lone surrogate is reported at its backslash, since the escape itself is well formed. */
OUT_OF_LINE static struct json_scan scan_unicode_escape(struct span text, size_t at) {
    uint32_t unit = 0;
    struct json_scan first = scan_hex(text, at + 2, &unit);
    if (!first.ok || unit < 0xD800 || unit > 0xDFFF)
        return first;
    if (unit > 0xDBFF)
        return wrong(at);
    for (size_t i = 0; i < 2; i++)
        if (first.at + i == text.len)
            return wrong(text.len);
        else if (text.data[first.at + i] != "\\u"[i])
            return wrong(at);
    struct json_scan second = scan_hex(text, first.at + 2, &unit);
    if (second.ok && (unit < 0xDC00 || unit > 0xDFFF))
        return wrong(at);
    return second;
}

/* Whether a backslash and this letter are an escape as they stand. */
static bool is_short_escape(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return true;
    default: return false;
    }
}

/* Scans an escape that isn't a short one. */
static struct json_scan scan_escape(struct span text, size_t at) {
    if (at + 1 == text.len)
        return wrong(text.len);
    return text.data[at + 1] == 'u' ? scan_unicode_escape(text, at) : wrong(at + 1);
}

/* Scans a character beyond ASCII. */
static struct json_scan scan_character(struct span text, size_t at) {
    size_t matched = utf8_match((const unsigned char *)text.data + at, text.len - at);
    bool whole = matched > 0 && matched >= utf8_length(byte_at(text, at));
    return whole ? right(at + matched) : wrong(at + matched);
}

/* Scans the rest of a string whose first part, up to `at`, was plain. */
OUT_OF_LINE static struct json_scan scan_rest(struct span text, size_t at) {
    bool escaped = false;
    for (; at < text.len; at = json_skip_plain(text, at, true)) {
        /* JSON inside a string: a message's body is full of escaped quotes. */
        while (at + 1 < text.len && text.data[at] == '\\' && is_short_escape(text.data[at + 1])) {
            escaped = true;
            at = json_skip_plain(text, at + 2, true);
        }
        if (at == text.len)
            break;
        unsigned char c = byte_at(text, at);
        if (c == '"')
            return (struct json_scan){.at = at + 1, .ok = true, .escaped = escaped};
        if (c < 0x20)
            break;
        struct json_scan next = c == '\\' ? scan_escape(text, at) : scan_character(text, at);
        if (!next.ok)
            return next;
        escaped = escaped || c == '\\';
        at = next.at;
    }
    return wrong(at);
}

struct json_scan json_scan_string(struct span text, size_t at) {
    at = json_skip_plain(text, at + 1, true);
    if (at < text.len && text.data[at] == '"') /* as in most strings */
        return right(at + 1);
    return scan_rest(text, at);
}

static size_t skip_digits(struct span text, size_t at) {
    while (is_digit(text, at))
        at++;
    return at;
}

struct json_scan json_scan_number(struct span text, size_t at) {
    if (text.data[at] == '-')
        at++;
    if (!is_digit(text, at))
        return wrong(at);
    at = text.data[at] == '0' ? at + 1 : skip_digits(text, at);
    if (at < text.len && text.data[at] == '.') {
        if (!is_digit(text, at + 1))
            return wrong(at + 1);
        at = skip_digits(text, at + 1);
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
            at++;
        if (!is_digit(text, at))
            return wrong(at);
        at = skip_digits(text, at);
    }
    return right(at);
}

struct json_scan json_scan_literal(struct span text, size_t at, struct span word) {
    for (size_t i = 0; i < word.len; i++)
        if (at + i == text.len || text.data[at + i] != word.data[i])
            return wrong(at + i);
    return right(at + word.len);
}
