#include "base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Each character's value + 1. The rest is 0: such bytes aren't in the alphabet. */
static const uint8_t VALUES[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static int value_of(char c) {
    return (int)VALUES[(unsigned char)c] - 1;
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
