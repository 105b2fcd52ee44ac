#include "row_text.h"

#include "utf8.h"

#include <stdint.h>

bool row_text_is_blank(struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            return false;
        }
    }
    return true;
}

/* Eight bytes at once: whether all are ASCII, and none is NUL. */
static bool is_plain_word(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    return ((word | (word - ones)) & tops) == 0;
}

size_t row_text_fault(struct span text) {
    size_t at = 0;
    while (at < text.len) {
        if (text.len - at >= 8 && is_plain_word(text.data + at)) {
            at += 8;
            continue;
        }
        const unsigned char *p = (const unsigned char *)text.data + at;
        size_t length = utf8_length(p[0]);
        if (p[0] == '\0' || length == 0 || utf8_match(p, text.len - at) < length) {
            return at;
        }
        at += length;
    }
    return text.len;
}

size_t row_text_count_quotes(struct span text) {
    size_t count = 0;
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end; at++) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at) {
            break;
        }
        count++;
    }
    return count;
}
