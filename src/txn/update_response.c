#include "update_parts.h"

#include "clock.h"
#include "json_reader.h"

/* Goes to the value of this member of the body's object. False: it has none. */
static bool find_member(struct json_reader *reader, struct span body, const char *name, struct json_token *token) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    json_reader_init(reader, body, &options);
    (void)json_next(reader, token);
    while (json_next(reader, token) == JSON_NAME) {
        if (json_token_is(token, name))
            return json_next(reader, token) != JSON_FAILED;
        if (!json_skip(reader, token))
            return false;
    }
    return false;
}

/* The names, or the strings of an array, as the message has them and in its order. The body was read before, so nothing
 * needs checking. */
static void append_names(struct span body, enum member member, const char **before, struct buf *out) {
    struct json_reader reader;
    struct json_token token;
    if (find_member(&reader, body, member_name(member), &token)) {
        for (;;) {
            enum json_event event = json_next(&reader, &token);
            if (event != JSON_NAME && event != JSON_STRING)
                break;
            buf_append_cstr(out, *before);
            json_string_append((struct json_string){token.raw, token.escaped}, out);
            *before = ",";
            if (event == JSON_NAME && !json_skip(&reader, &token))
                break;
        }
    }
    json_reader_done(&reader);
}

bool update_append_success(const struct update *u, int64_t wall, struct buf *out) {
    static const enum member members[] = {MEMBER_ATTRIBUTES, MEMBER_TYPED,  MEMBER_SET,
                                          MEMBER_INCREMENT,  MEMBER_APPEND, MEMBER_REMOVE};
    char timestamp[ISO8601_SIZE];
    clock_iso8601(wall, timestamp);
    buf_append_cstr(out, "{\"success\":true,\"message\":\"Record updated successfully\",\"updated_id\":");
    buf_append_span(out, u->id);
    buf_append_cstr(out, ",\"updated_attributes\":");
    const char *before = "";
    buf_append_char(out, '[');
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (u->parts->members[members[i]] != TAPE_ROOT)
            append_names(u->parts->body, members[i], &before, out);
    buf_append_cstr(out, "],\"timestamp\":\"");
    buf_append_cstr(out, timestamp);
    return buf_append_cstr(out, "\"}");
}
