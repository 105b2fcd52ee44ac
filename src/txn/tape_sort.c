#include "value_tape.h"

#include <stdlib.h>

/* Objects of up to so many words, members and their index together, are sorted without an allocation. */
#define LOCAL_WORDS 256

static int compare_members(const void *a, const void *b, void *tape) {
    const struct value_tape *t = tape;
    return json_string_compare(tape_string(t, *(const tape_node *)a), tape_string(t, *(const tape_node *)b));
}

static bool in_order(const struct value_tape *t, tape_node object) {
    struct json_string before = {{"", 0}, false};
    TAPE_FOREACH_MEMBER(t, object, member) {
        struct json_string name = tape_string(t, member);
        if (json_string_compare(before, name) > 0)
            return false;
        before = name;
    }
    return true;
}

static bool sort_members(struct value_tape *t, tape_node object) {
    if (in_order(t, object))
        return true;
    tape_node first = tape_first(object);
    size_t words = tape_next(t, object) - first;
    size_t count = tape_count(t, object);
    uint32_t local[LOCAL_WORDS];
    uint32_t *space = local;
    if (count + words > LOCAL_WORDS && !(space = malloc((count + words) * sizeof *space)))
        return false;
    tape_node *members = space;
    uint32_t *sorted = space + count;
    size_t n = 0;
    for (tape_node member = first; n < count; member = tape_next_member(t, member))
        members[n++] = member;
    qsort_r(members, count, sizeof *members, compare_members, t);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = tape_next_member(t, members[i]) - members[i];
        memcpy(sorted + at, t->words + members[i], len * sizeof *sorted);
        at += len;
    }
    memcpy(t->words + first, sorted, words * sizeof *sorted);
    if (space != local)
        free(space);
    return true;
}

/* Depth is bounded by JSON_MAX_DEPTH: the reader let nothing deeper through. */
bool tape_sort(struct value_tape *t, tape_node value) {
    if (!tape_is_container(t, value))
        return true;
    bool object = tape_type_of(t, value) == TAPE_OBJECT;
    tape_node end = tape_next(t, value);
    tape_node child = tape_first(value);
    while (child < end) {
        tape_node inner = object ? child + 1 : child;
        if (!tape_sort(t, inner))
            return false;
        child = tape_next(t, inner);
    }
    return !object || sort_members(t, value);
}
