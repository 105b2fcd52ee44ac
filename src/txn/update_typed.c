/* typed_attributes: whole attributes, like those of `attributes`, in DynamoDB's own JSON. */
#include "update_parts.h"

#include "typed_value.h"
#include "value_path.h"

/* As update_check_index_key(). */
static void check_index_key(const struct key_attribute *key, const struct value_size *size, enum typed_kind kind,
                            const struct value_path *path, struct failure *f) {
    static const struct {
        enum typed_kind kind;
        const char *takes;
    } types[] = {['S'] = {TYPED_S, "S"}, ['N'] = {TYPED_N, "N"}, ['B'] = {TYPED_B, "B"}};
    if (kind != types[key->type].kind)
        path_refuse(path, f, "an index has it as a key that takes %s", types[key->type].takes);
    else if (kind != TYPED_N && (size->item == 0 || size->item > INDEX_KEY_SIZE_MAX))
        path_refuse(path, f, "an index has it as a key, which has 1 to %d bytes", INDEX_KEY_SIZE_MAX);
}

static enum step check(const struct update_context *ctx, struct update *u, tape_node name,
                       const struct value_path *parent, struct value_size *ret_size) {
    const struct value_tape *t = &u->parts->tape;
    struct failure *f = &u->failure;
    struct value_path path = path_member(parent, tape_string(t, name));
    if (!update_check_name(ctx->table, parent, &path, f))
        return STEP_REFUSED;
    switch (typed_value_check(t, name + 1, &path, STORED_DEPTH_MAX, ret_size, f)) {
    case TYPED_FINE: break;
    case TYPED_REFUSED: return STEP_REFUSED;
    default: return STEP_NO_MEMORY;
    }
    const struct key_attribute *key = update_index_key(ctx->table, path.name);
    if (key && f->type == ERROR_NONE)
        check_index_key(key, ret_size, typed_value_kind(t, name + 1), &path, f);
    if (u->audited && ret_size->depth == STORED_DEPTH_MAX) {
        path_refuse(
            &path, f,
            "a value nests at most %d lists and maps where it is audited; only the audit record breaks this limit",
            STORED_DEPTH_MAX - 1);
        return STEP_REFUSED;
    }
    ret_size->item += json_string_size(path.name);
    ret_size->text += json_string_canonical_size(path.name) + sizeof ":," - 1;
    return STEP_FINE;
}

enum step update_check_typed(const struct update_context *ctx, struct update *u) {
    struct update_parts *p = u->parts;
    tape_node n = p->members[MEMBER_TYPED];
    if (n == TAPE_ROOT)
        return STEP_FINE;
    struct value_path parent = path_root(member_name(MEMBER_TYPED));
    TAPE_FOREACH_MEMBER(&p->tape, n, name) {
        struct value_size size;
        enum step step = check(ctx, u, name, &parent, &size);
        if (step != STEP_FINE)
            return step;
        p->attributes.item += size.item;
        p->attributes.text += size.text;
        p->attributes.zeros += size.zeros;
    }
    return STEP_FINE;
}
