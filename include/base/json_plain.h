/* Runs of text that JSON leaves as they are: without control characters, quotes and backslashes. */
#pragma once

#include "block.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* A bit for each byte that isn't plain. */
static inline unsigned json_bits_special(block b, bool ascii_alone) {
    /* Bytes beyond ASCII are the negative ones. */
    block below = ascii_alone ? (block)((block_signed)b < (int8_t)0x20) : (block)(b < (uint8_t)0x20);
    return block_bits(below | (block)(b == (uint8_t)'"') | (block)(b == (uint8_t)'\\'));
}

/* Where the plain run that begins at `at` ends. ascii_alone: it also ends before a byte beyond ASCII. */
ALWAYS_INLINE static inline size_t json_skip_plain(struct span text, size_t at, bool ascii_alone) {
    if (text.len < BLOCK_SIZE) {
        /* The zero behind the text ends the run. */
        block all = block_load_short(text.data, text.len);
        return at + block_first(json_bits_special(all, ascii_alone) >> at);
    }
    size_t last = text.len - BLOCK_SIZE;
    for (; at < last; at += BLOCK_SIZE) {
        unsigned bits = json_bits_special(block_load(text.data + at), ascii_alone);
        if (bits)
            return at + block_first(bits);
    }
    /* The last block begins at `at` or before. */
    unsigned bits = json_bits_special(block_load(text.data + last), ascii_alone) >> (at - last);
    return bits ? at + block_first(bits) : text.len;
}
