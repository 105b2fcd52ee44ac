#include "row_group.h"

#include "buf.h"
#include "json_reader.h"
#include "number.h"

#include <string.h>

#define GROUP_MAX (ROW_GROUP_SIZE - 1)
#define KEY_PARTS ((size_t)2)

/* Letters, digits and punctuation of ASCII (Amazon SQS API Reference, SendMessage). */
static bool is_group_id(struct span text) {
    if (text.len == 0 || text.len > GROUP_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

static enum row_group_status take(struct span text, struct digest *digest, char ret_group[static ROW_GROUP_SIZE]) {
    uint8_t hash[SHA256_SIZE];
    if (is_group_id(text)) {
        memcpy(ret_group, text.data, text.len);
        ret_group[text.len] = '\0';
        return GROUP_FOUND;
    }
    if (!digest_sha256(digest, text, hash)) {
        return GROUP_NO_MEMORY;
    }
    hex_encode(hash, sizeof hash, ret_group);
    return GROUP_FOUND;
}

/* An attribute of the record's key: all are texts of the record, which is JSON in normal form. */
struct part {
    struct span name, value; /* still escaped */
    bool escaped; /* the value */
    bool number;
};

/* The parts of {"customer":{"S":"x"},"order":{"N":"1"}}. */
static size_t read_parts(struct span record, struct part ret_parts[static KEY_PARTS]) {
    struct json_reader reader;
    struct json_token token;
    size_t count = 0;
    json_reader_init(&reader, record, &(struct json_options){.max_depth = 2});
    (void)json_next(&reader, &token);
    while (count < KEY_PARTS && json_next(&reader, &token) == JSON_NAME) {
        struct part *part = &ret_parts[count++];
        part->name = token.raw;
        (void)json_next(&reader, &token);
        (void)json_next(&reader, &token);
        part->number = span_is(token.raw, "N");
        (void)json_next(&reader, &token);
        part->value = token.raw;
        part->escaped = token.escaped;
        (void)json_next(&reader, &token);
    }
    json_reader_done(&reader);
    return count;
}

static enum row_group_status take_text(struct span raw, bool escaped, struct digest *digest,
                                       char ret_group[static ROW_GROUP_SIZE]) {
    struct buf text;
    if (!escaped) {
        return take(raw, digest, ret_group);
    }
    buf_init(&text, raw.len);
    enum row_group_status status =
        json_unescape(raw, &text) ? take(buf_span(&text), digest, ret_group) : GROUP_NO_MEMORY;
    buf_free(&text);
    return status;
}

static void append_part(const struct part *part, struct buf *out) {
    const char *quote = part->number ? "" : "\"";
    (void)buf_append_char(out, '"');
    (void)buf_append_span(out, part->name);
    (void)buf_append_cstr(out, "\":");
    (void)buf_append_cstr(out, quote);
    (void)buf_append_span(out, part->value);
    (void)buf_append_cstr(out, quote);
}

/* The group is the key as people write it: a string or a number as it is; two attributes as an object, sorted by name.
 * It is the same whether the table is known or not. */
static enum row_group_status by_record(const struct update *u, struct digest *digest,
                                       char ret_group[static ROW_GROUP_SIZE]) {
    struct part parts[KEY_PARTS] = {0};
    struct buf text;
    if (read_parts(u->record, parts) < KEY_PARTS) {
        return take_text(parts[0].value, parts[0].escaped, digest, ret_group);
    }
    size_t first = span_compare(parts[0].name, parts[1].name) < 0 ? 0 : 1;
    buf_init(&text, u->record.len);
    (void)buf_append_char(&text, '{');
    append_part(&parts[first], &text);
    (void)buf_append_char(&text, ',');
    append_part(&parts[1 - first], &text);
    bool fine = buf_append_char(&text, '}');
    enum row_group_status status = fine ? take(buf_span(&text), digest, ret_group) : GROUP_NO_MEMORY;
    buf_free(&text);
    return status;
}

/* By one attribute of the key. */
static enum row_group_status by_part(const struct update *u, struct span name, struct digest *digest,
                                     char ret_group[static ROW_GROUP_SIZE]) {
    struct part parts[KEY_PARTS] = {0};
    size_t count = read_parts(u->record, parts);
    for (size_t i = 0; i < count; i++) {
        if (json_escaped_is(parts[i].name, name)) {
            return take_text(parts[i].value, parts[i].escaped, digest, ret_group);
        }
    }
    return GROUP_MISSING;
}

/* Goes to the value of this member of the object that the reader is in. */
static bool find(struct json_reader *reader, struct span name, struct json_token *token) {
    while (json_next(reader, token) == JSON_NAME) {
        if (token->escaped ? json_escaped_is(token->raw, name) : span_equal(token->raw, name)) {
            (void)json_next(reader, token);
            return true;
        }
        if (!json_skip(reader, token)) {
            return false;
        }
    }
    return false;
}

/* One value however it is spelled: 1 and 1.0 are the same. */
static enum row_group_status take_number(struct span text, struct digest *digest,
                                         char ret_group[static ROW_GROUP_SIZE]) {
    struct number number;
    return number_read(text, &number) == NUMBER_FINE ? take(span_of(number.text, number.len), digest, ret_group)
                                                     : GROUP_MISSING;
}

static enum row_group_status take_value(const struct json_token *token, struct digest *digest,
                                        char ret_group[static ROW_GROUP_SIZE]) {
    switch (token->event) {
    case JSON_TRUE: return take(SPAN("true"), digest, ret_group);
    case JSON_FALSE: return take(SPAN("false"), digest, ret_group);
    case JSON_NUMBER: return take_number(token->raw, digest, ret_group);
    case JSON_STRING: return take_text(token->raw, token->escaped, digest, ret_group);
    default: return GROUP_MISSING;
    }
}

enum row_group_status row_group_of(const struct update *u, const char *by, struct digest *digest,
                                   char ret_group[static ROW_GROUP_SIZE]) {
    if (strcmp(by, "id") == 0) {
        return by_record(u, digest, ret_group);
    }
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, update_body(u), &(struct json_options){.max_depth = JSON_MAX_DEPTH});
    (void)json_next(&reader, &token);
    bool found = find(&reader, SPAN("attributes"), &token) && find(&reader, span_cstr(by), &token);
    enum row_group_status status =
        found ? take_value(&token, digest, ret_group) : by_part(u, span_cstr(by), digest, ret_group);
    json_reader_done(&reader);
    return status;
}
