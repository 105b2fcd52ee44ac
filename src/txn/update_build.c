#include "update_parts.h"

#include "digest.h"
#include "json_writer.h"

#define TOKEN_SIZE 36 /* the most that ClientRequestToken takes */
#define BODY_END "\"}"
/* What nearly every condition is bound into, without an allocation. */
#define USUAL_EXPRESSION_SIZE 512
#define USUAL_NAMES_SIZE 512

/* What a condition is bound into before the request: its expression, the members of ExpressionAttributeNames, and those
 * of ExpressionAttributeValues where the update has none that stand before them. */
struct bound {
    struct buf expression, names, values;
};

/* The guard that nothing weakens; the message's own condition stands behind it. */
static void begin_guard(uint32_t key_name, struct buf *out) {
    buf_append_cstr(out, "attribute_exists(");
    placeholder_append(out, '#', key_name);
    buf_append_char(out, ')');
}

/* Binds guard and condition. Values go straight into the request behind those of the update. */
static void bind_condition(struct update *u, struct buf *values, struct bound *bound) {
    struct update_parts *p = u->parts;
    bool guard = !u->create_if_missing;
    if (guard)
        begin_guard(p->name_count, &bound->expression);
    if (!p->condition)
        return;
    bool parentheses = guard && condition_is_or(p->condition);
    struct condition_environment environment = update_terms_environment(&p->terms);
    struct placeholders placeholders = {.names = &bound->names,
                                        .values = values,
                                        .name_count = p->name_count + guard,
                                        .value_count = update_value_count(p)};
    if (guard)
        buf_append_cstr(&bound->expression, parentheses ? " AND (" : " AND ");
    condition_bind(p->condition, &environment, &placeholders, &bound->expression);
    if (parentheses)
        buf_append_char(&bound->expression, ')');
}

/* The values of the update and behind them the condition's; DynamoDB takes no empty object. */
static void append_values(struct update *u, struct bound *bound) {
    struct buf *out = &u->request;
    if (update_value_count(u->parts) > 0) {
        buf_append_cstr(out, ",\"ExpressionAttributeValues\":{");
        update_append_values(u->parts, out);
        bind_condition(u, out, bound);
        buf_append_char(out, '}');
        return;
    }
    bind_condition(u, &bound->values, bound);
    if (bound->values.len == 0)
        return;
    buf_append_cstr(out, ",\"ExpressionAttributeValues\":{");
    buf_append_span(out, buf_span(&bound->values));
    buf_append_char(out, '}');
}

/* The names of the update, of the guard and of the condition. */
static void append_names(const struct update_context *ctx, const struct update *u, const struct bound *bound,
                         struct buf *out) {
    buf_append_cstr(out, ",\"ExpressionAttributeNames\":{");
    update_append_names(u->parts, out);
    if (!u->create_if_missing) {
        placeholder_append_key(out, '#', u->parts->name_count);
        json_append_string(out, span_cstr(ctx->table->partition.name));
        buf_append_char(out, ',');
    }
    struct span names = buf_span(&bound->names);
    if (names.len > 0 && names.data[0] == ',')
        names = span_of(names.data + 1, names.len - 1);
    buf_append_span(out, names);
    if (names.len == 0 && buf_ok(out))
        out->len--; /* nothing follows the last comma; there is one, as an update has at least one name */
    buf_append_char(out, '}');
}

static void append_update(const struct update_context *ctx, struct update *u, struct bound *bound) {
    struct buf *out = &u->request;
    buf_append_cstr(out, "{\"Update\":{\"TableName\":");
    json_append_string(out, span_cstr(ctx->table->name));
    buf_append_cstr(out, ",\"Key\":");
    buf_append_span(out, u->record);
    buf_append_cstr(out, ",\"UpdateExpression\":\"");
    update_append_expression(u->parts, out);
    buf_append_char(out, '"');
    append_values(u, bound);
    append_names(ctx, u, bound, out);
    if (bound->expression.len > 0) {
        buf_append_cstr(out, ",\"ConditionExpression\":\"");
        /* Only placeholders, operators and functions: nothing that JSON escapes. */
        buf_append_span(out, buf_span(&bound->expression));
        buf_append_cstr(out, "\",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
    }
    buf_append_cstr(out, "}}");
}

static void append_audit(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out) {
    buf_append_cstr(out, ",{\"Put\":{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    buf_append_cstr(out, ",\"Item\":");
    audit_append_item(ctx, u, wall, out);
    buf_append_cstr(out, ",\"ConditionExpression\":\"attribute_not_exists(log_id)\","
                         "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}}");
}

/* The token of an audited request is made of all bytes before it; these include the table's name and the key's log_id,
 * and the audit record makes it happen once. The hash goes on from there to the hash of the whole request, which its
 * signature needs. */
static bool append_audited_token(struct digest *digest, struct update *u, struct buf *out) {
    size_t before = out->len;
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256_begin(digest) || !digest_sha256_update(digest, buf_span(out)) ||
        !digest_sha256_so_far(digest, hash))
        return false;
    char token[2 * SHA256_SIZE + 1];
    hex_encode(hash, sizeof hash, token);
    if (!buf_append(out, token, TOKEN_SIZE) || !buf_append_cstr(out, BODY_END) ||
        !digest_sha256_update(digest, span_of(out->data + before, out->len - before)))
        return false;
    u->request_hashed = digest_sha256_end(digest, u->request_sha256);
    return u->request_hashed;
}

/* The token of an unaudited request is made of table and key alone: only so does DynamoDB recognize a second
 * delivery. */
static bool append_token(const struct update_context *ctx, struct update *u, struct buf *out) {
    if (u->audited)
        return append_audited_token(ctx->digest, u, out);
    return buf_append(out, u->log_id, TOKEN_SIZE) && buf_append_cstr(out, BODY_END);
}

/* About how many bytes the request will have, so that the largest ones needn't grow by doubling. */
static size_t estimate(const struct update_context *ctx, const struct update *u) {
    const struct update_parts *p = u->parts;
    size_t values = p->attributes.text + p->operations.text + p->terms.text;
    if (p->members[MEMBER_CONDITION] != TAPE_ROOT)
        values += tape_string(&p->tape, p->members[MEMBER_CONDITION]).raw.len;
    size_t placeholders = (size_t)p->whole_count * sizeof "#10=:10,\"#10\":,\":10\":,";
    size_t fixed = 512 + placeholders + strlen(ctx->table->name) + u->record.len;
    size_t audit =
        u->audited ? p->attributes.text + p->operations.text + strlen(ctx->audit_table) + audit_item_text(ctx, u) : 0;
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
                           "with its names and values bound it has more than the %d bytes that DynamoDB takes",
                           EXPRESSION_SIZE_MAX);
    if (!buf_ok(&bound->expression) || !buf_ok(&bound->names) || !buf_ok(&bound->values))
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
    buf_init(&bound.values, REQUEST_SIZE_MAX);
    bool built = append_request(ctx, u, wall, &bound);
    buf_free(&bound.expression);
    buf_free(&bound.names);
    buf_free(&bound.values);
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

/* The token is a number in hex. The next number is as unlikely to be another message's as this one was. */
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
