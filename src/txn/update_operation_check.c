/* Whether each operation may be what it is: at its path, with its value. */
#include "update_parts.h"

#include "value_path.h"

#define RECORD_LIST_SIZE 3 /* of a list, without its elements */
/* Maps around a value of the audit record's `update`: itself and the one of its member. */
#define AUDIT_LEVELS 2

/* What one operation is checked with. */
struct checking {
    const struct update_context *ctx;
    struct update *update;
    struct update_operation *operation;
    const struct path_element *elements;
    const struct value_path *path; /* for messages */
};

static bool refuse(const struct checking *c, const char *reason) {
    path_refuse(c->path, &c->update->failure, "%s", reason);
    return false;
}

static bool check_names(const struct checking *c) {
    for (uint32_t i = 0; i < c->operation->count; i++)
        if (c->elements[i].name.data &&
            (c->elements[i].name.len == 0 || c->elements[i].name.len > ATTRIBUTE_NAME_MAX)) {
            path_refuse(c->path, &c->update->failure, "an attribute's name has 1 to %d bytes", ATTRIBUTE_NAME_MAX);
            return false;
        }
    return true;
}

/* As update_check_index_key(). */
static void check_index_key(const struct checking *c, const struct key_attribute *key) {
    const struct update_operation *o = c->operation;
    if (o->count > 1)
        refuse(c, "an index has this attribute as a key, which has nothing inside");
    else if (o->member == MEMBER_SET)
        update_check_index_key(key, &c->update->parts->tape, o->value, c->path, &c->update->failure);
    else if (o->member == MEMBER_INCREMENT && key->type != KEY_NUMBER)
        refuse(c, "an index has it as a key that is no number");
    else if (o->member == MEMBER_APPEND)
        refuse(c, "an index has it as a key, which is no list");
}

/* Checks the attribute at the path's beginning against the table's keys and those of its indexes. */
static bool check_table(const struct checking *c) {
    struct json_string name = {c->elements[0].name, false};
    if (update_is_key(c->ctx->table, name))
        return refuse(c, "a key attribute can't be updated: it is the record's id");
    const struct key_attribute *key = update_index_key(c->ctx->table, name);
    if (key && c->update->failure.type == ERROR_NONE)
        check_index_key(c, key);
    return true;
}

static bool check_form(const struct checking *c) {
    const struct value_tape *t = &c->update->parts->tape;
    tape_node value = c->operation->value;
    switch (c->operation->member) {
    case MEMBER_INCREMENT: return tape_type_of(t, value) == TAPE_NUMBER || refuse(c, "what is added is a number");
    case MEMBER_APPEND:
        return (tape_type_of(t, value) == TAPE_ARRAY && !tape_is_empty(t, value)) ||
               refuse(c, "what is appended is an array that isn't empty");
    default: return true;
    }
}

static bool check_depth(const struct checking *c, unsigned depth, unsigned around) {
    if (depth + around > STORED_DEPTH_MAX) {
        path_refuse(c->path, &c->update->failure,
                    "a record nests at most %d lists and maps, and with those of its path this value has %u",
                    STORED_DEPTH_MAX, depth + around);
        return false;
    }
    if (c->update->audited && depth + AUDIT_LEVELS > STORED_DEPTH_MAX) {
        path_refuse(c->path, &c->update->failure,
                    "a value nests at most %d arrays and objects here where it is audited; only the audit record "
                    "breaks this limit",
                    STORED_DEPTH_MAX - AUDIT_LEVELS);
        return false;
    }
    return true;
}

static size_t digits_of(uint32_t number) {
    size_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

/* Bytes of the path as the audit record has it. */
static size_t path_size(const struct checking *c) {
    size_t size = 0;
    for (uint32_t i = 0; i < c->operation->count; i++) {
        const struct path_element *element = &c->elements[i];
        size += element->name.data ? document_name_size(element->name) + (i > 0) : digits_of(element->index) + 2;
    }
    return size;
}

/* Bytes of the names in a request, as JSON may have to escape them. */
static size_t names_text(const struct checking *c) {
    size_t size = 0;
    for (uint32_t i = 0; i < c->operation->count; i++)
        size += c->elements[i].name.len + sizeof "'#00':'',#00.";
    return size;
}

static void add_sizes(const struct checking *c, const struct value_size *value) {
    struct update_operations *o = &c->update->parts->operations;
    const struct path_element *last = &c->elements[c->operation->count - 1];
    size_t path = path_size(c);
    o->text += value->text + path + names_text(c) + sizeof "list_append(if_not_exists(,:00),:00),\":00\":";
    o->zeros += value->zeros;
    o->audit_size += path + 1 + value->item;
    if (c->operation->member == MEMBER_REMOVE)
        return;
    bool counter = c->operation->member == MEMBER_INCREMENT;
    o->record_size += last->name.len + (c->operation->count > 1) + (counter ? 1 : value->item);
}

static enum step check(struct checking *c) {
    struct value_tape *t = &c->update->parts->tape;
    tape_node value = c->operation->value;
    struct value_size size = {0};
    if (!check_names(c) || !check_form(c) || !check_table(c))
        return STEP_REFUSED;
    if (c->operation->member != MEMBER_REMOVE) {
        if (!attribute_value_check(t, value, c->path, STORED_DEPTH_MAX, &size, &c->update->failure) ||
            !check_depth(c, size.depth, c->operation->count - 1))
            return STEP_REFUSED;
        if (!tape_sort(t, value))
            return STEP_NO_MEMORY;
    }
    add_sizes(c, &size);
    return STEP_FINE;
}

enum step update_check_operations(const struct update_context *ctx, struct update *u) {
    struct update_operations *o = &u->parts->operations;
    for (uint32_t i = 0; i < o->count; i++) {
        struct update_operation *operation = &o->list[i];
        struct value_path parent = path_root(member_name(operation->member));
        struct value_path path = path_member(&parent, operation->written);
        struct checking c = {ctx, u, operation, operation_path(o, operation), &path};
        enum step step = check(&c);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

/* Whether a late second delivery would do it twice. */
static bool repeats(const struct update_operations *o, const struct update_operation *operation) {
    return operation->member == MEMBER_INCREMENT || operation->member == MEMBER_APPEND ||
           operation_has_index(o, operation);
}

enum step update_check_repeatable(const struct update_context *ctx, struct update *u) {
    const struct update_operations *o = &u->parts->operations;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct update_operation *operation = &o->list[i];
        if (!repeats(o, operation))
            continue;
        u->repeats = true;
        if ((u->audited && !ctx->audit_ends_early) || ctx->table->any_key) /* then the worker's settings aren't known */
            continue;
        struct value_path parent = path_root(member_name(operation->member));
        struct value_path path = path_member(&parent, operation->written);
        bool member = operation->member == MEMBER_INCREMENT || operation->member == MEMBER_APPEND;
        path_refuse(member ? &parent : &path, &u->failure, "%s%s",
                    member ? "" : "a list's index means another element once it was applied: ",
                    u->audited ? "it needs an audit record that lives as long as the queue keeps messages, and "
                                 "AUDIT_LOG_TTL_DAYS is below that"
                               : "it needs an audit record (enable_logging), since a late second delivery would apply "
                                 "it twice");
        return STEP_REFUSED;
    }
    return STEP_FINE;
}
