/* Eight bytes of text as one number, so that most of a text is scanned without a look at single bytes. A mark is the
 * top bit of a byte. Only the first mark is certain: the subtraction borrows, and may mark bytes after it wrongly. */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_SIZE sizeof(uint64_t)
#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Loads the first byte into the lowest place, on every machine. */
static inline uint64_t word_load(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

static inline void word_store(char *p, uint64_t word) {
    word = htole64(word);
    memcpy(p, &word, sizeof word);
}

/* Marks the bytes that are c. */
static inline uint64_t word_mark(uint64_t word, unsigned char c) {
    uint64_t x = word ^ EVERY_BYTE(c);
    return (x - EVERY_BYTE(1)) & ~x & EVERY_BYTE(0x80);
}

/* The index of the first marked byte. */
static inline size_t word_first(uint64_t marks) {
    return (size_t)__builtin_ctzll(marks) / 8;
}
