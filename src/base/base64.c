#include "base64.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

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

/* All bits are set where it isn't in the alphabet. */
static inline uint32_t value_of(char c) {
    return VALUES[(unsigned char)c] - 1U;
}

/* The 24 bits of four characters. Where one isn't in the alphabet, those above them are set. */
static inline uint32_t four(const char *c) {
    return value_of(c[0]) << 18 | value_of(c[1]) << 12 | value_of(c[2]) << 6 | value_of(c[3]);
}

/* The characters at the end that pad. */
static size_t padding_of(struct span text) {
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    return padding;
}

/* What follows the groups of four, of which padding makes one: two characters, or three. All bits are set where it
 * isn't the beginning of a group. */
static uint32_t last_group(const char *from, size_t padding) {
    const char last[] = {from[0], from[1], padding == 1 ? from[2] : 'A', 'A'};
    uint32_t bits = four(last), stray = padding == 1 ? 0xFF : 0xFFFF;
    return bits & stray ? UINT32_MAX : bits;
}

bool base64_valid(struct span text) {
    size_t padding = padding_of(text), count = text.len - padding, i = 0;
    uint32_t all = 0;
    if (text.len % 4 != 0)
        return false;
    for (; count - i >= 4; i += 4)
        all |= four(text.data + i);
    if (padding)
        all |= last_group(text.data + i, padding);
    return all >> 24 == 0;
}

/* Decodes text, whose length is right, and writes a byte beyond. False: it is no base64. */
static bool decode(struct span text, size_t padding, char *to) {
    const char *from = text.data;
    uint32_t all = 0;
    for (size_t left = text.len - padding; left >= 4; left -= 4, from += 4, to += 3) {
        uint32_t bits = four(from), bytes = htobe32(bits << 8);
        all |= bits;
        memcpy(to, &bytes, sizeof bytes);
    }
    if (padding) {
        uint32_t bits = last_group(from, padding), bytes = htobe32(bits << 8);
        all |= bits;
        memcpy(to, &bytes, 3 - padding);
    }
    return all >> 24 == 0;
}

bool base64_decode(struct span text, struct buf *out) {
    size_t padding = padding_of(text), size = text.len / 4 * 3;
    if (text.len % 4 != 0)
        return false;
    size -= padding;
    if (size > out->max - out->len && !base64_valid(text))
        return false;
    char *to = buf_reserve(out, size);
    if (!to)
        return false;
    bool fine = decode(text, padding, to);
    *to = fine ? *to : '\0'; /* out is as it was */
    buf_advance(out, fine ? size : 0);
    return fine;
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
