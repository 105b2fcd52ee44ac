#include "update_parts.h"

#include "clock.h"
#include "json_reader.h"

/* The names as the message has them, in its order; the body was read already, so that nothing is left to check. */
static void append_names(struct span body, struct buf *out) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, body, &options);
    (void)json_next(&reader, &token);
    char before = '[';
    while (json_next(&reader, &token) == JSON_NAME) {
        if (!json_token_is(&token, "attributes")) {
            if (!json_skip(&reader, &token))
                break;
            continue;
        }
        (void)json_next(&reader, &token);
        while (json_next(&reader, &token) == JSON_NAME) {
            buf_append_char(out, before);
            json_string_append((struct json_string){token.raw, token.escaped}, out);
            before = ',';
            if (!json_skip(&reader, &token))
                break;
        }
        break;
    }
    json_reader_done(&reader);
    buf_append_cstr(out, before == '[' ? "[]" : "]");
}

bool update_append_success(const struct update *u, int64_t wall, struct buf *out) {
    char timestamp[ISO8601_SIZE];
    clock_iso8601(wall, timestamp);
    buf_append_cstr(out, "{\"success\":true,\"message\":\"Record updated successfully\",\"updated_id\":");
    buf_append_span(out, u->id);
    buf_append_cstr(out, ",\"updated_attributes\":");
    append_names(u->parts->body, out);
    return buf_printf(out, ",\"timestamp\":\"%s\"}", timestamp);
}
