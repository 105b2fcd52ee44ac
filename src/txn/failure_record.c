/* The audit record of a failure: what was asked for, as far as an item can hold it. */
#include "json_writer.h"
#include "update_again.h"

/* Bytes that this record has more than one of a success. */
static size_t more_than_success(const struct audit_record *record) {
    return sizeof AUDIT_FAILURE_SUFFIX - 1 + sizeof "error" - 1 + strlen(record->error);
}

/* Whether the attributes are fit to be held. False: no memory. */
static bool look_at_attributes(const struct update_context *ctx, struct update_again *again, bool *ret_fit) {
    struct update_parts *p = &again->parts;
    tape_node n = p->members[MEMBER_ATTRIBUTES];
    enum step step = STEP_FINE;
    if (n != TAPE_ROOT &&
        !update_check_attributes(ctx, &again->update, &p->tape, n, &p->attributes, &again->update.failure))
        step = STEP_REFUSED;
    if (step == STEP_FINE)
        step = update_check_typed(ctx, &again->update);
    *ret_fit = step == STEP_FINE;
    if (!*ret_fit)
        p->attributes = (struct value_size){0};
    return !update_again_no_memory(again, step);
}

/* The same of everything beside the attributes. False: no memory. */
static bool look_at_operations(const struct update_context *ctx, struct update_again *again, bool *ret_fit) {
    bool fit = true;
    if (update_has_operations(&again->parts) && !update_again_read_operations(again, &fit))
        return false;
    enum step step = fit ? update_check_operations(ctx, &again->update) : STEP_REFUSED;
    *ret_fit = step == STEP_FINE && update_has_map(&again->update);
    return !update_again_no_memory(again, step);
}

/* Chooses what the record holds of the message: all of its attributes or none, and all else or nothing of it. False: no
 * memory. */
static bool choose(const struct update_context *ctx, struct update_again *again, struct audit_record *record) {
    const struct update_parts *p = &again->parts;
    if (!look_at_attributes(ctx, again, &record->attributes) || !look_at_operations(ctx, again, &record->update) ||
        !update_sort_parts(&again->update))
        return false;
    size_t more = more_than_success(record);
    size_t map = record->update ? update_audit_map_size(&again->update) : 0;
    if (audit_item_size(ctx, &again->update, p->attributes.item, p->whole_count, map) + more <= ITEM_SIZE_MAX)
        return true;
    record->update = false;
    if (audit_item_size(ctx, &again->update, p->attributes.item, p->whole_count, 0) + more > ITEM_SIZE_MAX)
        record->attributes = false;
    return true;
}

static bool append(const struct update_context *ctx, struct update_again *again, const char *error, int64_t wall,
                   struct buf *out) {
    struct audit_record record = {.error = error};
    if (!choose(ctx, again, &record))
        return false;
    size_t text =
        (record.attributes ? again->parts.attributes.text : 0) + (record.update ? again->parts.operations.text : 0);
    if (!buf_reserve(out, text + audit_item_text(ctx, &again->update)))
        return false;
    buf_append_cstr(out, "{\"TableName\":");
    json_append_string(out, span_cstr(ctx->audit_table));
    buf_append_cstr(out, ",\"Item\":");
    audit_append(ctx, &again->update, &record, wall, out);
    return buf_append_char(out, '}');
}

bool update_append_failure_record(const struct update_context *ctx, const struct update *u, int64_t wall,
                                  struct buf *out) {
    struct update_again again;
    bool done = update_again_read(ctx, u, &again) && append(ctx, &again, error_type_name(u->failure.type), wall, out);
    update_again_free(&again);
    return done;
}
