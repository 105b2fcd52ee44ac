#include "json_reader.h"

#include "json_scan.h"

/* What may come next. */
enum state {
    STATE_VALUE,
    STATE_FIRST_ITEM, /* a value, or the end of an array that is still empty */
    STATE_FIRST_MEMBER, /* a name, or the end of an object that is still empty */
    STATE_COLON,
    STATE_AFTER_VALUE, /* a comma, the end of what is open, or of the text */
    STATE_END,
    STATE_FAILED
};

#define END_OF_TEXT (-1)

void json_reader_init(struct json_reader *r, struct span text, const struct json_options *options) {
    r->text = text;
    r->at = 0;
    r->options = *options;
    if (r->options.max_depth > JSON_MAX_DEPTH)
        r->options.max_depth = JSON_MAX_DEPTH;
    r->depth = 0;
    r->state = STATE_VALUE;
    r->error = JSON_NO_ERROR;
    r->error_offset = 0;
    if (options->reject_duplicates)
        json_names_init(&r->names, options->hash_seed);
}

void json_reader_done(struct json_reader *r) {
    if (r->options.reject_duplicates)
        json_names_done(&r->names);
    r->options.reject_duplicates = false;
}

static enum json_event fail(struct json_reader *r, enum json_error error, size_t offset) {
    r->state = STATE_FAILED;
    r->error = error;
    r->error_offset = offset;
    return JSON_FAILED;
}

