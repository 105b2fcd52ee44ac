/* SipHash-1-3 (Aumasson and Bernstein, 2012, with the reduced rounds that hash tables use), in pieces. */
#pragma once

#include "span.h"

#include <stddef.h>
#include <stdint.h>

struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t tail; /* bytes that make no whole word yet, little-endian */
    uint64_t length; /* of all that was put in */
};

/* A rotation to the left by 1 to 63 bits. */
static inline uint64_t siphash_rotate(uint64_t x, unsigned by) {
    return x << by | x >> (64 - by);
}

/* One SipRound. */
static inline void siphash_round(struct siphash *h) {
    h->v0 += h->v1;
    h->v2 += h->v3;
    h->v1 = siphash_rotate(h->v1, 13) ^ h->v0;
    h->v3 = siphash_rotate(h->v3, 16) ^ h->v2;
    h->v0 = siphash_rotate(h->v0, 32);
    h->v2 += h->v1;
    h->v0 += h->v3;
    h->v1 = siphash_rotate(h->v1, 17) ^ h->v2;
    h->v3 = siphash_rotate(h->v3, 21) ^ h->v0;
    h->v2 = siphash_rotate(h->v2, 32);
}

/* Takes in one word: the "1" of 1-3. */
static inline void siphash_word(struct siphash *h, uint64_t word) {
    h->v3 ^= word;
    siphash_round(h);
    h->v0 ^= word;
}

/* Begins a hash. The key must be secret where texts may be hostile. */
static inline void siphash_begin(struct siphash *h, const uint64_t key[static 2]) {
    *h = (struct siphash){.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
                          .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
                          .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
                          .v3 = key[1] ^ UINT64_C(0x7465646279746573)};
}

/* Loads a word as SipHash defines it: little-endian on every machine. */
static inline uint64_t siphash_load(const char *p) {
    uint64_t word = 0;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Takes in a piece. How a text is cut into pieces doesn't change its hash. */
static inline void siphash_update(struct siphash *h, struct span s) {
    size_t i = 0;
    while (i < s.len) {
        unsigned filled = (unsigned)(h->length & 7);
        if (filled == 0 && s.len - i >= 8) {
            siphash_word(h, siphash_load(s.data + i));
            i += 8;
            h->length += 8;
            continue;
        }
        h->tail |= (uint64_t)(unsigned char)s.data[i++] << (8 * filled);
        h->length++;
        if (filled == 7) {
            siphash_word(h, h->tail);
            h->tail = 0;
        }
    }
}

/* The hash of all pieces: the "3" of 1-3. The state is used up. */
static inline uint64_t siphash_end(struct siphash *h) {
    siphash_word(h, h->length << 56 | h->tail);
    h->v2 ^= 0xFF;
    siphash_round(h);
    siphash_round(h);
    siphash_round(h);
    return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}
