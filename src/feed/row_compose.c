#include "row_compose.h"

#include "json_reader.h"
#include "json_writer.h"

struct row_members row_members_of(struct span message) {
    struct row_members members = {.condition = {NULL, 0}};
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, message, &(struct json_options){.max_depth = JSON_MAX_DEPTH});
    (void)json_next(&reader, &token);
    while (json_next(&reader, &token) == JSON_NAME) {
        bool is_condition = json_token_is(&token, "condition_expression");
        members.has_enable_logging = members.has_enable_logging || json_token_is(&token, "enable_logging");
        members.has_key = members.has_key || json_token_is(&token, "idempotency_key");
        if (!is_condition) {
            if (!json_skip(&reader, &token)) {
                break;
            }
        } else if (json_next(&reader, &token) == JSON_STRING) {
            members.condition_at = token.offset;
            members.condition = token.raw;
        }
    }
    json_reader_done(&reader);
    return members;
}

static struct span up_to_last_brace(struct span message) {
    while (message.len > 0 && message.data[message.len - 1] != '}') {
        message.len--;
    }
    return span_of(message.data, message.len > 0 ? message.len - 1 : 0);
}

/* Appends text as it stands inside a JSON string. */
static void append_inside(struct span text, struct buf *out) {
    size_t at = out->len;
    if (!json_append_string(out, text)) {
        return;
    }
    memmove(out->data + at, out->data + at + 1, out->len - at - 2);
    out->len -= 2;
    out->data[out->len] = '\0';
}

/* The message's own condition in brackets, and the other one. */
static void append_both(struct span own, struct span added, struct buf *out) {
    (void)buf_append_cstr(out, "\"(");
    (void)buf_append_span(out, own);
    (void)buf_append_cstr(out, ") AND (");
    append_inside(added, out);
    (void)buf_append_cstr(out, ")\"");
}

bool row_compose(struct span message, const struct row_members *members, const struct row_additions *additions,
                 struct buf *out) {
    struct span rest = up_to_last_brace(message);
    struct span condition = additions->condition;
    if (condition.data && members->condition.data) {
        size_t behind = members->condition_at + members->condition.len + 2;
        (void)buf_append(out, rest.data, members->condition_at);
        append_both(members->condition, condition, out);
        rest = span_of(rest.data + behind, rest.len - behind);
        condition.data = NULL;
    }
    (void)buf_append_span(out, rest);
    if (condition.data) {
        (void)buf_append_cstr(out, ",\"condition_expression\":");
        (void)json_append_string(out, condition);
    }
    if (additions->enable_logging && !members->has_enable_logging) {
        (void)buf_append_cstr(out, ",\"enable_logging\":true");
    }
    if (additions->key.data && !members->has_key) {
        (void)buf_append_cstr(out, ",\"idempotency_key\":");
        (void)json_append_string(out, additions->key);
    }
    return buf_append_char(out, '}');
}
