#include "update_hints.h"
#include "update_parts.h"

/* How a member must look. */
typedef bool shape_check(const struct value_tape *t, tape_node n);

static bool is_id(const struct value_tape *t, tape_node n) {
    switch (tape_type_of(t, n)) {
    case TAPE_STRING: return tape_string(t, n).raw.len > 0;
    case TAPE_NUMBER: return true;
    case TAPE_OBJECT: return !tape_is_empty(t, n);
    default: return false;
    }
}

static bool is_object(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) == TAPE_OBJECT && !tape_is_empty(t, n);
}

static bool is_boolean(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) == TAPE_TRUE || tape_type_of(t, n) == TAPE_FALSE;
}

static bool is_string(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) == TAPE_STRING && tape_string(t, n).raw.len > 0;
}

static bool is_condition(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) == TAPE_STRING && !json_string_is_blank(tape_string(t, n));
}

static bool is_object_of_strings(const struct value_tape *t, tape_node n) {
    if (!is_object(t, n))
        return false;
    TAPE_FOREACH_MEMBER(t, n, name)
        if (tape_type_of(t, name + 1) != TAPE_STRING)
            return false;
    return true;
}

static bool is_array(const struct value_tape *t, tape_node n) {
    return tape_type_of(t, n) == TAPE_ARRAY && !tape_is_empty(t, n);
}

static const struct {
    struct span name;
    shape_check *check;
    bool required; /* attributes: where nothing else is updated */
    const char *must_be;
} members[MEMBER_COUNT] = {
    [MEMBER_ID] = {SPAN_CONSTANT("id"), is_id, true,
                   "a string that isn't empty, a number, or an object of the key attributes"},
    [MEMBER_ATTRIBUTES] = {SPAN_CONSTANT("attributes"), is_object, true, "an object that isn't empty"},
    [MEMBER_ENABLE_LOGGING] = {SPAN_CONSTANT("enable_logging"), is_boolean, false, "true or false"},
    [MEMBER_CONDITION] = {SPAN_CONSTANT("condition_expression"), is_condition, false, "a string that isn't blank"},
    [MEMBER_NAMES] = {SPAN_CONSTANT("expression_attribute_names"), is_object_of_strings, false,
                      "an object of strings that isn't empty"},
    [MEMBER_VALUES] = {SPAN_CONSTANT("expression_attribute_values"), is_object, false, "an object that isn't empty"},
    [MEMBER_KEY] = {SPAN_CONSTANT("idempotency_key"), is_string, false, "a string that isn't empty"},
    [MEMBER_SET] = {SPAN_CONSTANT("set"), is_object, false, "an object that isn't empty"},
    [MEMBER_INCREMENT] = {SPAN_CONSTANT("increment"), is_object, false, "an object that isn't empty"},
    [MEMBER_APPEND] = {SPAN_CONSTANT("append"), is_object, false, "an object that isn't empty"},
    [MEMBER_REMOVE] = {SPAN_CONSTANT("remove"), is_array, false, "an array that isn't empty"},
    [MEMBER_TYPED] = {SPAN_CONSTANT("typed_attributes"), is_object, false, "an object that isn't empty"},
    [MEMBER_CREATE] = {SPAN_CONSTANT("create_if_missing"), is_boolean, false, "true or false"},
};

const char *member_name(enum member member) {
    return members[member].name.data;
}

const char *member_must_be(enum member member) {
    return members[member].must_be;
}

static enum member member_of(struct json_string name) {
    unsigned i = 0;
    while (i < MEMBER_COUNT &&
           !(name.escaped ? json_string_is(name, members[i].name.data) : span_equal(name.raw, members[i].name)))
        i++;
    return (enum member)i;
}

static void refuse_non_object(const struct value_tape *t, struct failure *f) {
    const char *hint = update_value_hint(t);
    failure_set(f, ERROR_INVALID_INPUT, "The message must be a JSON object%s%s", hint ? ". " : "", hint ? hint : "");
    buf_append_cstr(&f->details, "\"position\":0");
}

