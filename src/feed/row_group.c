#include "row_group.h"

#include "buf.h"
#include "json_reader.h"

#include <string.h>

#define GROUP_MAX (ROW_GROUP_SIZE - 1)

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

/* A string key as it is, which people can read; else the record's key in normal form. */
static enum row_group_status by_record(const struct update *u, struct digest *digest,
                                       char ret_group[static ROW_GROUP_SIZE]) {
    struct span id = u->id;
    bool is_plain = id.len > 2 && id.data[0] == '"' && !memchr(id.data, '\\', id.len);
    bool is_string = is_plain && memmem(u->record.data, u->record.len, ":{\"S\":", sizeof ":{\"S\":" - 1);
    return take(is_string ? span_of(id.data + 1, id.len - 2) : u->record, digest, ret_group);
}

/* To the value of this member of the object that the reader is in. */
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

static enum row_group_status take_value(const struct json_token *token, struct digest *digest,
                                        char ret_group[static ROW_GROUP_SIZE]) {
    struct buf text;
    enum row_group_status status = GROUP_MISSING;
    switch (token->event) {
    case JSON_TRUE: return take(SPAN("true"), digest, ret_group);
    case JSON_FALSE: return take(SPAN("false"), digest, ret_group);
    case JSON_NUMBER: return take(token->raw, digest, ret_group);
    case JSON_STRING: break;
    default: return GROUP_MISSING;
    }
    if (!token->escaped) {
        return take(token->raw, digest, ret_group);
    }
    buf_init(&text, token->raw.len);
    status = json_unescape(token->raw, &text) ? take(buf_span(&text), digest, ret_group) : GROUP_NO_MEMORY;
    buf_free(&text);
    return status;
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
    enum row_group_status status = found ? take_value(&token, digest, ret_group) : GROUP_MISSING;
    json_reader_done(&reader);
    return status;
}
