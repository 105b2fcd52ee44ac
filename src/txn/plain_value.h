/* JSON of the plainest kind, looked at in one pass and without memory. What isn't so may be fine all the same: it is
 * for the reader. Private to update_plain.c. */
#pragma once

#include "json_plain.h"
#include "json_scan.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PLAIN_NAMES_MAX 64
#define PLAIN_NAME_SIZE 255 /* as long as a key's, with which it is compared */

/* All plain_take_…() functions give the offset behind what they took; 0: it isn't there, or isn't plain. Texts and
 * offsets are values, so that they stay in registers. */

/* Names of one object; none is empty. */
struct plain_names {
    struct span list[PLAIN_NAMES_MAX];
    size_t count;
};

/* The offset of the next byte that is no white space; the text's length: there is none. */
static inline size_t plain_skip_blanks(struct span text, size_t at) {
    while (at < text.len &&
           (text.data[at] == ' ' || text.data[at] == '\n' || text.data[at] == '\r' || text.data[at] == '\t')) {
        at++;
    }
    return at;
}

static inline bool plain_is_at(struct span text, size_t at, char c) {
    return at < text.len && text.data[at] == c;
}

static inline size_t plain_take(struct span text, size_t at, char c) {
    at = plain_skip_blanks(text, at);
    return plain_is_at(text, at, c) ? at + 1 : 0;
}

/* Whether a comma comes next; then it is passed over. */
static inline bool plain_goes_on(struct span text, size_t *at) {
    *at = plain_skip_blanks(text, *at);
    bool comma = plain_is_at(text, *at, ',');
    *at += comma;
    return comma;
}

/* text[at] is the quote before a string of any kind. */
static inline size_t plain_take_string(struct span text, size_t at) {
    size_t end = json_skip_plain(text, at + 1, true);
    if (plain_is_at(text, end, '"')) {
        return end + 1;
    }
    struct json_scan scan = json_scan_string(text, at);
    return scan.ok ? scan.at : 0;
}

/* A string without escapes that isn't empty. */
static inline size_t plain_take_text(struct span text, size_t at, struct span *ret_text) {
    at = plain_skip_blanks(text, at);
    if (!plain_is_at(text, at, '"')) {
        return 0;
    }
    size_t end = json_skip_plain(text, at + 1, true);
    if (!plain_is_at(text, end, '"')) {
        struct json_scan scan = json_scan_string(text, at);
        if (!scan.ok || scan.escaped) {
            return 0;
        }
        end = scan.at - 1;
    }
    *ret_text = span_of(text.data + at + 1, end - at - 1);
    return ret_text->len > 0 ? end + 1 : 0;
}

static inline bool plain_is_among(const struct plain_names *names, struct span name) {
    for (size_t i = 0; i < names->count; i++) {
        struct span other = names->list[i];
        if (other.len == name.len && other.data[0] == name.data[0] && memcmp(other.data, name.data, name.len) == 0) {
            return true;
        }
    }
    return false;
}

/* A name that its object doesn't have yet, and the colon. */
static inline size_t plain_take_name(struct span text, size_t at, struct plain_names *names) {
    struct span name;
    at = plain_take_text(text, at, &name);
    if (at == 0 || names->count == PLAIN_NAMES_MAX || name.len > PLAIN_NAME_SIZE || plain_is_among(names, name)) {
        return 0;
    }
    names->list[names->count++] = name;
    return plain_take(text, at, ':');
}

/* text[at] is '-' or a digit. Without an exponent, and of so few characters that it is in range. */
size_t plain_take_number(struct span text, size_t at);
/* text[at] is the word's first letter. */
size_t plain_take_word(struct span text, size_t at, struct span word);
/* Any value. *ret_members: of an object, how many it has. */
size_t plain_take_value(struct span text, size_t at, unsigned depth_left, size_t *ret_members);
