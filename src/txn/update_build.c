#include "update_parts.h"

#include "digest.h"
#include "json_writer.h"

#define TOKEN_SIZE 36 /* the most that ClientRequestToken takes */
#define BODY_END "\"}"
/* What nearly every condition is bound into, without an allocation. */
#define USUAL_EXPRESSION_SIZE 512
#define USUAL_NAMES_SIZE 512

/* What a condition is bound into before the request: its expression, and the members of ExpressionAttributeNames. */
struct bound {
    struct buf expression, names;
};

static void append_update_expression(uint32_t count, struct buf *out) {
    buf_append_cstr(out, ",\"UpdateExpression\":\"SET ");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        placeholder_append(out, '#', i);
        buf_append_char(out, '=');
        placeholder_append(out, ':', i);
    }
    buf_append_char(out, '"');
}

/* The attributes' placeholders are their places among the sorted names. */
static void append_values(const struct update_parts *p, struct buf *out) {
    const struct value_tape *t = &p->tape;
    tape_node attributes = p->members[MEMBER_ATTRIBUTES];
    unsigned i = 0;
    for (tape_node name = tape_first(attributes); name < tape_next(t, attributes); name = tape_next_member(t, name), i++) {
        buf_append_cstr(out, i > 0 ? ",\"" : "\"");
        placeholder_append(out, ':', i);
        buf_append_cstr(out, "\":");
        attribute_value_append(t, name + 1, NUMBERS_SHORT, out);
    }
}

static void append_names(const struct update_context *ctx, const struct update_parts *p, uint32_t count, struct buf *out) {
    const struct value_tape *t = &p->tape;
    tape_node attributes = p->members[MEMBER_ATTRIBUTES];
    unsigned i = 0;
    for (tape_node name = tape_first(attributes); name < tape_next(t, attributes); name = tape_next_member(t, name), i++) {
        buf_append_char(out, '"');
        placeholder_append(out, '#', i);
        buf_append_cstr(out, "\":");
        json_string_append(tape_string(t, name), out);
        buf_append_char(out, ',');
    }
    buf_append_char(out, '"');
    placeholder_append(out, '#', count);
    buf_append_cstr(out, "\":");
    json_append_string(out, span_cstr(ctx->table->partition.name));
}

/* The guard that nothing weakens, and the message's own condition behind it. */
static void begin_guard(uint32_t key_name, struct buf *out) {
    buf_append_cstr(out, "attribute_exists(");
    placeholder_append(out, '#', key_name);
    buf_append_char(out, ')');
}

/* Values are bound straight into the request. */
static void bind_condition(struct update_parts *p, uint32_t count, struct buf *request, struct bound *bound) {
    begin_guard(count, &bound->expression);
    if (!p->condition)
        return;
    bool parentheses = condition_is_or(p->condition);
    struct condition_environment environment = update_terms_environment(&p->terms);
    struct placeholders placeholders = {
        .names = &bound->names, .values = request, .name_count = count + 1, .value_count = count};
    buf_append_cstr(&bound->expression, parentheses ? " AND (" : " AND ");
    condition_bind(p->condition, &environment, &placeholders, &bound->expression);
    if (parentheses)
        buf_append_char(&bound->expression, ')');
}

static void append_update(const struct update_context *ctx, struct update *u, struct bound *bound) {
    struct update_parts *p = u->parts;
    struct buf *out = &u->request;
    uint32_t count = tape_count(&p->tape, p->members[MEMBER_ATTRIBUTES]);
    buf_append_cstr(out, "{\"Update\":{\"TableName\":");
    json_append_string(out, span_cstr(ctx->table->name));
    buf_append_cstr(out, ",\"Key\":");
    buf_append_span(out, u->record);
    append_update_expression(count, out);
    buf_append_cstr(out, ",\"ExpressionAttributeValues\":{");
    append_values(p, out);
    bind_condition(p, count, out, bound);
    buf_append_cstr(out, "},\"ExpressionAttributeNames\":{");
    append_names(ctx, p, count, out);
    if (bound->names.len > 0) {
        if (bound->names.data[0] != ',')
            buf_append_char(out, ',');
        buf_append_span(out, buf_span(&bound->names));
    }
    buf_append_cstr(out, "},\"ConditionExpression\":\"");
    /* Only placeholders, operators and functions: nothing that JSON escapes. */
    buf_append_span(out, buf_span(&bound->expression));
    buf_append_cstr(out, "\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}");
}

static void append_audit(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out) {
    buf_append_cstr(out, ",{\"Put\":{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    buf_append_cstr(out, ",\"Item\":");
    audit_append_item(ctx, u, wall, out);
    buf_append_cstr(out, ",\"ConditionExpression\":\"attribute_not_exists(log_id)\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}");
}

