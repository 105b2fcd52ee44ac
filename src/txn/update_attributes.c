#include "update_parts.h"

#include "value_path.h"

/* Text of `SET #0=:0,#1=:1,…` for so many attributes. */
static size_t update_expression_size(uint32_t count) {
    size_t size = sizeof "SET " - 1;
    for (uint64_t digits = 1, from = 0, to = 36; from < count; digits++, from = to, to *= 36)
        size += ((count < to ? count : to) - from) * (sizeof "#=:," - 1 + 2 * digits);
    return size - (count > 0);
}

bool update_is_key(const struct table_shape *table, struct json_string name) {
    return json_string_is(name, table->partition.name) ||
           (table->sort.name[0] != '\0' && json_string_is(name, table->sort.name));
}

const struct key_attribute *update_index_key(const struct table_shape *table, struct json_string name) {
    for (size_t i = 0; i < table->attribute_count; i++)
        if (json_string_is(name, table->attributes[i].name))
            return &table->attributes[i];
    return NULL;
}

bool update_check_name(const struct table_shape *table, const struct value_path *parent, const struct value_path *path,
                       struct failure *f) {
    size_t size = json_string_size(path->name);
    if (size == 0 || size > ATTRIBUTE_NAME_MAX) {
        /* One without a name has no path of its own. */
        path_refuse(size == 0 ? parent : path, f, "an attribute's name has 1 to %d bytes", ATTRIBUTE_NAME_MAX);
        return false;
    }
    if (!update_is_key(table, path->name))
        return true;
    path_refuse(path, f, "a key attribute can't be updated: it is the record's id");
    return false;
}

void update_check_index_key(const struct key_attribute *key, const struct value_tape *t, tape_node n,
                            const struct value_path *path, struct failure *f) {
    enum tape_type type = tape_type_of(t, n);
    size_t size = type == TAPE_STRING ? json_string_size(tape_string(t, n)) : 0;
    if (key->type == KEY_BINARY)
        path_refuse(path, f, "an index has it as a binary key, which typed_attributes can hold: {\"B\": base64}");
    else if (type != (key->type == KEY_NUMBER ? TAPE_NUMBER : TAPE_STRING))
        path_refuse(path, f, "an index has it as a key that takes a %s", key->type == KEY_NUMBER ? "number" : "string");
    else if (type == TAPE_STRING && (size == 0 || size > INDEX_KEY_SIZE_MAX))
        path_refuse(path, f, "an index has it as a key, which has 1 to %d bytes", INDEX_KEY_SIZE_MAX);
}

/* One attribute. *ret_size describes it with its name, as a member of the map. */
static bool check_attribute(const struct update_context *ctx, bool audited, const struct value_tape *t, tape_node name,
                            const struct value_path *parent, struct value_size *ret_size, struct failure *f) {
    struct value_path path = path_member(parent, tape_string(t, name));
    if (!update_check_name(ctx->table, parent, &path, f))
        return false;
    const struct key_attribute *key = update_index_key(ctx->table, path.name);
    if (key && f->type == ERROR_NONE)
        update_check_index_key(key, t, name + 1, &path, f);
    struct value_size size;
    if (!attribute_value_check(t, name + 1, &path, STORED_DEPTH_MAX, &size, f))
        return false;
    if (audited && size.depth == STORED_DEPTH_MAX) {
        path_refuse(
            &path, f,
            "a value nests at most %d arrays and objects where it is audited; only the audit record breaks this limit",
            STORED_DEPTH_MAX - 1);
        return false;
    }
    ret_size->item = size.item + json_string_size(path.name);
    ret_size->text = size.text + json_string_canonical_size(path.name) + sizeof ":," - 1;
    ret_size->zeros = size.zeros;
    ret_size->depth = size.depth;
    return true;
}

static bool check_sizes(const struct update_context *ctx, const struct update *u, uint32_t count,
                        const struct value_size *size, struct failure *f) {
    struct value_path path = path_root("attributes");
    size_t item = u->parts->key_size + size->item;
    if (update_expression_size(count) > EXPRESSION_SIZE_MAX) {
        path_refuse(&path, f,
                    "%u attributes don't fit in one update, whose expression has at most %d bytes; about 500 do", count,
                    EXPRESSION_SIZE_MAX);
        return false;
    }
    if (item > ITEM_SIZE_MAX) {
        path_refuse(&path, f, "a record has at most %zu bytes; id and attributes alone have %zu", ITEM_SIZE_MAX, item);
        return false;
    }
    if (!u->audited)
        return true;
    size_t audit = audit_item_size(ctx, u, size->item, count, 0);
    if (audit > ITEM_SIZE_MAX) {
        path_refuse(&path, f, "an item has at most %zu bytes; the record would fit, but its audit record has %zu",
                    ITEM_SIZE_MAX, audit);
        return false;
    }
    return true;
}

bool update_check_attributes(const struct update_context *ctx, const struct update *u, const struct value_tape *t,
                             tape_node n, struct value_size *ret_size, struct failure *f) {
    struct value_path path = path_root("attributes");
    struct value_size total = {0};
    uint32_t count = 0;
    TAPE_FOREACH_MEMBER(t, n, name) {
        struct value_size size;
        if (!check_attribute(ctx, u->audited, t, name, &path, &size, f))
            return false;
        total.item += size.item;
        total.text += size.text;
        total.zeros += size.zeros;
        if (total.depth < size.depth)
            total.depth = size.depth;
        count++;
    }
    if (!check_sizes(ctx, u, count, &total, f))
        return false;
    *ret_size = total;
    return true;
}
