#include "update_parts.h"

#include "value_path.h"

#include <stdlib.h>

bool operation_has_index(const struct update_operations *o, const struct update_operation *operation) {
    const struct path_element *path = operation_path(o, operation);
    for (uint32_t i = 0; i < operation->count; i++)
        if (!path[i].name.data)
            return true;
    return false;
}

void update_operations_free(struct update_operations *o) {
    free(o->list);
    free(o->elements);
    *o = (struct update_operations){0};
}

static enum step refuse_undefined(const struct update_terms *terms, enum member member, struct failure *f) {
    struct value_path names = path_root(terms->undefined_in->member);
    struct value_path path = path_member(&names, (struct json_string){terms->undefined, false});
    path_refuse(&path, f, "%s uses it, but it isn't defined", member_name(member));
    return STEP_REFUSED;
}

/* Room for one more path's elements. */
static struct path_element *make_room(struct update_operations *o) {
    if (o->element_capacity - o->element_count < DOCUMENT_PATH_MAX) {
        uint32_t capacity = 2 * o->element_capacity + DOCUMENT_PATH_MAX;
        struct path_element *elements = realloc(o->elements, capacity * sizeof *elements);
        if (!elements)
            return NULL;
        o->elements = elements;
        o->element_capacity = capacity;
    }
    return o->elements + o->element_count;
}

static enum step read_path(struct update *u, enum member member, struct json_string written,
                           struct path_element *elements, uint32_t *ret_count) {
    struct update_parts *p = u->parts;
    struct span text = json_string_text(written, &p->arena);
    struct condition_environment environment = update_terms_environment(&p->terms);
    struct failure inner;
    failure_init(&inner);
    enum condition_status status = CONDITION_NO_MEMORY;
    if (text.data)
        status = document_path_read(text, &environment, &p->arena, elements, ret_count, &inner);
    enum step step = STEP_FINE;
    if (status == CONDITION_NO_MEMORY || p->terms.no_memory || !failure_ok(&inner)) {
        step = STEP_NO_MEMORY;
    } else if (status == CONDITION_REFUSED && p->terms.undefined_in) {
        step = refuse_undefined(&p->terms, member, &u->failure);
    } else if (status == CONDITION_REFUSED) {
        struct value_path parent = path_root(member_name(member));
        struct value_path path = path_member(&parent, written);
        struct span reason = failure_reason(&inner);
        path_refuse(text.len > 0 ? &path : &parent, &u->failure, "%.*s", (int)reason.len, reason.data);
        step = STEP_REFUSED;
    }
    failure_free(&inner);
    return step;
}

static enum step add(struct update *u, enum member member, struct json_string written, tape_node value) {
    struct update_operations *o = &u->parts->operations;
    struct path_element *elements = make_room(o);
    if (!elements)
        return STEP_NO_MEMORY;
    uint32_t count = 0;
    enum step step = read_path(u, member, written, elements, &count);
    if (step != STEP_FINE)
        return step;
    o->list[o->count++] = (struct update_operation){
        .member = member, .written = written, .first = o->element_count, .count = count, .value = value};
    o->element_count += count;
    return STEP_FINE;
}

static enum step add_members(struct update *u, enum member member) {
    const struct value_tape *t = &u->parts->tape;
    tape_node object = u->parts->members[member];
    for (tape_node name = tape_first(object); name < tape_next(t, object); name = tape_next_member(t, name)) {
        enum step step = add(u, member, tape_string(t, name), name + 1);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

static enum step refuse_element(struct update *u, enum member member, size_t index) {
    struct value_path parent = path_root(member_name(member));
    struct value_path path = path_element(&parent, index);
    path_refuse(&path, &u->failure, "a path is a string");
    return STEP_REFUSED;
}

/* The elements of `remove`: each a path. */
static enum step add_elements(struct update *u, enum member member) {
    const struct value_tape *t = &u->parts->tape;
    tape_node array = u->parts->members[member];
    size_t index = 0;
    for (tape_node n = tape_first(array); n < tape_next(t, array); n = tape_next(t, n)) {
        if (tape_is_container(t, n))
            return refuse_element(u, member, index);
        struct tape_scalar scalar = tape_scalar(t, n);
        do {
            if (scalar.type != TAPE_STRING)
                return refuse_element(u, member, index);
            enum step step = add(u, member, scalar.text, TAPE_ROOT);
            if (step != STEP_FINE)
                return step;
            index++;
        } while (tape_next_scalar(t, &scalar));
    }
    return STEP_FINE;
}

static size_t count_elements(const struct value_tape *t, tape_node array) {
    size_t count = 0;
    for (tape_node n = tape_first(array); n < tape_next(t, array); n = tape_next(t, n)) {
        count++;
        if (tape_is_container(t, n))
            continue;
        struct tape_scalar scalar = tape_scalar(t, n);
        while (tape_next_scalar(t, &scalar))
            count++;
    }
    return count;
}

static size_t count_of(const struct update_parts *p, enum member member) {
    tape_node n = p->members[member];
    if (n == TAPE_ROOT)
        return 0;
    return member == MEMBER_REMOVE ? count_elements(&p->tape, n) : tape_count(&p->tape, n);
}

enum step update_read_operations(struct update *u) {
    static const enum member members[] = {MEMBER_SET, MEMBER_INCREMENT, MEMBER_APPEND, MEMBER_REMOVE};
    struct update_parts *p = u->parts;
    size_t before = count_of(p, MEMBER_ATTRIBUTES) + count_of(p, MEMBER_TYPED), count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        count += count_of(p, members[i]);
    if (count == 0)
        return STEP_FINE;
    if (before + count > UPDATES_MAX)
        return update_refuse_count(u);
    struct update_operation *list = malloc(count * sizeof *list);
    if (!list)
        return STEP_NO_MEMORY;
    p->operations.list = list;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        enum step step = STEP_FINE;
        if (p->members[members[i]] != TAPE_ROOT)
            step = members[i] == MEMBER_REMOVE ? add_elements(u, members[i]) : add_members(u, members[i]);
        if (step != STEP_FINE)
            return step;
    }
    for (uint32_t i = 0; i < p->operations.count; i++)
        p->operations.list[i].place = (uint32_t)before + i;
    return STEP_FINE;
}

enum step update_refuse_count(struct update *u) {
    static const enum member members[] = {MEMBER_ATTRIBUTES, MEMBER_TYPED,  MEMBER_SET,
                                          MEMBER_INCREMENT,  MEMBER_APPEND, MEMBER_REMOVE};
    size_t total = 0, most = 0;
    enum member largest = MEMBER_ATTRIBUTES;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        size_t count = count_of(u->parts, members[i]);
        total += count;
        if (count > most) {
            most = count;
            largest = members[i];
        }
    }
    struct value_path path = path_root(member_name(largest));
    path_refuse(&path, &u->failure,
                "%zu updates don't fit in one message: DynamoDB takes an expression of at most %d bytes, with paths as "
                "placeholders",
                total, EXPRESSION_SIZE_MAX);
    return STEP_REFUSED;
}
