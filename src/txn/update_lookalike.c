/* Refuses what would be stored as data by mistake: DynamoDB's JSON, of which the record would have the types as names,
 * and update operators of other databases. */
#include "update_parts.h"

#include "typed_value.h"
#include "value_path.h"

/* Names that begin like an operator's but are data: references, ids and dates, as other databases and JSON Schema write
 * them. */
static const char *const data_names[] = {"$ref", "$oid", "$date", "$id"};

struct looking {
    struct update *update;
    const struct value_path *path;
    bool in_condition; /* a value for one, not to be stored */
};

static enum step refuse_typed(const struct looking *l) {
    path_refuse(l->path, &l->update->failure,
                l->in_condition
                    ? "it looks like DynamoDB's JSON, but values are plain JSON here: write {\"S\": \"x\"} as \"x\""
                    : "it looks like DynamoDB's JSON, but values are plain JSON here: write {\"S\": \"x\"} as \"x\"; "
                      "sets, binary "
                      "values and maps that look so go into typed_attributes");
    return STEP_REFUSED;
}

static enum step refuse_operator(const struct looking *l) {
    path_refuse(l->path, &l->update->failure,
                l->in_condition ? "it looks like an update operator, but a condition compares plain values"
                                : "it looks like an update operator, but values are stored as they are here: use the "
                                  "members set, increment, "
                                  "append and remove; a map that looks so goes into typed_attributes");
    return STEP_REFUSED;
}

static bool begins_with_dollar(struct json_string name) {
    struct span raw = name.raw;
    if (raw.len > 0 && raw.data[0] == '$')
        return true;
    return name.escaped && raw.len >= 6 && memcmp(raw.data, "\\u0024", 6) == 0;
}

static bool is_operator(const struct value_tape *t, tape_node n) {
    if (tape_type_of(t, n) != TAPE_OBJECT || tape_is_empty(t, n) ||
        tape_next_member(t, tape_first(n)) != tape_next(t, n))
        return false;
    struct json_string name = tape_string(t, tape_first(n));
    for (size_t i = 0; i < ARRAY_LENGTH(data_names); i++)
        if (json_string_is(name, data_names[i]))
            return false;
    return begins_with_dollar(name);
}

static enum step look_at(const struct looking *l, tape_node n) {
    const struct value_tape *t = &l->update->parts->tape;
    if (is_operator(t, n))
        return refuse_operator(l);
    if (typed_value_kind(t, n) == TYPED_NONE)
        return STEP_FINE;
    struct failure ignored;
    struct value_size size;
    failure_init(&ignored);
    enum typed_status status = typed_value_check(t, n, l->path, STORED_DEPTH_MAX, &size, &ignored);
    bool done = status != TYPED_NO_MEMORY && failure_ok(&ignored);
    failure_free(&ignored);
    return !done ? STEP_NO_MEMORY : status == TYPED_FINE ? refuse_typed(l) : STEP_FINE;
}

/* The values of an object of the message. */
static enum step look_at_members(struct update *u, enum member member) {
    const struct value_tape *t = &u->parts->tape;
    tape_node object = u->parts->members[member];
    if (object == TAPE_ROOT)
        return STEP_FINE;
    struct value_path parent = path_root(member_name(member));
    TAPE_FOREACH_MEMBER(t, object, name) {
        if (tape_type_of(t, name + 1) != TAPE_OBJECT)
            continue;
        struct value_path path = path_member(&parent, tape_string(t, name));
        const struct looking l = {u, &path, member == MEMBER_VALUES};
        enum step step = look_at(&l, name + 1);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

static enum step look_at_elements(struct update *u, tape_node array, const struct value_path *parent) {
    const struct value_tape *t = &u->parts->tape;
    size_t index = 0;
    for (tape_node n = tape_first(array); n < tape_next(t, array); n = tape_next(t, n), index++) {
        if (!tape_is_container(t, n)) {
            struct tape_scalar scalar = tape_scalar(t, n);
            while (tape_next_scalar(t, &scalar))
                index++;
            continue;
        }
        struct value_path path = path_element(parent, index);
        const struct looking l = {u, &path, false};
        enum step step = look_at(&l, n);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

static enum step look_at_appended(struct update *u) {
    const struct value_tape *t = &u->parts->tape;
    tape_node object = u->parts->members[MEMBER_APPEND];
    if (object == TAPE_ROOT)
        return STEP_FINE;
    struct value_path member = path_root(member_name(MEMBER_APPEND));
    TAPE_FOREACH_MEMBER(t, object, name) {
        struct value_path path = path_member(&member, tape_string(t, name));
        enum step step = look_at_elements(u, name + 1, &path);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

enum step update_check_lookalikes(struct update *u) {
    enum step step = look_at_members(u, MEMBER_ATTRIBUTES);
    if (step == STEP_FINE)
        step = look_at_members(u, MEMBER_VALUES);
    if (step == STEP_FINE)
        step = look_at_members(u, MEMBER_SET);
    if (step == STEP_FINE)
        step = look_at_appended(u);
    u->confirm_refusal = step == STEP_REFUSED && u->audited;
    return step;
}