static void set_message(struct failure *f, unsigned missing, unsigned invalid) {
    const unsigned id = 1U << MEMBER_ID;
    const unsigned attributes = 1U << MEMBER_ATTRIBUTES;
    if (missing == (id | attributes)) {
        failure_set(f, ERROR_INVALID_INPUT, "ID and attributes are required");
    } else if (missing == id) {
        failure_set(f, ERROR_INVALID_INPUT, "ID is required");
    } else if (missing == attributes) {
        failure_set(f, ERROR_INVALID_INPUT, "Attributes are required");
    } else if (invalid == 0) {
        failure_set(f, ERROR_INVALID_INPUT, "The message has members that are not known: see unknown_fields");
    } else {
        const char *before = "";
        failure_set(f, ERROR_INVALID_INPUT, "%s", "");
        for (unsigned i = 0; i < MEMBER_COUNT; i++) {
            if (!(invalid & 1U << i))
                continue;
            buf_printf(&f->message, "%s%s must be %s", before, members[i].name.data, members[i].must_be);
            before = "; ";
        }
    }
}

static void append_fields(struct buf *details, const char *name, unsigned set) {
    if (set == 0)
        return;
    buf_printf(details, "%s\"%s\":", details->len > 0 ? "," : "", name);
    char before = '[';
    for (unsigned i = 0; i < MEMBER_COUNT; i++) {
        if (!(set & 1U << i))
            continue;
        buf_printf(details, "%c\"%s\"", before, members[i].name.data);
        before = ',';
    }
    buf_append_char(details, ']');
}

static void append_unknown_fields(struct buf *details, const struct value_tape *t) {
    buf_printf(details, "%s\"unknown_fields\":", details->len > 0 ? "," : "");
    char before = '[';
    TAPE_FOREACH_MEMBER(t, TAPE_ROOT, name) {
        if (member_of(tape_string(t, name)) != MEMBER_COUNT)
            continue;
        buf_append_char(details, before);
        json_string_append(tape_string(t, name), details);
        before = ',';
    }
    buf_append_char(details, ']');
}

/* Whether the member is there: a null counts as absent. */
static bool update_is_there(const struct update_parts *p, enum member member) {
    return p->members[member] != TAPE_ROOT && tape_type_of(&p->tape, p->members[member]) != TAPE_NULL;
}

/* Notes where the known members stand; whether there are others. */
bool update_find_members(struct update_parts *p) {
    const struct value_tape *t = &p->tape;
    bool unknown = false;
    TAPE_FOREACH_MEMBER(t, TAPE_ROOT, name) {
        enum member member = member_of(tape_string(t, name));
        if (member == MEMBER_COUNT)
            unknown = true;
        else
            p->members[member] = name + 1;
    }
    return unknown;
}

enum step update_read_members(struct update *u) {
    struct update_parts *p = u->parts;
    const struct value_tape *t = &p->tape;
    struct failure *f = &u->failure;
    if (tape_type_of(t, TAPE_ROOT) != TAPE_OBJECT) {
        refuse_non_object(t, f);
        return STEP_REFUSED;
    }
    bool unknown = update_find_members(p);
    bool updates_else = update_is_there(p, MEMBER_SET) || update_is_there(p, MEMBER_INCREMENT) ||
                        update_is_there(p, MEMBER_APPEND) || update_is_there(p, MEMBER_REMOVE) ||
                        update_is_there(p, MEMBER_TYPED);
    unsigned missing = 0;
    unsigned invalid = 0;
    for (unsigned i = 0; i < MEMBER_COUNT; i++) {
        bool required = members[i].required && !(i == MEMBER_ATTRIBUTES && updates_else);
        if (required && !update_is_there(p, (enum member)i))
            missing |= 1U << i;
        else if (p->members[i] != TAPE_ROOT && !members[i].check(t, p->members[i]))
            invalid |= 1U << i;
    }
    if (invalid & 1U << MEMBER_KEY)
        p->members[MEMBER_KEY] = TAPE_ROOT;
    if (missing == 0 && invalid == 0 && !unknown) {
        u->create_if_missing =
            p->members[MEMBER_CREATE] != TAPE_ROOT && tape_type_of(t, p->members[MEMBER_CREATE]) == TAPE_TRUE;
        return STEP_FINE;
    }
    set_message(f, missing, invalid);
    const char *hint = unknown ? update_members_hint(t) : NULL;
    if (hint)
        buf_printf(&f->message, ". %s", hint);
    append_fields(&f->details, "missing_fields", missing);
    append_fields(&f->details, "invalid_fields", invalid);
    if (unknown)
        append_unknown_fields(&f->details, t);
    return STEP_REFUSED;
}
