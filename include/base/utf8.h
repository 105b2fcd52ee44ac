/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The length of a sequence, by its first byte. 0: no sequence begins with it. */
static inline size_t utf8_length(unsigned char first) {
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return 2;
    if (first < 0xF0)
        return 3;
    return first < 0xF5 ? 4 : 0;
}

/* How many of the n bytes at p belong to one sequence. A whole and valid one has utf8_length() of them; else only those
 * before the first wrong or missing byte count. */
static inline size_t utf8_match(const unsigned char *p, size_t n) {
    size_t length = n ? utf8_length(p[0]) : 0;
    if (length < 2 || n < 2)
        return length ? 1 : 0;
    unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 1;
    size_t i = 2;
    while (i < length && i < n && (p[i] & 0xC0) == 0x80)
        i++;
    return i;
}

/* Writes the code point, which must not be a surrogate nor above U+10FFFF, and returns how many bytes it took. */
static inline size_t utf8_encode(uint32_t c, char ret_bytes[static 4]) {
    if (c < 0x80) {
        ret_bytes[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        ret_bytes[i] = (char)(0x80 | (c & 0x3F));
    ret_bytes[0] = (char)((0xF00 >> length & 0xFF) | c);
    return length;
}
