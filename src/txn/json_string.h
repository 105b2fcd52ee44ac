/* A JSON string as it stands in a text that was read already: still escaped, and what it means without decoding it
 * first. */
#pragma once

#include "arena.h"
#include "buf.h"
#include "json_writer.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

struct json_string {
    struct span raw; /* between the quotes; valid JSON */
    bool escaped; /* raw holds at least one backslash */
};

/* A view of UTF-8 text that needs no escaping: an ASCII name of the contract's. */
static inline struct json_string json_string_of(const char *plain) {
    return (struct json_string){span_cstr(plain), false};
}

/* Bytes of the decoded form. Nearly all strings have no escapes: the inline functions here and below answer for
 * these. */
size_t json_escaped_size(struct span raw);
static inline size_t json_string_size(struct json_string s) {
    return s.escaped ? json_escaped_size(s.raw) : s.raw.len;
}
/* Order by the bytes of the decoded forms: <0, 0, >0. */
int json_string_compare(struct json_string a, struct json_string b);
/* Inline, so that the compiler knows the length of a constant text, and compares it first. */
static inline bool json_string_is(struct json_string s, const char *text) {
    if (!s.escaped && s.raw.len > 0 && s.raw.data[0] != text[0])
        return false; /* as nearly always where they differ */
    return s.escaped ? json_string_compare(s, json_string_of(text)) == 0
                     : span_equal(s.raw, span_of(text, strlen(text)));
}
/* Whether it is empty, or spaces, tabs and line breaks alone. */
bool json_string_is_blank(struct json_string s);
/* Appends the decoded form. False: out has failed. */
bool json_string_decode(struct json_string s, struct buf *out);
/* Writes the decoded form, which never has more bytes than raw, and returns how many it has. to has room for raw.len
 * bytes; it may be where raw stands. */
size_t json_string_decode_to(struct json_string s, char *to);
/* The decoded form: raw itself where nothing is escaped, else a copy in a. Its data is NULL where there is no memory.
 */
MUST_USE struct span json_string_text(struct json_string s, struct arena *a);

/* The canonical form, quotes included: the shortest escape of what must be escaped, hex digits in lower case, all else
 * as UTF-8. It is frozen: request hashes are made of it. */
bool json_escaped_append(struct span raw, struct buf *out);
static inline bool json_string_append(struct json_string s, struct buf *out) {
    return s.escaped ? json_escaped_append(s.raw, out) : json_append_quoted(out, s.raw);
}
/* The same as the name of a member, with its colon. */
static inline bool json_name_append(struct json_string s, struct buf *out) {
    if (!s.escaped)
        return buf_append_between(out, SPAN("\""), s.raw, SPAN("\":"));
    return json_escaped_append(s.raw, out) && buf_append_char(out, ':');
}
/* Bytes that json_string_append() would append. */
size_t json_escaped_canonical_size(struct span raw);
static inline size_t json_string_canonical_size(struct json_string s) {
    return s.escaped ? json_escaped_canonical_size(s.raw) : s.raw.len + sizeof "''" - 1;
}
