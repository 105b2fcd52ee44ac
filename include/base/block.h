/* Sixteen bytes of text at once, as the processor's vectors have them: most of a text is scanned without a look at
 * single bytes. Written in the compiler's own vectors, so that there is one code for every processor. */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK_SIZE sizeof(block)

typedef uint8_t block __attribute__((vector_size(16)));
typedef int8_t block_signed __attribute__((vector_size(16)));
typedef uint64_t block_words __attribute__((vector_size(16)));

/* Sixteen bytes, from wherever they stand. */
static inline block block_load(const char *p) {
    block b;
    memcpy(&b, p, sizeof b);
    return b;
}

/* Sixteen bytes, to wherever they shall stand. */
static inline void block_store(char *p, block b) {
    memcpy(p, &b, sizeof b);
}

/* Up to seven bytes as one number, the first in the lowest place. They are loaded twice where loads overlap. */
static inline uint64_t block_load_few(const char *p, size_t len) {
    if (len >= 4) {
        uint32_t first = 0, last = 0;
        memcpy(&first, p, 4);
        memcpy(&last, p + len - 4, 4);
        return le32toh(first) | (uint64_t)le32toh(last) << 8 * (len - 4);
    }
    if (len == 0) {
        return 0;
    }
    const unsigned char *bytes = (const unsigned char *)p;
    return bytes[0] | (uint64_t)bytes[len / 2] << 8 * (len / 2) | (uint64_t)bytes[len - 1] << 8 * (len - 1);
}

/* Fewer bytes than a block has; zeros behind them. The block is made of registers: loaded from where its two words had
 * just been stored, it would wait for them. */
static inline block block_load_short(const char *p, size_t len) {
    if (len < 8) {
        return (block)(block_words){htole64(block_load_few(p, len)), 0};
    }
    uint64_t first, last;
    memcpy(&first, p, 8);
    memcpy(&last, p + len - 8, 8);
    return (block)(block_words){first, len == 8 ? 0 : htole64(le64toh(last) >> 8 * (16 - len))};
}

/* The top bits of eight bytes, the first one's lowest. */
static inline unsigned block_bits_of_word(uint64_t word) {
    return (unsigned)((le64toh(word) >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}

/* block_bits() where the processor has no instruction for it. */
static inline unsigned block_bits_portable(block marks) {
    uint64_t words[2];
    memcpy(words, &marks, sizeof words);
    return block_bits_of_word(words[0]) | block_bits_of_word(words[1]) << 8;
}

/* A bit for each byte of what a comparison of blocks gave, the first one's lowest. */
static inline unsigned block_bits(block marks) {
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)marks);
#else
    return block_bits_portable(marks);
#endif
}

/* The index of the first one of bits that aren't all zero. */
static inline size_t block_first(unsigned bits) {
    return (size_t)__builtin_ctz(bits);
}