OUT_OF_LINE static int skip_space(struct json_reader *r) {
    for (; r->at < r->text.len; r->at++) {
        char c = r->text.data[r->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return (unsigned char)c;
    }
    return END_OF_TEXT;
}

/* The next byte that is no white space, or END_OF_TEXT; r->at is its offset. */
static inline int peek(struct json_reader *r) {
    if (r->at < r->text.len && (unsigned char)r->text.data[r->at] > ' ')
        return (unsigned char)r->text.data[r->at];
    return skip_space(r);
}

static bool in_object(const struct json_reader *r) {
    unsigned level = r->depth - 1;
    return r->depth > 0 && (r->open[level / 8] >> (level % 8) & 1);
}

/* r->at is the bracket. */
static enum json_event begin(struct json_reader *r, bool object) {
    if (r->depth >= r->options.max_depth)
        return fail(r, JSON_TOO_DEEP, r->at);
    if (object && r->options.reject_duplicates && !json_names_open(&r->names))
        return fail(r, JSON_NO_MEMORY, r->at);
    uint8_t bit = (uint8_t)(1U << (r->depth % 8));
    uint8_t *bits = &r->open[r->depth / 8];
    *bits = (uint8_t)(object ? *bits | bit : *bits & ~bit);
    r->depth++;
    r->at++;
    r->state = object ? STATE_FIRST_MEMBER : STATE_FIRST_ITEM;
    return object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static enum json_event end(struct json_reader *r, bool object) {
    if (object && r->options.reject_duplicates)
        json_names_close(&r->names);
    r->depth--;
    r->at++;
    r->state = STATE_AFTER_VALUE;
    return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_event read_string(struct json_reader *r, struct json_token *token, enum json_event event) {
    struct json_scan scan = json_scan_string(r->text, r->at);
    if (!scan.ok)
        return fail(r, JSON_SYNTAX, scan.at);
    token->raw = span_of(r->text.data + r->at + 1, scan.at - r->at - 2);
    token->escaped = scan.escaped;
    r->at = scan.at;
    r->state = STATE_AFTER_VALUE;
    return event;
}

static enum json_event read_name(struct json_reader *r, struct json_token *token) {
    enum json_event event = read_string(r, token, JSON_NAME);
    if (event == JSON_FAILED)
        return event;
    r->state = STATE_COLON;
    if (!r->options.reject_duplicates)
        return event;
    switch (json_names_add(&r->names, r->text, token->offset + 1, token->raw.len, token->escaped)) {
    case JSON_NAMES_NEW: return event;
    case JSON_NAMES_REPEATED: return fail(r, JSON_DUPLICATE, token->offset);
    default: return fail(r, JSON_NO_MEMORY, token->offset);
    }
}

static enum json_event read_number(struct json_reader *r, struct json_token *token) {
    struct json_scan scan = json_scan_number(r->text, r->at);
    if (!scan.ok)
        return fail(r, JSON_SYNTAX, scan.at);
    token->raw = span_of(r->text.data + r->at, scan.at - r->at);
    r->at = scan.at;
    r->state = STATE_AFTER_VALUE;
    return JSON_NUMBER;
}

static enum json_event read_literal(struct json_reader *r, struct span word, enum json_event event) {
    struct json_scan scan = json_scan_literal(r->text, r->at, word);
    if (!scan.ok)
        return fail(r, JSON_SYNTAX, scan.at);
    r->at = scan.at;
    r->state = STATE_AFTER_VALUE;
    return event;
}

static enum json_event read_value(struct json_reader *r, int c, struct json_token *token) {
    token->offset = r->at;
    switch (c) {
    case '{': return begin(r, true);
    case '[': return begin(r, false);
    case '"': return read_string(r, token, JSON_STRING);
    case 't': return read_literal(r, SPAN("true"), JSON_TRUE);
    case 'f': return read_literal(r, SPAN("false"), JSON_FALSE);
    case 'n': return read_literal(r, SPAN("null"), JSON_NULL);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(r, token);
        return fail(r, JSON_SYNTAX, r->at);
    }
}

static enum json_event read_after_value(struct json_reader *r, int c, struct json_token *token) {
    if (r->depth == 0) {
        if (c != END_OF_TEXT)
            return fail(r, JSON_SYNTAX, r->at);
        r->state = STATE_END;
        return JSON_END;
    }
    bool object = in_object(r);
    if (c == (object ? '}' : ']'))
        return end(r, object);
    if (c != ',')
        return fail(r, JSON_SYNTAX, r->at);
    r->at++;
    c = peek(r);
    if (!object)
        return read_value(r, c, token);
    token->offset = r->at;
    return c == '"' ? read_name(r, token) : fail(r, JSON_SYNTAX, r->at);
}

static enum json_event read_event(struct json_reader *r, struct json_token *token) {
    int c = peek(r);
    token->offset = r->at;
    switch (r->state) {
    case STATE_FIRST_MEMBER:
        if (c == '}')
            return end(r, true);
        return c == '"' ? read_name(r, token) : fail(r, JSON_SYNTAX, r->at);
    case STATE_COLON:
        if (c != ':')
            return fail(r, JSON_SYNTAX, r->at);
        r->at++;
        return read_value(r, peek(r), token);
    case STATE_AFTER_VALUE: return read_after_value(r, c, token);
    case STATE_FIRST_ITEM:
        if (c == ']')
            return end(r, false);
        return read_value(r, c, token);
    case STATE_END: return JSON_END;
    case STATE_FAILED: return JSON_FAILED;
    default: return read_value(r, c, token);
    }
}

enum json_event json_next(struct json_reader *r, struct json_token *ret_token) {
    *ret_token = (struct json_token){.offset = 0};
    enum json_event event = read_event(r, ret_token);
    if (event == JSON_FAILED)
        *ret_token = (struct json_token){.offset = r->error_offset};
    ret_token->event = event;
    return event;
}

bool json_skip(struct json_reader *r, const struct json_token *token) {
    struct json_token next = *token;
    if (next.event == JSON_NAME)
        json_next(r, &next);
    if (next.event == JSON_OBJECT_BEGIN || next.event == JSON_ARRAY_BEGIN)
        for (unsigned outside = r->depth - 1; r->depth > outside;)
            if (json_next(r, &next) == JSON_FAILED)
                break;
    return r->error == JSON_NO_ERROR;
}
