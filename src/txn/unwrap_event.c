#include "unwrap_event.h"

#include "json_reader.h"

#include <string.h>

static bool is_type(const struct value_tape *t, tape_node n, enum tape_type type) {
    return n != TAPE_ROOT && tape_type_of(t, n) == type;
}

static bool has_string(const struct value_tape *t, const char *name) {
    return is_type(t, tape_find(t, TAPE_ROOT, name), TAPE_STRING);
}

/* A string that isn't empty. */
static bool has_id(const struct value_tape *t, const char *name) {
    tape_node n = tape_find(t, TAPE_ROOT, name);
    return is_type(t, n, TAPE_STRING) && tape_string(t, n).raw.len > 0;
}

static enum wrapping sns(const struct value_tape *t, tape_node *ret_inner) {
    tape_node type = tape_find(t, TAPE_ROOT, "Type"), message = tape_find(t, TAPE_ROOT, "Message");
    if (!is_type(t, type, TAPE_STRING) || !json_string_is(tape_string(t, type), "Notification") ||
        !has_string(t, "TopicArn") || !has_id(t, "MessageId") || !is_type(t, message, TAPE_STRING))
        return WRAPPING_NONE;
    *ret_inner = message;
    return WRAPPING_SNS;
}

static enum wrapping eventbridge(const struct value_tape *t, tape_node *ret_inner) {
    tape_node detail = tape_find(t, TAPE_ROOT, "detail");
    if (!has_string(t, "detail-type") || !has_string(t, "source") || !has_id(t, "id") ||
        !is_type(t, detail, TAPE_OBJECT))
        return WRAPPING_NONE;
    *ret_inner = detail;
    return WRAPPING_EVENTBRIDGE;
}

enum wrapping wrapping_of(const struct value_tape *t, tape_node *ret_inner) {
    if (tape_type_of(t, TAPE_ROOT) != TAPE_OBJECT)
        return WRAPPING_NONE;
    /* Nearly every text is neither, and one walk over its members shows that. */
    TAPE_FOREACH_MEMBER(t, TAPE_ROOT, name) {
        struct json_string s = tape_string(t, name);
        if (json_string_is(s, "Type"))
            return sns(t, ret_inner);
        if (json_string_is(s, "detail"))
            return eventbridge(t, ret_inner);
    }
    return WRAPPING_NONE;
}

struct span wrapping_key(const struct value_tape *t, enum wrapping wrapping, struct arena *a) {
    static const char *const members[][2] = {
        [WRAPPING_SNS] = {"MessageId", NULL}, [WRAPPING_EVENTBRIDGE] = {"source", "id"}};
    const struct span none = {NULL, 0}, prefix = wrapping == WRAPPING_SNS ? SPAN("sns:") : SPAN("eventbridge:");
    size_t size = prefix.len;
    struct json_string parts[2];
    size_t count = 0;
    for (; count < 2 && members[wrapping][count]; count++) {
        parts[count] = tape_string(t, tape_find(t, TAPE_ROOT, members[wrapping][count]));
        size += parts[count].raw.len + 1;
    }
    char *key = arena_alloc(a, size);
    if (!key)
        return none;
    memcpy(key, prefix.data, prefix.len);
    size_t len = prefix.len;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            key[len++] = '/';
        len += json_string_decode_to(parts[i], key + len);
    }
    return span_of(key, len);
}

struct span wrapping_object_text(const struct value_tape *t, tape_node n) {
    struct span text = span_of(t->text.data + tape_offset(t, n), t->text.len - tape_offset(t, n));
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, text, &options);
    /* The text was read before: the object ends. */
    if (json_next(&reader, &token) == JSON_OBJECT_BEGIN && json_skip(&reader, &token))
        text.len = reader.at;
    json_reader_done(&reader);
    return text;
}