/* Audited: of all bytes of the request before it, the table's name and the key's log_id among them, since the audit record makes it happen
 * once. The hash goes on from there to that of the whole request, which its signature needs. */
static bool append_audited_token(struct digest *digest, struct update *u, struct buf *out) {
    size_t before = out->len;
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256_begin(digest) || !digest_sha256_update(digest, buf_span(out)) || !digest_sha256_so_far(digest, hash))
        return false;
    char token[2 * SHA256_SIZE + 1];
    hex_encode(hash, sizeof hash, token);
    if (!buf_append(out, token, TOKEN_SIZE) || !buf_append_cstr(out, BODY_END) ||
        !digest_sha256_update(digest, span_of(out->data + before, out->len - before)))
        return false;
    u->request_hashed = digest_sha256_end(digest, u->request_sha256);
    return u->request_hashed;
}

/* Unaudited: of table and key alone. Only so does DynamoDB know a second delivery again. */
static bool append_token(const struct update_context *ctx, struct update *u, struct buf *out) {
    if (u->audited)
        return append_audited_token(ctx->digest, u, out);
    return buf_append(out, u->log_id, TOKEN_SIZE) && buf_append_cstr(out, BODY_END);
}

/* What the request will take, nearly: so that the largest isn't grown by doubling. */
static size_t estimate(const struct update_context *ctx, const struct update *u) {
    const struct update_parts *p = u->parts;
    size_t values = p->attributes.text + p->terms.text;
    if (p->members[MEMBER_CONDITION] != TAPE_ROOT)
        values += tape_string(&p->tape, p->members[MEMBER_CONDITION]).raw.len;
    size_t placeholders = (size_t)tape_count(&p->tape, p->members[MEMBER_ATTRIBUTES]) * sizeof "#10=:10,\"#10\":,\":10\":,";
    size_t fixed = 512 + placeholders + strlen(ctx->table->name) + u->record.len;
    size_t audit = u->audited ? p->attributes.text + strlen(ctx->audit_table) + audit_item_text(ctx, u) : 0;
    return fixed + values + audit;
}

static bool append_request(const struct update_context *ctx, struct update *u, int64_t wall, struct bound *bound) {
    struct buf *out = &u->request;
    buf_reset(out);
    if (!buf_reserve(out, estimate(ctx, u)))
        return false;
    buf_append_cstr(out, "{\"TransactItems\":[");
    append_update(ctx, u, bound);
    if (bound->expression.failure == BUF_FULL)
        failure_validation(&u->failure, SPAN("condition_expression"),
                           "with its names and values bound it has more than the %d bytes that DynamoDB takes", EXPRESSION_SIZE_MAX);
    if (!buf_ok(&bound->expression) || !buf_ok(&bound->names))
        return false;
    if (u->audited)
        append_audit(ctx, u, wall, out);
    buf_append_cstr(out, "],\"ClientRequestToken\":\"");
    return buf_ok(out) && append_token(ctx, u, out);
}

bool update_build(const struct update_context *ctx, struct update *u, int64_t wall) {
    struct update_parts *p = u->parts;
    struct bound bound;
    char usual_expression[USUAL_EXPRESSION_SIZE], usual_names[USUAL_NAMES_SIZE];
    buf_init_lent(&bound.expression, usual_expression, sizeof usual_expression, EXPRESSION_SIZE_MAX);
    buf_init_lent(&bound.names, usual_names, sizeof usual_names, REQUEST_SIZE_MAX);
    bool built = append_request(ctx, u, wall, &bound);
    buf_free(&bound.expression);
    buf_free(&bound.names);
    if (!built)
        buf_free(&u->request);
    if (built || u->failure.type != ERROR_NONE)
        update_free_parts(p);
    return built;
}

void update_free_request(struct update *u) {
    buf_free(&u->request);
    u->request_hashed = false;
}

/* The token is a number in hex: the next one is as unlikely to be another's as it was. */
void update_next_token(const struct update_context *ctx, struct update *u) {
    (void)ctx;
    u->request_hashed = false;
    size_t end = sizeof BODY_END - 1;
    if (u->request.len < TOKEN_SIZE + end)
        return;
    char *digit = u->request.data + u->request.len - end;
    for (int i = 0; i < TOKEN_SIZE; i++) {
        digit--;
        if (*digit != 'f') {
            *digit = *digit == '9' ? 'a' : (char)(*digit + 1);
            return;
        }
        *digit = '0';
    }
}
