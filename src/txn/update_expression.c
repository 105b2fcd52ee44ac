/* The UpdateExpression: canonical, since it is made of what is sorted, with placeholders by position.
 *   SET     attributes, typed_attributes, set, increments inside of something, append
 *   ADD     increments of whole attributes: the shortest form, and the same effect
 *   REMOVE  remove */
#include "update_parts.h"

#include "json_writer.h"
#include "typed_value.h"

/* How many first elements a path shares with the path before it: sorted paths of one member often begin alike. */
static uint32_t shared_elements(const struct update_operations *o, uint32_t i) {
    if (i == 0)
        return 0;
    const struct update_operation *a = &o->list[i - 1], *b = &o->list[i];
    uint32_t n = 0;
    while (n < a->count && n < b->count &&
           path_element_compare(operation_path(o, a) + n, operation_path(o, b) + n) == 0)
        n++;
    return n;
}

static uint32_t count_of(const struct update_parts *p, enum member member) {
    return p->members[member] == TAPE_ROOT ? 0 : tape_count(&p->tape, p->members[member]);
}

void update_number_placeholders(struct update_parts *p) {
    struct update_operations *o = &p->operations;
    p->whole_count = count_of(p, MEMBER_ATTRIBUTES) + count_of(p, MEMBER_TYPED);
    uint32_t next = p->whole_count;
    for (uint32_t i = 0; i < o->count; i++) {
        struct path_element *path = o->elements + o->list[i].first;
        uint32_t shared = shared_elements(o, i);
        for (uint32_t n = 0; n < o->list[i].count; n++) {
            if (n < shared)
                path[n].ordinal = (operation_path(o, &o->list[i - 1]) + n)->ordinal;
            else if (path[n].name.data)
                path[n].ordinal = next++;
        }
    }
    p->name_count = next;
}

/* The values of operations: one each; and where something may be missing in the record, one zero and one empty list for
 * all. */
struct values {
    uint32_t zero, empty, count; /* their ordinals; the first two are count where there are none */
};

static struct values count_values(const struct update_parts *p) {
    const struct update_operations *o = &p->operations;
    uint32_t count = p->whole_count;
    bool zero = false, empty = false;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct update_operation *operation = &o->list[i];
        count += operation->member != MEMBER_REMOVE;
        zero = zero || (operation->member == MEMBER_INCREMENT && !operation_is_addition(operation));
        empty = empty || operation->member == MEMBER_APPEND;
    }
    struct values v = {.zero = count};
    v.empty = v.zero + zero;
    v.count = v.empty + empty;
    return v;
}

uint32_t update_value_count(const struct update_parts *p) {
    return p->operations.count > 0 ? count_values(p).count : p->whole_count;
}

static void append_path(const struct update_operations *o, const struct update_operation *operation, struct buf *out) {
    const struct path_element *path = operation_path(o, operation);
    for (uint32_t i = 0; i < operation->count; i++) {
        if (!path[i].name.data) {
            buf_printf(out, "[%u]", path[i].index);
            continue;
        }
        if (i > 0)
            buf_append_char(out, '.');
        placeholder_append(out, '#', path[i].ordinal);
    }
}

static void append_assignment(const struct update_operations *o, const struct update_operation *operation,
                              uint32_t ordinal, const struct values *v, struct buf *out) {
    append_path(o, operation, out);
    buf_append_char(out, '=');
    if (operation->member == MEMBER_SET) {
        placeholder_append(out, ':', ordinal);
        return;
    }
    bool list = operation->member == MEMBER_APPEND;
    buf_append_cstr(out, list ? "list_append(if_not_exists(" : "if_not_exists(");
    append_path(o, operation, out);
    buf_append_char(out, ',');
    placeholder_append(out, ':', list ? v->empty : v->zero);
    buf_append_cstr(out, list ? ")," : ")+");
    placeholder_append(out, ':', ordinal);
    if (list)
        buf_append_char(out, ')');
}

enum clause { CLAUSE_SET, CLAUSE_ADD, CLAUSE_REMOVE };

static enum clause clause_of(const struct update_operation *operation) {
    if (operation->member == MEMBER_REMOVE)
        return CLAUSE_REMOVE;
    return operation_is_addition(operation) ? CLAUSE_ADD : CLAUSE_SET;
}

static void append_operation(const struct update_operations *o, const struct update_operation *operation,
                             uint32_t ordinal, const struct values *v, struct buf *out) {
    if (clause_of(operation) == CLAUSE_SET) {
        append_assignment(o, operation, ordinal, v, out);
        return;
    }
    append_path(o, operation, out);
    if (clause_of(operation) == CLAUSE_ADD) {
        buf_append_char(out, ' ');
        placeholder_append(out, ':', ordinal);
    }
}

