#include "update_parts.h"

#include "clock.h"
#include "json_writer.h"
#include "record_key.h"
#include "typed_value.h"

#define SECONDS_A_DAY 86400LL
#define HASH_TEXT_SIZE (sizeof "v1:" - 1 + 64)

static bool has_sort_key(const struct update_context *ctx) {
    return ctx->table->sort.name[0] != '\0';
}

/* The DynamoDB value of the id. For a simple key it is what stands behind the name in {"name":value}. */
static void append_record_id(const struct update_context *ctx, struct span record, struct buf *out) {
    if (has_sort_key(ctx)) {
        buf_append_cstr(out, "{\"M\":");
        buf_append_span(out, record);
        buf_append_char(out, '}');
        return;
    }
    size_t at = sizeof "{\"" - 1;
    while (at < record.len && record.data[at] != '"')
        at += record.data[at] == '\\' ? 2 : 1;
    at += sizeof "\":" - 1;
    if (at < record.len)
        buf_append(out, record.data + at, record.len - at - 1);
}

/* A member whose value is a string. */
#define APPEND_TEXT(out, name, text)                                                                                   \
    do {                                                                                                               \
        buf_append_cstr(out, ",\"" name "\":{\"S\":");                                                                 \
        json_append_string(out, text);                                                                                 \
        buf_append_char(out, '}');                                                                                     \
    } while (0)
/* The same of text that needs no escape. */
#define APPEND_PLAIN(out, name, text) buf_append_between(out, SPAN(",\"" name "\":{\"S\":\""), text, SPAN("\"}"))

/* attributes and typed_attributes, where the record holds them. */
static void append_updated(const struct update_parts *p, const struct audit_record *r, struct buf *out) {
    buf_append_cstr(out, ",\"updated_attributes\":{\"M\":{");
    char before = '\0';
    if (r->attributes && p->members[MEMBER_ATTRIBUTES] != TAPE_ROOT) {
        attribute_members_append(&p->tape, p->members[MEMBER_ATTRIBUTES], NUMBERS_SHORT, out);
        before = ',';
    }
    if (r->attributes && p->members[MEMBER_TYPED] != TAPE_ROOT)
        typed_members_append(&p->tape, p->members[MEMBER_TYPED], before, NUMBERS_SHORT, out);
    buf_append_cstr(out, "}}");
}

bool audit_append(const struct update_context *ctx, const struct update *u, const struct audit_record *r, int64_t wall,
                  struct buf *out) {
    char timestamp[ISO8601_SIZE];
    clock_iso8601(wall, timestamp);
    buf_append_cstr(out, "{\"log_id\":{\"S\":\"");
    buf_append_cstr(out, u->log_id);
    buf_append_cstr(out, r->error ? AUDIT_FAILURE_SUFFIX "\"}" : "\"}");
    APPEND_PLAIN(out, "timestamp", span_of(timestamp, sizeof timestamp - 1));
    APPEND_TEXT(out, "table_name", span_cstr(table_identity(ctx->table)));
    if (u->record.data) {
        buf_append_cstr(out, ",\"record_id\":");
        append_record_id(ctx, u->record, out);
        buf_append_cstr(out, ",\"record_key\":{\"S\":");
        record_key_append_json(ctx->table, u->record, out);
        buf_append_char(out, '}');
    }
    append_updated(u->parts, r, out);
    if (r->update) {
        buf_append_cstr(out, ",\"update\":{\"M\":");
        update_append_map(u, NUMBERS_SHORT, out);
        buf_append_char(out, '}');
    }
    APPEND_TEXT(out, "user_agent", span_cstr(ctx->user_agent));
    APPEND_PLAIN(out, "status", r->error ? SPAN("failure") : SPAN("success"));
    if (r->error)
        APPEND_TEXT(out, "error", span_cstr(r->error));
    APPEND_TEXT(out, "idempotency_key", u->idempotency_key);
    if (u->request_hash[0] != '\0')
        APPEND_PLAIN(out, "request_hash", span_of(u->request_hash, HASH_TEXT_SIZE));
    if (ctx->audit_ttl_days > 0) {
        buf_append_cstr(out, ",\"expires_at\":{\"N\":\"");
        buf_append_integer(out, wall / MICROSECONDS + ctx->audit_ttl_days * SECONDS_A_DAY);
        buf_append_cstr(out, "\"}");
    }
    return buf_append_char(out, '}');
}

bool audit_append_item(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out) {
    const struct audit_record r = {.attributes = true, .update = update_has_map(u)};
    return audit_append(ctx, u, &r, wall, out);
}

size_t audit_item_size(const struct update_context *ctx, const struct update *u, size_t attributes_size, size_t count,
                       size_t update_size) {
    size_t key = u->parts->key_size;
    size_t size = sizeof "log_id" - 1 + 64 + sizeof "timestamp" - 1 + ISO8601_SIZE - 1;
    size += sizeof "table_name" - 1 + strlen(table_identity(ctx->table));
    if (key > 0) {
        size += sizeof "record_id" - 1 + (has_sort_key(ctx) ? 3 + key + 2 : key - strlen(ctx->table->partition.name));
        size += sizeof "record_key" - 1 + record_key_size(ctx->table, u->record, key);
    }
    size += sizeof "updated_attributes" - 1 + 3 + attributes_size + count + update_size;
    size += sizeof "user_agent" - 1 + strlen(ctx->user_agent) + sizeof "status" - 1 + sizeof "success" - 1;
    size += sizeof "idempotency_key" - 1 + u->idempotency_key.len + sizeof "request_hash" - 1 + HASH_TEXT_SIZE;
    if (ctx->audit_ttl_days > 0)
        size += sizeof "expires_at" - 1 + 6; /* a number of ten digits */
    return size;
}

size_t audit_item_text(const struct update_context *ctx, const struct update *u) {
    /* Names, braces and fixed values are below 768 bytes; what is escaped may take six times its size. */
    return 768 + 3 * u->record.len + strlen(table_identity(ctx->table)) + strlen(ctx->user_agent) +
           6 * u->idempotency_key.len;
}

bool update_append_confirm_request(const struct update_context *ctx, const struct update *u, struct buf *out) {
    buf_append_cstr(out, "{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    return buf_printf(out,
                      ",\"Key\":{\"log_id\":{\"S\":\"%s\"}},\"ConsistentRead\":true,\"ProjectionExpression\":\"log_id,"
                      "request_hash\"}",
                      u->log_id);
}
