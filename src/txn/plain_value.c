#include "plain_value.h"

#define NUMBER_MAX 38 /* characters without an exponent: no more digits, and no magnitude out of range */

size_t plain_take_number(struct span text, size_t at) {
    struct json_scan scan = json_scan_number(text, at);
    struct span number = span_of(text.data + at, scan.at - at);
    bool fine = scan.ok && number.len <= NUMBER_MAX && !memchr(number.data, 'e', number.len) &&
                !memchr(number.data, 'E', number.len);
    return fine ? scan.at : 0;
}

size_t plain_take_word(struct span text, size_t at, struct span word) {
    struct json_scan scan = json_scan_literal(text, at, word);
    return scan.ok ? scan.at : 0;
}

static size_t take_array(struct span text, size_t at, unsigned depth_left) {
    size_t members = 0, end = plain_take(text, at, ']');
    if (end > 0) {
        return end;
    }
    do {
        at = plain_take_value(text, at, depth_left, &members);
    } while (at > 0 && plain_goes_on(text, &at));
    return at > 0 ? plain_take(text, at, ']') : 0;
}

static size_t take_object(struct span text, size_t at, unsigned depth_left, size_t *ret_members) {
    struct plain_names names;
    size_t members = 0, end = plain_take(text, at, '}');
    names.count = 0; /* the list needs no zeros */
    *ret_members = 0;
    if (end > 0) {
        return end;
    }
    do {
        at = plain_take_name(text, at, &names);
        at = at > 0 ? plain_take_value(text, at, depth_left, &members) : 0;
    } while (at > 0 && plain_goes_on(text, &at));
    *ret_members = names.count;
    return at > 0 ? plain_take(text, at, '}') : 0;
}

/* Depth is bounded by depth_left. */
size_t plain_take_value(struct span text, size_t at, unsigned depth_left, size_t *ret_members) {
    at = plain_skip_blanks(text, at);
    char c = at < text.len ? text.data[at] : '\0';
    switch (c) {
    case '"': return plain_take_string(text, at);
    case 't': return plain_take_word(text, at, SPAN("true"));
    case 'f': return plain_take_word(text, at, SPAN("false"));
    case 'n': return plain_take_word(text, at, SPAN("null"));
    case '[': return depth_left > 0 ? take_array(text, at + 1, depth_left - 1) : 0;
    case '{': return depth_left > 0 ? take_object(text, at + 1, depth_left - 1, ret_members) : 0;
    default: return c == '-' || (c >= '0' && c <= '9') ? plain_take_number(text, at) : 0;
    }
}
