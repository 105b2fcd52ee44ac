/* What holds for all that a message updates together. */
#include "update_parts.h"

#include "update_overlap.h"
#include "value_path.h"

#include <stdlib.h>

/* All places: the attributes' names as paths of one element, and the operations' paths. */
struct places {
    struct update_place *list;
    struct path_element *names;
    size_t count;
};

static uint32_t names_of(const struct update_parts *p, enum member member) {
    return p->members[member] == TAPE_ROOT ? 0 : tape_count(&p->tape, p->members[member]);
}

static bool add_names(struct update_parts *p, enum member member, struct places *places) {
    const struct value_tape *t = &p->tape;
    tape_node n = p->members[member];
    if (n == TAPE_ROOT)
        return true;
    TAPE_FOREACH_MEMBER(t, n, name) {
        struct path_element *element = &places->names[places->count];
        *element = (struct path_element){.name = json_string_text(tape_string(t, name), &p->arena)};
        if (!element->name.data)
            return false;
        places->list[places->count] = (struct update_place){element, 1, (uint32_t)places->count};
        places->count++;
    }
    return true;
}

static void add_paths(const struct update_operations *o, struct places *places) {
    for (uint32_t i = 0; i < o->count; i++)
        places->list[places->count++] =
            (struct update_place){operation_path(o, &o->list[i]), o->list[i].count, o->list[i].place};
}

/* The member of the place, and its path as the message has it. */
static enum member member_at(const struct update_parts *p, uint32_t number, struct json_string *ret_written) {
    const struct value_tape *t = &p->tape;
    uint32_t attributes = names_of(p, MEMBER_ATTRIBUTES), typed = names_of(p, MEMBER_TYPED);
    if (number >= attributes + typed) {
        const struct update_operation *operation = &p->operations.list[number - attributes - typed];
        *ret_written = operation->written;
        return operation->member;
    }
    enum member member = number < attributes ? MEMBER_ATTRIBUTES : MEMBER_TYPED;
    tape_node name = tape_first(p->members[member]);
    for (uint32_t i = number < attributes ? number : number - attributes; i > 0; i--)
        name = tape_next_member(t, name);
    *ret_written = tape_string(t, name);
    return member;
}

static enum step refuse_overlap(struct update *u, const struct places *places, uint32_t number) {
    size_t second = 0;
    while (places->list[second].number != number)
        second++;
    size_t first = 0;
    while (places->list[first].number >= number || !update_places_overlap(&places->list[first], &places->list[second]))
        first++;
    struct json_string written;
    enum member other = member_at(u->parts, places->list[first].number, &written);
    enum member member = member_at(u->parts, number, &written);
    struct value_path parent = path_root(member_name(member));
    struct value_path path = path_member(&parent, written);
    path_refuse(
        &path, &u->failure,
        "it overlaps with what %s has before it: one message updates each place once, and no place inside another",
        member_name(other));
    return STEP_REFUSED;
}

static enum step check_overlap(struct update *u) {
    struct update_parts *p = u->parts;
    size_t names = names_of(p, MEMBER_ATTRIBUTES) + names_of(p, MEMBER_TYPED);
    size_t count = names + p->operations.count;
    struct places places = {.list = malloc((count + 1) * sizeof *places.list),
                            .names = malloc((names + 1) * sizeof *places.names)};
    enum step step = STEP_NO_MEMORY;
    if (places.list && places.names && add_names(p, MEMBER_ATTRIBUTES, &places) &&
        add_names(p, MEMBER_TYPED, &places)) {
        add_paths(&p->operations, &places);
        uint32_t number = update_find_overlap(places.list, places.count);
        step = number == NO_OVERLAP ? STEP_FINE : refuse_overlap(u, &places, number);
    }
    free(places.list);
    free(places.names);
    return step;
}

