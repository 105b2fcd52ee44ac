#include "base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How many characters stand before the padding; false: the text is no base64. */
static bool check(struct span text, size_t *ret_count) {
    size_t count = text.len;
    while (count > 0 && text.len - count < 2 && text.data[count - 1] == '=')
        count--;
    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (value_of(text.data[i]) < 0)
            return false;
    size_t padding = text.len - count;
    unsigned stray_bits = padding == 1 ? 0x3 : padding == 2 ? 0xF : 0;
    if (stray_bits && (unsigned)value_of(text.data[count - 1]) & stray_bits)
        return false;
    *ret_count = count;
    return true;
}

bool base64_valid(struct span text) {
    size_t count;
    return check(text, &count);
}

bool base64_decode(struct span text, struct buf *out) {
    size_t count = 0;
    if (!check(text, &count))
        return false;
    size_t size = count / 4 * 3 + (count % 4 ? count % 4 - 1 : 0);
    char *to = buf_reserve(out, size);
    if (!to)
        return false;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits << 6 | (uint32_t)value_of(text.data[i]);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *to++ = (char)(bits >> held & 0xFF);
        }
    }
    buf_advance(out, size);
    return true;
}

bool base64_encode(struct span bytes, struct buf *out) {
    if (bytes.len / 3 > SIZE_MAX / 4 - 1)
        return false;
    size_t size = (bytes.len + 2) / 3 * 4;
    const char pad = '=';
    char *to = buf_reserve(out, size);
    if (!to)
        return false;
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = i; k < i + 3; k++)
            bits = bits << 8 | (k < bytes.len ? (unsigned char)bytes.data[k] : 0U);
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 0x3F];
        *to++ = i + 1 < bytes.len ? alphabet[bits >> 6 & 0x3F] : pad;
        *to++ = i + 2 < bytes.len ? alphabet[bits & 0x3F] : pad;
    }
    buf_advance(out, size);
    return true;
}
