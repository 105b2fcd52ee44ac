/* What a message does beside setting whole attributes, as one map: for audit records and request hashes. */
#include "update_parts.h"

#include "json_writer.h"

bool update_has_operations(const struct update_parts *p) {
    return p->members[MEMBER_SET] != TAPE_ROOT || p->members[MEMBER_INCREMENT] != TAPE_ROOT ||
           p->members[MEMBER_APPEND] != TAPE_ROOT || p->members[MEMBER_REMOVE] != TAPE_ROOT;
}

bool update_has_map(const struct update *u) {
    return u->parts->operations.count > 0 || u->create_if_missing;
}

/* The path as a JSON string. */
static void append_path(const struct update_operations *o, const struct update_operation *operation, struct buf *out) {
    char usual[256];
    struct buf path;
    buf_init_lent(&path, usual, sizeof usual, REQUEST_SIZE_MAX);
    if (document_path_append(operation_path(o, operation), operation->count, &path))
        json_append_string(out, buf_span(&path));
    else
        buf_fail(out, path.failure);
    buf_free(&path);
}

static void append_member(const struct update_parts *p, enum member member, enum number_form form, const char *before,
                          struct buf *out) {
    const struct update_operations *o = &p->operations;
    bool list = member == MEMBER_REMOVE;
    buf_printf(out, "%s\"%s\":{\"%s\":%s", before, member_name(member), list ? "L" : "M", list ? "[" : "{");
    const char *comma = "";
    for (uint32_t i = 0; i < o->count; i++) {
        const struct update_operation *operation = &o->list[i];
        if (operation->member != member)
            continue;
        buf_append_cstr(out, comma);
        comma = ",";
        if (list)
            buf_append_cstr(out, "{\"S\":");
        append_path(o, operation, out);
        if (list) {
            buf_append_char(out, '}');
        } else {
            buf_append_char(out, ':');
            attribute_value_append(&p->tape, operation->value, form, out);
        }
    }
    buf_append_cstr(out, list ? "]}" : "}}");
}

void update_append_map(const struct update *u, enum number_form form, struct buf *out) {
    static const enum member members[] = {MEMBER_SET, MEMBER_INCREMENT, MEMBER_APPEND, MEMBER_REMOVE};
    const struct update_parts *p = u->parts;
    const char *before = "";
    buf_append_char(out, '{');
    for (size_t i = 0; i < ARRAY_LENGTH(members) && p->operations.count > 0; i++) {
        if (p->members[members[i]] == TAPE_ROOT)
            continue;
        append_member(p, members[i], form, before, out);
        before = ",";
    }
    if (u->create_if_missing)
        buf_printf(out, "%s\"create_if_missing\":{\"BOOL\":true}", before);
    buf_append_char(out, '}');
}
