#include "decode.h"

#include "buf.h"

#include <string.h>

static enum decode_status broken(const struct json_reader *r) {
    return r->error == JSON_NO_MEMORY ? DECODE_NO_MEMORY : DECODE_GARBAGE;
}

enum decode_status decode_skip(struct json_reader *r, const struct json_token *value) {
    return json_skip(r, value) ? DECODE_FINE : broken(r);
}

enum decode_status decode_object(struct json_reader *r, const struct json_token *begin, decode_member *member,
                                 void *user) {
    if (begin->event == JSON_NULL) {
        return DECODE_FINE;
    }
    if (begin->event != JSON_OBJECT_BEGIN) {
        return DECODE_GARBAGE;
    }
    struct json_token name, value;
    enum json_event event;
    while ((event = json_next(r, &name)) == JSON_NAME) {
        if (json_next(r, &value) == JSON_FAILED) {
            return broken(r);
        }
        enum decode_status status = member(user, r, &name, &value);
        if (status != DECODE_FINE) {
            return status;
        }
    }
    return event == JSON_OBJECT_END ? DECODE_FINE : broken(r);
}

enum decode_status decode_array(struct json_reader *r, const struct json_token *begin, decode_element *element,
                                void *user) {
    if (begin->event == JSON_NULL) {
        return DECODE_FINE;
    }
    if (begin->event != JSON_ARRAY_BEGIN) {
        return DECODE_GARBAGE;
    }
    struct json_token value;
    for (;;) {
        enum json_event event = json_next(r, &value);
        if (event == JSON_ARRAY_END) {
            return DECODE_FINE;
        }
        if (event == JSON_FAILED) {
            return broken(r);
        }
        enum decode_status status = element(user, r, &value);
        if (status != DECODE_FINE) {
            return status;
        }
    }
}

static enum decode_status read_document(struct json_reader *r, decode_member *member, void *user) {
    struct json_token token;
    if (json_next(r, &token) != JSON_OBJECT_BEGIN) {
        return broken(r);
    }
    enum decode_status status = decode_object(r, &token, member, user);
    if (status == DECODE_FINE && json_next(r, &token) != JSON_END) {
        return broken(r);
    }
    return status;
}

enum decode_status decode_read(struct span text, decode_member *member, void *user) {
    static const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader r;
    json_reader_init(&r, text, &options);
    enum decode_status status = read_document(&r, member, user);
    json_reader_done(&r);
    return status;
}

enum decode_status decode_text(const struct json_token *value, char *ret_text, size_t size) {
    if (value->event != JSON_STRING) {
        return DECODE_GARBAGE;
    }
    struct buf text;
    buf_init(&text, size - 1);
    if (!json_unescape(value->raw, &text)) {
        enum decode_status status = text.failure == BUF_NO_MEMORY ? DECODE_NO_MEMORY : DECODE_GARBAGE;
        buf_free(&text);
        return status;
    }
    struct span s = buf_span(&text);
    bool fine = !memchr(s.data, '\0', s.len);
    if (fine) {
        memcpy(ret_text, s.data, s.len);
        ret_text[s.len] = '\0';
    }
    buf_free(&text);
    return fine ? DECODE_FINE : DECODE_GARBAGE;
}

#define UNICODE_ESCAPE_SIZE 6

/* The longest beginning of at most max bytes that ends neither inside an escape nor inside a surrogate pair. */
static struct span raw_beginning(struct span raw, size_t max) {
    size_t at = 0;
    while (at < raw.len) {
        size_t step = 1;
        if (raw.data[at] == '\\') {
            bool unicode = at + 3 < raw.len && raw.data[at + 1] == 'u';
            bool pair =
                unicode && (raw.data[at + 2] == 'd' || raw.data[at + 2] == 'D') && strchr("89abAB", raw.data[at + 3]);
            step = pair ? 2 * UNICODE_ESCAPE_SIZE : unicode ? UNICODE_ESCAPE_SIZE : 2;
        }
        if (step > max - at || step > raw.len - at) {
            break;
        }
        at += step;
    }
    return span_of(raw.data, at);
}

/* How many bytes of s fit in max without cutting a character. */
static size_t utf8_fit(struct span s, size_t max) {
    if (s.len <= max) {
        return s.len;
    }
    while (max && ((unsigned char)s.data[max] & 0xC0) == 0x80) {
        max--;
    }
    return max;
}

void decode_text_cut(const struct json_token *value, char *ret_text, size_t size) {
    ret_text[0] = '\0';
    if (value->event != JSON_STRING) {
        return;
    }
    /* A byte of text takes at most six bytes of raw. The room for one character more shows where the last one that fits
     * ends. */
    size_t max = (size + 4) * UNICODE_ESCAPE_SIZE;
    struct buf text;
    buf_init(&text, max);
    if (json_unescape(raw_beginning(value->raw, max), &text)) {
        size_t len = utf8_fit(buf_span(&text), size - 1);
        memcpy(ret_text, buf_span(&text).data, len);
        ret_text[len] = '\0';
    }
    buf_free(&text);
}

bool decode_number(struct span digits, uint64_t max, uint64_t *ret_number) {
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        unsigned digit = (unsigned)(digits.data[i] - '0');
        if (__builtin_mul_overflow(number, 10U, &number) || __builtin_add_overflow(number, digit, &number)) {
            return false;
        }
    }
    if (!digits.len || number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

bool decode_number_text(const struct json_token *value, uint64_t max, uint64_t *ret_number) {
    return value->event == JSON_STRING && !value->escaped && decode_number(value->raw, max, ret_number);
}
