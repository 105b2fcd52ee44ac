#include "update_parts.h"

#include "clock.h"
#include "json_writer.h"

#define SECONDS_A_DAY 86400LL
#define HASH_TEXT_SIZE (sizeof "v1:" - 1 + 64)

/* What success and failure records differ in. */
struct record {
    const char *status;
    const char *error;          /* NULL: none */
    struct span own_message_id; /* absent: the log_id stands alone */
    const struct value_tape *tape;
    tape_node attributes; /* TAPE_ROOT: left out */
};

static bool has_sort_key(const struct update_context *ctx) {
    return ctx->table->sort.name[0] != '\0';
}

/* The DynamoDB value of the id: of a simple key, what stands behind its name in {"name":value}. */
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

static void append_text(struct buf *out, const char *name, struct span text) {
    buf_append_cstr(out, ",\"");
    buf_append_cstr(out, name);
    buf_append_cstr(out, "\":{\"S\":");
    json_append_string(out, text);
    buf_append_char(out, '}');
}

/* Lower-case hex needs no escaping, but a delivery's id may be anything. */
static void append_log_id(const struct update *u, struct span own_message_id, struct buf *out) {
    buf_append_cstr(out, "{\"log_id\":{\"S\":\"");
    buf_append_cstr(out, u->log_id);
    if (!own_message_id.data) {
        buf_append_cstr(out, "\"}");
        return;
    }
    struct buf escaped;
    buf_init(&escaped, SIZE_MAX);
    if (!json_append_string(&escaped, own_message_id))
        out->failure = BUF_NO_MEMORY;
    else {
        buf_append_char(out, '#');
        buf_append(out, escaped.data + 1, escaped.len - 1);
    }
    buf_append_char(out, '}');
    buf_free(&escaped);
}

static bool append_item(const struct update_context *ctx, const struct update *u, const struct record *r, int64_t wall, struct buf *out) {
    char timestamp[ISO8601_SIZE];
    clock_iso8601(wall, timestamp);
    append_log_id(u, r->own_message_id, out);
    append_text(out, "timestamp", span_cstr(timestamp));
    append_text(out, "table_name", span_cstr(ctx->table->name));
    if (u->record.data) {
        buf_append_cstr(out, ",\"record_id\":");
        append_record_id(ctx, u->record, out);
    }
    if (r->attributes != TAPE_ROOT) {
        buf_append_cstr(out, ",\"updated_attributes\":{\"M\":");
        attribute_map_append(r->tape, r->attributes, NUMBERS_SHORT, out);
        buf_append_char(out, '}');
    }
    append_text(out, "user_agent", span_cstr(ctx->user_agent));
    append_text(out, "status", span_cstr(r->status));
    if (r->error)
        append_text(out, "error", span_cstr(r->error));
    append_text(out, "idempotency_key", u->idempotency_key);
    if (u->request_hash[0] != '\0')
        append_text(out, "request_hash", span_cstr(u->request_hash));
    if (ctx->audit_ttl_days > 0) {
        buf_append_cstr(out, ",\"expires_at\":{\"N\":\"");
        buf_append_integer(out, wall / MICROSECONDS + ctx->audit_ttl_days * SECONDS_A_DAY);
        buf_append_cstr(out, "\"}");
    }
    return buf_append_char(out, '}');
}

bool audit_append_item(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out) {
    const struct record r = {.status = "success", .tape = &u->parts->tape, .attributes = u->parts->members[MEMBER_ATTRIBUTES]};
    return append_item(ctx, u, &r, wall, out);
}

size_t audit_item_size(const struct update_context *ctx, const struct update *u, size_t attributes_size, size_t count) {
    size_t key = u->parts->key_size;
    size_t size = sizeof "log_id" - 1 + 64 + sizeof "timestamp" - 1 + ISO8601_SIZE - 1;
    size += sizeof "table_name" - 1 + strlen(ctx->table->name);
    if (key > 0)
        size += sizeof "record_id" - 1 + (has_sort_key(ctx) ? 3 + key + 2 : key - strlen(ctx->table->partition.name));
    size += sizeof "updated_attributes" - 1 + 3 + attributes_size + count;
    size += sizeof "user_agent" - 1 + strlen(ctx->user_agent) + sizeof "status" - 1 + sizeof "success" - 1;
    size += sizeof "idempotency_key" - 1 + u->idempotency_key.len + sizeof "request_hash" - 1 + HASH_TEXT_SIZE;
    if (ctx->audit_ttl_days > 0)
        size += sizeof "expires_at" - 1 + 6; /* a number of ten digits */
    return size;
}

size_t audit_item_text(const struct update_context *ctx, const struct update *u) {
    /* Names, braces and fixed values are below 768 bytes; what is escaped may take six times its size. */
    return 768 + u->record.len + strlen(ctx->table->name) + strlen(ctx->user_agent) + 6 * u->idempotency_key.len;
}

bool update_append_confirm_request(const struct update_context *ctx, const struct update *u, struct buf *out) {
    buf_append_cstr(out, "{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    return buf_printf(out, ",\"Key\":{\"log_id\":{\"S\":\"%s\"}},\"ConsistentRead\":true,\"ProjectionExpression\":\"log_id,request_hash\"}",
                      u->log_id);
}

/* The attributes, where an item can hold them beside the rest; else TAPE_ROOT. *ret_text: bytes of their text. False: no memory. */
static bool find_attributes(const struct update_context *ctx, const struct update *u, struct span own_message_id, struct value_tape *t,
                            tape_node *ret_attributes, size_t *ret_text) {
    tape_node attributes = tape_find(t, TAPE_ROOT, "attributes");
    struct value_size size = {0};
    struct failure ignored;
    failure_init(&ignored);
    bool fit = attributes != TAPE_ROOT && update_check_attributes(ctx, u, t, attributes, &size, &ignored);
    bool done = failure_ok(&ignored);
    failure_free(&ignored);
    /* What a failure record has more: '#', the message's id, `error` and its value. */
    size_t more = 1 + own_message_id.len + sizeof "error" - 1 + strlen(error_type_name(u->failure.type));
    if (fit && audit_item_size(ctx, u, size.item, tape_count(t, attributes)) + more > ITEM_SIZE_MAX)
        fit = false;
    if (fit && !tape_sort(t, attributes))
        done = false;
    *ret_attributes = fit ? attributes : TAPE_ROOT;
    *ret_text = fit ? size.text : 0;
    return done;
}

/* The body is read again: an update that failed holds nothing that only success needs. */
bool update_append_failure_record(const struct update_context *ctx, const struct update *u, struct span own_message_id, int64_t wall,
                                  struct buf *out) {
    struct value_tape tape;
    struct tape_error error;
    if (tape_read(u->parts->body, ctx->hash_seed, &tape, &error) != TAPE_READ)
        return false;
    struct record r = {.status = "failure", .error = error_type_name(u->failure.type), .own_message_id = own_message_id, .tape = &tape};
    size_t text = 0;
    bool done = find_attributes(ctx, u, own_message_id, &tape, &r.attributes, &text) &&
                buf_reserve(out, text + audit_item_text(ctx, u) + 6 * own_message_id.len);
    if (done) {
        buf_append_cstr(out, "{\"TableName\":");
        json_append_string(out, span_cstr(ctx->audit_table));
        buf_append_cstr(out, ",\"Item\":");
        append_item(ctx, u, &r, wall, out);
        done = buf_append_char(out, '}');
    }
    tape_free(&tape);
    return done;
}