static int by_member_and_path(const void *left, const void *right, void *operations) {
    const struct update_operation *a = left, *b = right;
    const struct update_operations *o = operations;
    if (a->member != b->member)
        return a->member < b->member ? -1 : 1;
    return document_path_compare(operation_path(o, a), a->count, operation_path(o, b), b->count);
}

enum member update_first_member(const struct update_parts *p) {
    static const enum member members[] = {MEMBER_ATTRIBUTES, MEMBER_TYPED, MEMBER_SET, MEMBER_INCREMENT, MEMBER_APPEND};
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (p->members[members[i]] != TAPE_ROOT)
            return members[i];
    return MEMBER_REMOVE;
}

size_t update_audit_map_size(const struct update *u) {
    static const enum member members[] = {MEMBER_SET, MEMBER_INCREMENT, MEMBER_APPEND, MEMBER_REMOVE};
    const struct update_parts *p = u->parts;
    if (!update_has_map(u))
        return 0;
    size_t size = sizeof "update" - 1 + 3 + p->operations.audit_size;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (p->members[members[i]] != TAPE_ROOT)
            size += strlen(member_name(members[i])) + 3 + 1;
    return size + (u->create_if_missing ? sizeof "create_if_missing" - 1 + 1 + 1 : 0);
}

static enum step check_sizes(const struct update_context *ctx, struct update *u) {
    struct update_parts *p = u->parts;
    struct value_path path = path_root(member_name(update_first_member(p)));
    size_t item = p->key_size + p->attributes.item + p->operations.record_size;
    if (item > ITEM_SIZE_MAX) {
        path_refuse(&path, &u->failure, "a record has at most %zu bytes; id and what is updated alone have %zu",
                    ITEM_SIZE_MAX, item);
        return STEP_REFUSED;
    }
    if (!u->audited)
        return STEP_FINE;
    size_t count = names_of(p, MEMBER_ATTRIBUTES) + names_of(p, MEMBER_TYPED);
    size_t audit = audit_item_size(ctx, u, p->attributes.item, count, update_audit_map_size(u));
    if (audit > ITEM_SIZE_MAX) {
        path_refuse(&path, &u->failure,
                    "an item has at most %zu bytes; the record would fit, but its audit record has %zu", ITEM_SIZE_MAX,
                    audit);
        return STEP_REFUSED;
    }
    return STEP_FINE;
}

bool update_sort_parts(struct update *u) {
    struct update_parts *p = u->parts;
    struct update_operations *o = &p->operations;
    if (p->members[MEMBER_ATTRIBUTES] != TAPE_ROOT && !tape_sort(&p->tape, p->members[MEMBER_ATTRIBUTES]))
        return false;
    if (p->members[MEMBER_TYPED] != TAPE_ROOT && !tape_sort(&p->tape, p->members[MEMBER_TYPED]))
        return false;
    if (o->count > 1)
        qsort_r(o->list, o->count, sizeof *o->list, by_member_and_path, o);
    update_number_placeholders(p);
    return true;
}

enum step update_check_whole(const struct update_context *ctx, struct update *u) {
    struct update_parts *p = u->parts;
    if (p->operations.count == 0 && p->members[MEMBER_TYPED] == TAPE_ROOT && !u->create_if_missing)
        return STEP_FINE; /* attributes alone were checked as a whole before */
    enum step step = check_overlap(u);
    return step == STEP_FINE ? check_sizes(ctx, u) : step;
}

enum step update_check_expression(struct update *u) {
    if (u->parts->operations.count == 0 && u->parts->members[MEMBER_TYPED] == TAPE_ROOT)
        return STEP_FINE; /* attributes alone were counted */
    char space[EXPRESSION_SIZE_MAX + 1];
    struct buf expression;
    buf_init_lent(&expression, space, sizeof space, EXPRESSION_SIZE_MAX);
    update_append_expression(u->parts, &expression);
    bool full = expression.failure == BUF_FULL, done = full || buf_ok(&expression);
    buf_free(&expression);
    return full ? update_refuse_count(u) : done ? STEP_FINE : STEP_NO_MEMORY;
}
