#include "update_terms.h"

#include "attribute_value.h"
#include "value_path.h"

#include <stdlib.h>

#define PLACEHOLDER_MAX 255 /* bytes, its sigil counted */

static bool is_placeholder(struct span name, char sigil) {
    if (name.len < 2 || name.len > PLACEHOLDER_MAX || name.data[0] != sigil)
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'))
            return false;
    }
    return true;
}

static bool check_term(struct update_terms *terms, const struct placeholder_set *set, tape_node name,
                       struct failure *f) {
    const struct value_tape *t = terms->tape;
    struct value_path member = path_root(set->member);
    struct value_path path = path_member(&member, tape_string(t, name));
    struct span placeholder = json_string_text(path.name, terms->arena);
    if (!placeholder.data) {
        terms->no_memory = true;
        return false;
    }
    if (!is_placeholder(placeholder, set->sigil)) {
        path_refuse(&path, f, "a placeholder is a '%c' with up to %d letters, digits and underscores behind it",
                    set->sigil, PLACEHOLDER_MAX - 1);
        return false;
    }
    if (set->sigil == '#') {
        size_t size = json_string_size(tape_string(t, name + 1));
        terms->text += json_string_canonical_size(tape_string(t, name + 1));
        if (size > 0 && size <= ATTRIBUTE_NAME_MAX)
            return true;
        path_refuse(&path, f, "an attribute's name has 1 to %d bytes", ATTRIBUTE_NAME_MAX);
        return false;
    }
    struct value_size size;
    if (!attribute_value_check(t, name + 1, &path, CONDITION_DEPTH_MAX, &size, f))
        return false;
    terms->text += size.text + 1;
    terms->zeros += size.zeros;
    return true;
}

/* Members are checked in the message's order, so that the first error is reported. The index is made once they are
 * sorted. */
static enum terms_status take(struct update_terms *terms, struct placeholder_set *set, struct value_tape *t,
                              tape_node object, struct failure *f) {
    if (object == TAPE_ROOT)
        return TERMS_FINE;
    uint32_t count = 0;
    for (tape_node name = tape_first(object); name < tape_next(t, object); name = tape_next_member(t, name), count++)
        if (!check_term(terms, set, name, f))
            return terms->no_memory ? TERMS_NO_MEMORY : TERMS_REFUSED;
    if (count == 0)
        return TERMS_FINE;
    if (!tape_sort(t, object))
        return TERMS_NO_MEMORY;
    set->names = malloc(count * (sizeof *set->names + sizeof *set->used));
    if (!set->names)
        return TERMS_NO_MEMORY;
    set->used = (bool *)(set->names + count);
    set->count = count;
    tape_node name = tape_first(object);
    for (uint32_t i = 0; i < count; i++, name = tape_next_member(t, name)) {
        set->names[i] = name;
        set->used[i] = false;
    }
    return TERMS_FINE;
}

enum terms_status update_terms_init(struct update_terms *terms, struct value_tape *tape, struct arena *arena,
                                    tape_node names, tape_node values, struct failure *f) {
    *terms = (struct update_terms){
        .tape = tape,
        .arena = arena,
        .names = {.member = "expression_attribute_names", .sigil = '#'},
        .values = {.member = "expression_attribute_values", .sigil = ':'},
    };
    enum terms_status status = take(terms, &terms->names, tape, names, f);
    return status == TERMS_FINE ? take(terms, &terms->values, tape, values, f) : status;
}

void update_terms_free(struct update_terms *terms) {
    free(terms->names.names);
    free(terms->values.names);
    *terms = (struct update_terms){0};
}

/* The index of the placeholder, which counts as used from now on, or -1. */
static int find(struct update_terms *terms, struct placeholder_set *set, struct span placeholder) {
    uint32_t low = 0;
    uint32_t high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order =
            json_string_compare(tape_string(terms->tape, set->names[middle]), (struct json_string){placeholder, false});
        if (order == 0) {
            set->used[middle] = true;
            return (int)middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!terms->undefined_in) {
        terms->undefined_in = set;
        terms->undefined = placeholder;
    }
    return -1;
}

static int find_name(void *ctx, struct span placeholder, struct span *ret_attribute_name) {
    struct update_terms *terms = ctx;
    int index = find(terms, &terms->names, placeholder);
    if (index < 0)
        return -1;
    struct span name = json_string_text(tape_string(terms->tape, terms->names.names[index] + 1), terms->arena);
    if (!name.data) {
        terms->no_memory = true;
        return -1;
    }
    *ret_attribute_name = name;
    return index;
}

static int find_value(void *ctx, struct span placeholder, char *ret_type) {
    struct update_terms *terms = ctx;
    int index = find(terms, &terms->values, placeholder);
    if (index >= 0)
        *ret_type = attribute_value_type(terms->tape, terms->values.names[index] + 1);
    return index;
}

static bool append_value(void *ctx, int value, enum number_form form, struct buf *out) {
    const struct update_terms *terms = ctx;
    return attribute_value_append(terms->tape, terms->values.names[value] + 1, form, out);
}

static void *allocate(void *ctx, size_t size) {
    const struct update_terms *terms = ctx;
    return arena_alloc(terms->arena, size);
}

struct condition_environment update_terms_environment(struct update_terms *terms) {
    return (struct condition_environment){find_name, find_value, append_value, terms, false, allocate};
}

static bool all_used(const struct update_terms *terms, const struct placeholder_set *set, struct failure *f) {
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->used[i])
            continue;
        struct value_path member = path_root(set->member);
        struct value_path path = path_member(&member, tape_string(terms->tape, set->names[i]));
        path_refuse(&path, f,
                    set->sigil == '#' ? "neither condition_expression nor a path uses it"
                                      : "condition_expression doesn't use it");
        return false;
    }
    return true;
}

bool update_terms_all_used(const struct update_terms *terms, struct failure *f) {
    return all_used(terms, &terms->names, f) && all_used(terms, &terms->values, f);
}