/* The operations of one clause; begun: it has something already. begin: where the expression begins in out. */
static void append_clause(const struct update_parts *p, enum clause clause, bool begun, size_t begin, struct buf *out) {
    static const char *const names[] = {[CLAUSE_SET] = "SET ", [CLAUSE_ADD] = "ADD ", [CLAUSE_REMOVE] = "REMOVE "};
    const struct update_operations *o = &p->operations;
    const struct values v = count_values(p);
    uint32_t ordinal = p->whole_count;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct update_operation *operation = &o->list[i];
        if (clause_of(operation) == clause) {
            if (begun)
                buf_append_char(out, ',');
            else if (out->len > begin)
                buf_append_char(out, ' ');
            if (!begun)
                buf_append_cstr(out, names[clause]);
            append_operation(o, operation, ordinal, &v, out);
            begun = true;
        }
        ordinal += operation->member != MEMBER_REMOVE;
    }
}

void update_append_expression(const struct update_parts *p, struct buf *out) {
    size_t begin = out->len;
    for (uint32_t i = 0; i < p->whole_count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        else
            buf_append_cstr(out, "SET ");
        placeholder_append(out, '#', i);
        buf_append_char(out, '=');
        placeholder_append(out, ':', i);
    }
    if (p->operations.count == 0)
        return;
    append_clause(p, CLAUSE_SET, p->whole_count > 0, begin, out);
    append_clause(p, CLAUSE_ADD, false, begin, out);
    append_clause(p, CLAUSE_REMOVE, false, begin, out);
}

/* The names of one of the two, with placeholders from `ordinal` on. Returns the next ordinal. */
static uint32_t append_whole_names(const struct update_parts *p, enum member member, uint32_t ordinal,
                                   struct buf *out) {
    const struct value_tape *t = &p->tape;
    tape_node n = p->members[member];
    if (n == TAPE_ROOT)
        return ordinal;
    TAPE_FOREACH_MEMBER(t, n, name) {
        struct json_string text = tape_string(t, name);
        placeholder_append_key(out, '#', ordinal);
        if (text.escaped) {
            json_escaped_append(text.raw, out);
            buf_append_char(out, ',');
        } else {
            buf_append_between(out, SPAN("\""), text.raw, SPAN("\","));
        }
        ordinal++;
    }
    return ordinal;
}

void update_append_names(const struct update_parts *p, struct buf *out) {
    const struct update_operations *o = &p->operations;
    append_whole_names(p, MEMBER_TYPED, append_whole_names(p, MEMBER_ATTRIBUTES, 0, out), out);
    for (uint32_t i = 0; i < o->count; i++) {
        const struct path_element *path = operation_path(o, &o->list[i]);
        for (uint32_t n = shared_elements(o, i); n < o->list[i].count; n++) {
            if (!path[n].name.data)
                continue;
            placeholder_append_key(out, '#', path[n].ordinal);
            json_append_string(out, path[n].name);
            buf_append_char(out, ',');
        }
    }
}

static void begin_value(uint32_t ordinal, bool comma, struct buf *out) {
    if (comma)
        buf_append_char(out, ',');
    placeholder_append_key(out, ':', ordinal);
}

static uint32_t append_whole_values(const struct update_parts *p, enum member member, uint32_t ordinal,
                                    struct buf *out) {
    const struct value_tape *t = &p->tape;
    tape_node n = p->members[member];
    if (n == TAPE_ROOT)
        return ordinal;
    TAPE_FOREACH_MEMBER(t, n, name) {
        begin_value(ordinal, ordinal > 0, out);
        if (member == MEMBER_TYPED)
            typed_value_append(t, name + 1, NUMBERS_SHORT, out);
        else
            attribute_value_append(t, name + 1, NUMBERS_SHORT, out);
        ordinal++;
    }
    return ordinal;
}

void update_append_values(const struct update_parts *p, struct buf *out) {
    const struct update_operations *o = &p->operations;
    uint32_t ordinal = append_whole_values(p, MEMBER_TYPED, append_whole_values(p, MEMBER_ATTRIBUTES, 0, out), out);
    if (o->count == 0)
        return;
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->list[i].member == MEMBER_REMOVE)
            continue;
        begin_value(ordinal, ordinal > 0, out);
        attribute_value_append(&p->tape, o->list[i].value, NUMBERS_SHORT, out);
        ordinal++;
    }
    const struct values v = count_values(p);
    if (v.empty > v.zero) {
        begin_value(v.zero, true, out);
        buf_append_cstr(out, "{\"N\":\"0\"}");
    }
    if (v.count > v.empty) {
        begin_value(v.empty, true, out);
        buf_append_cstr(out, "{\"L\":[]}");
    }
}
