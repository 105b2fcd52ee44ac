/* Runs of text that JSON leaves as they are: without control characters, quotes and backslashes. */
#pragma once

#include "span.h"
#include "word.h"

#include <stdbool.h>
#include <stddef.h>

static inline bool json_is_plain(unsigned char c, bool ascii_alone) {
    return c >= 0x20 && c != '"' && c != '\\' && !(ascii_alone && c >= 0x80);
}

/* Marks the bytes that aren't plain. (Flipping bit 1 puts the quote, and nothing else, right after the control
 * characters, so that one comparison finds both.) */
static inline uint64_t json_mark_special(uint64_t word, bool ascii_alone) {
    uint64_t below = (word ^ EVERY_BYTE(2)) - EVERY_BYTE(0x21);
    uint64_t backslash = (word ^ EVERY_BYTE('\\')) - EVERY_BYTE(1);
    uint64_t found = ascii_alone ? below | backslash | word : (below | backslash) & ~word;
    return found & EVERY_BYTE(0x80);
}

/* Where the plain run that begins at `at` ends. ascii_alone: it also ends before a byte beyond ASCII. */
static inline size_t json_skip_plain(struct span text, size_t at, bool ascii_alone) {
    if (text.len - at < WORD_SIZE) {
        while (at < text.len && json_is_plain((unsigned char)text.data[at], ascii_alone))
            at++;
        return at;
    }
    size_t last = text.len - WORD_SIZE;
    for (; at < last; at += WORD_SIZE) {
        uint64_t marks = json_mark_special(word_load(text.data + at), ascii_alone);
        if (marks)
            return at + word_first(marks);
    }
    /* The last word overlaps the one before it. */
    uint64_t marks = json_mark_special(word_load(text.data + last), ascii_alone);
    return marks ? last + word_first(marks) : text.len;
}
