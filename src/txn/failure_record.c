/* The audit record of a failure: what was asked for, as far as an item can hold it. */
#include "update_parts.h"

#include "json_writer.h"

/* The body is read again into parts of its own, since an update that failed holds nothing that only success needs. */
struct reading {
    struct update update;
    struct update_parts parts;
};

/* What this record has more than a success. */
static size_t more_than_success(const struct audit_record *record) {
    return sizeof AUDIT_FAILURE_SUFFIX - 1 + sizeof "error" - 1 + strlen(record->error);
}

/* Whether reading has failed for lack of memory alone; else a refusal, which is forgotten. */
static bool no_memory(struct reading *r, enum step step) {
    bool told = failure_ok(&r->update.failure);
    r->update.failure.type = ERROR_NONE;
    return step == STEP_NO_MEMORY || !told;
}

/* Whether the attributes are fit to be held. False: no memory. */
static bool look_at_attributes(const struct update_context *ctx, struct reading *r, bool *ret_fit) {
    struct update_parts *p = &r->parts;
    tape_node n = p->members[MEMBER_ATTRIBUTES];
    enum step step = STEP_FINE;
    if (n != TAPE_ROOT && !update_check_attributes(ctx, &r->update, &p->tape, n, &p->attributes, &r->update.failure))
        step = STEP_REFUSED;
    if (step == STEP_FINE)
        step = update_check_typed(ctx, &r->update);
    *ret_fit = step == STEP_FINE;
    if (!*ret_fit)
        p->attributes = (struct value_size){0};
    return !no_memory(r, step);
}

/* Whether the operations are. False: no memory. */
static bool look_at_operations(const struct update_context *ctx, struct reading *r, bool *ret_fit) {
    struct update_parts *p = &r->parts;
    enum terms_status terms =
        update_terms_init(&p->terms, &p->tape, &p->arena, p->members[MEMBER_NAMES], TAPE_ROOT, &r->update.failure);
    enum step step = terms == TERMS_FINE ? STEP_FINE : terms == TERMS_REFUSED ? STEP_REFUSED : STEP_NO_MEMORY;
    if (step == STEP_FINE)
        step = update_read_operations(&r->update);
    if (step == STEP_FINE)
        step = update_check_operations(ctx, &r->update);
    *ret_fit = step == STEP_FINE;
    return !no_memory(r, step);
}

/* What the record holds of the message: all of its attributes or none, all else or nothing of it. False: no memory. */
static bool choose(const struct update_context *ctx, struct reading *r, struct audit_record *record) {
    struct update_parts *p = &r->parts;
    if (!look_at_attributes(ctx, r, &record->attributes))
        return false;
    record->update = true;
    if (update_has_operations(p) && !look_at_operations(ctx, r, &record->update))
        return false;
    record->update = record->update && update_has_map(&r->update);
    if (!update_sort_parts(&r->update))
        return false;
    size_t more = more_than_success(record);
    size_t map = record->update ? update_audit_map_size(&r->update) : 0;
    if (audit_item_size(ctx, &r->update, p->attributes.item, p->whole_count, map) + more <= ITEM_SIZE_MAX)
        return true;
    record->update = false;
    if (audit_item_size(ctx, &r->update, p->attributes.item, p->whole_count, 0) + more > ITEM_SIZE_MAX)
        record->attributes = false;
    return true;
}

static bool append(const struct update_context *ctx, struct reading *r, const char *error, int64_t wall, struct buf *out) {
    struct audit_record record = {.error = error};
    (void)update_find_members(&r->parts);
    if (!choose(ctx, r, &record))
        return false;
    size_t text = (record.attributes ? r->parts.attributes.text : 0) + (record.update ? r->parts.operations.text : 0);
    if (!buf_reserve(out, text + audit_item_text(ctx, &r->update)))
        return false;
    buf_append_cstr(out, "{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    buf_append_cstr(out, ",\"Item\":");
    audit_append(ctx, &r->update, &record, wall, out);
    return buf_append_char(out, '}');
}

bool update_append_failure_record(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out) {
    struct reading r = {.update = *u, .parts = {.key_size = u->parts->key_size}};
    struct tape_error error;
    r.update.parts = &r.parts;
    failure_init(&r.update.failure);
    if (tape_read(u->parts->body, ctx->hash_seed, &r.parts.tape, &error) != TAPE_READ)
        return false;
    bool done = append(ctx, &r, error_type_name(u->failure.type), wall, out);
    update_free_parts(&r.parts);
    arena_free(&r.parts.arena);
    failure_free(&r.update.failure);
    return done;
}
