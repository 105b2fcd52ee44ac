#include "sink_scan.h"

#include "json_scan.h"
#include "sink_body.h"

static void skip(struct span *text, size_t n) {
    text->data += n;
    text->len -= n;
}

static void skip_blanks(struct span *text) {
    while (text->len && (*text->data == ' ' || *text->data == '\n' || *text->data == '\r' || *text->data == '\t'))
        skip(text, 1);
}

/* Moves *text behind the name and its colon. */
static bool find(struct span *text, struct span quoted_name) {
    const char *at;
    while (text->len && (at = memmem(text->data, text->len, quoted_name.data, quoted_name.len))) {
        skip(text, (size_t)(at - text->data) + quoted_name.len);
        skip_blanks(text);
        if (text->len && *text->data == ':') {
            skip(text, 1);
            skip_blanks(text);
            return true;
        }
    }
    return false;
}

bool scan_string(struct span *text, struct span quoted_name, struct span *ret_value) {
    if (!find(text, quoted_name) || !text->len || *text->data != '"')
        return false;
    skip(text, 1);
    const char *end = text->len ? memchr(text->data, '"', text->len) : NULL;
    if (!end)
        return false;
    *ret_value = span_of(text->data, (size_t)(end - text->data));
    skip(text, ret_value->len + 1);
    return true;
}

bool scan_text(struct span *text, struct span quoted_name, struct span *ret_raw) {
    if (!find(text, quoted_name) || !text->len || *text->data != '"')
        return false;
    skip(text, 1);
    size_t len = 0;
    while (len < text->len && text->data[len] != '"')
        len += text->data[len] == '\\' ? 2 : 1;
    if (len >= text->len)
        return false;
    *ret_raw = span_of(text->data, len);
    skip(text, len + 1);
    return true;
}

bool scan_number(struct span *text, struct span quoted_name, uint64_t *ret_value) {
    return find(text, quoted_name) && scan_digits(*text, ret_value);
}

bool scan_record(struct span *text, uint64_t *ret_number) {
    const char *at = text->len ? memmem(text->data, text->len, RECORD_MARK, sizeof RECORD_MARK - 1) : NULL;
    if (!at)
        return false;
    skip(text, (size_t)(at - text->data) + sizeof RECORD_MARK - 1);
    return scan_digits(*text, ret_number);
}

bool scan_message(struct span *text, uint64_t *ret_number) {
    const char *at = text->len ? memmem(text->data, text->len, MESSAGE_MARK, sizeof MESSAGE_MARK - 1) : NULL;
    if (!at)
        return false;
    skip(text, (size_t)(at - text->data) + sizeof MESSAGE_MARK - 1);
    uint64_t number = 0;
    for (size_t i = 0; i < MESSAGE_DIGITS; i++) {
        int digit = i < text->len ? json_hex_digit(text->data[i]) : -1;
        if (digit < 0)
            return false;
        number = number * 16 + (uint64_t)digit;
    }
    *ret_number = number;
    return true;
}

bool scan_digits(struct span text, uint64_t *ret_number) {
    uint64_t number = 0;
    size_t i = 0;
    for (; i < text.len && i < 18 && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    *ret_number = number;
    return i > 0;
}
