/* Evaluates a condition expression as DynamoDB's grammar has it (placeholders everywhere), written from that grammar
 * alone. What isn't of it ends the process. */
#pragma once

#include "expression_value.h"

struct judge {
    struct span rest;
    const struct value *names, *values; /* maps by placeholder; of a name, the value is a string */
    const struct value *item;
    struct pool *pool;
    unsigned depth; /* of parentheses around where it reads */
    unsigned top_level_ors;
};

/* Whether text comes next; takes it. */
static inline bool judge_take(struct judge *j, const char *text) {
    size_t len = strlen(text);
    if (j->rest.len < len || memcmp(j->rest.data, text, len) != 0)
        return false;
    j->rest = span_of(j->rest.data + len, j->rest.len - len);
    return true;
}

static inline void judge_expect(struct judge *j, const char *text) {
    stop_unless(judge_take(j, text));
}

/* A placeholder with its sigil. */
static inline struct span judge_placeholder(struct judge *j, char sigil) {
    size_t len = 1;
    stop_unless(j->rest.len > 1 && j->rest.data[0] == sigil);
    while (len < j->rest.len && strchr("0123456789abcdefghijklmnopqrstuvwxyz", j->rest.data[len]) && j->rest.data[len])
        len++;
    stop_unless(len > 1);
    struct span s = span_of(j->rest.data, len);
    j->rest = span_of(j->rest.data + len, j->rest.len - len);
    return s;
}

static inline struct span judge_name(struct judge *j) {
    const struct value *name = value_member(j->names, judge_placeholder(j, '#'));
    stop_unless(name && name->text.len > 0);
    return name->text;
}

static inline size_t judge_index(struct judge *j) {
    size_t index = 0, digits = 0;
    for (; j->rest.len > 0 && j->rest.data[0] >= '0' && j->rest.data[0] <= '9'; digits++) {
        index = index * 10 + (size_t)(j->rest.data[0] - '0');
        j->rest = span_of(j->rest.data + 1, j->rest.len - 1);
    }
    stop_unless(digits > 0 && digits < 12);
    judge_expect(j, "]");
    return index;
}

static inline const struct value *judge_path(struct judge *j) {
    const struct value *v = value_member(j->item, judge_name(j));
    for (;;) {
        if (judge_take(j, "."))
            v = value_member(v, judge_name(j));
        else if (judge_take(j, "["))
            v = value_element(v, judge_index(j));
        else
            return v;
    }
}

/* NULL where the attribute is missing. */
static inline const struct value *judge_operand(struct judge *j) {
    if (judge_take(j, "size(")) {
        const struct value *v = judge_operand(j);
        judge_expect(j, ")");
        return value_size(j->pool, v);
    }
    if (j->rest.len > 0 && j->rest.data[0] == '#')
        return judge_path(j);
    const struct value *v = value_member(j->values, judge_placeholder(j, ':'));
    stop_unless(v != NULL);
    return v;
}

static inline bool judge_or(struct judge *j);

static inline bool judge_function(struct judge *j, bool (*function)(const struct value *, const struct value *)) {
    const struct value *a = judge_operand(j);
    judge_expect(j, ",");
    const struct value *b = judge_operand(j);
    judge_expect(j, ")");
    return function(a, b);
}

static inline bool judge_exists(struct judge *j) {
    const struct value *v = judge_path(j);
    judge_expect(j, ")");
    return v != NULL;
}

static inline bool judge_in(struct judge *j, const struct value *a) {
    bool found = false;
    judge_expect(j, "(");
    do
        found = value_equal(a, judge_operand(j)) || found;
    while (judge_take(j, ","));
    judge_expect(j, ")");
    return found;
}

static inline bool judge_between(struct judge *j, const struct value *a) {
    const struct value *low = judge_operand(j);
    judge_expect(j, " AND ");
    const struct value *high = judge_operand(j);
    return value_compare(SPAN(">="), a, low) && value_compare(SPAN("<="), a, high);
}

static inline bool judge_predicate(struct judge *j) {
    static const char *const operators[] = {"<>", "<=", ">=", "=", "<", ">"};
    if (judge_take(j, "(")) {
        j->depth++;
        bool result = judge_or(j);
        j->depth--;
        judge_expect(j, ")");
        return result;
    }
    if (judge_take(j, "attribute_exists("))
        return judge_exists(j);
    if (judge_take(j, "attribute_not_exists("))
        return !judge_exists(j);
    if (judge_take(j, "attribute_type("))
        return judge_function(j, value_has_type);
    if (judge_take(j, "begins_with("))
        return judge_function(j, value_begins_with);
    if (judge_take(j, "contains("))
        return judge_function(j, value_contains);
    const struct value *a = judge_operand(j);
    if (judge_take(j, " IN"))
        return judge_in(j, a);
    if (judge_take(j, " BETWEEN "))
        return judge_between(j, a);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (judge_take(j, operators[i]))
            return value_compare(span_cstr(operators[i]), a, judge_operand(j));
    abort();
}

static inline bool judge_not(struct judge *j) {
    return judge_take(j, "NOT ") ? !judge_not(j) : judge_predicate(j);
}

static inline bool judge_and(struct judge *j) {
    bool result = judge_not(j);
    while (judge_take(j, " AND "))
        result = judge_not(j) && result;
    return result;
}

static inline bool judge_or(struct judge *j) {
    bool result = judge_and(j);
    while (judge_take(j, " OR ")) {
        j->top_level_ors += j->depth == 0;
        result = judge_and(j) || result;
    }
    return result;
}

/* The expression's value on the item; *ret_top_level_ors: how many ORs stand outside of all parentheses. */
static inline bool judge_expression(struct span expression, const struct value *names, const struct value *values,
                                    const struct value *item, struct pool *pool, unsigned *ret_top_level_ors) {
    struct judge j = {.rest = expression, .names = names, .values = values, .item = item, .pool = pool};
    bool result = judge_or(&j);
    stop_unless(j.rest.len == 0);
    *ret_top_level_ors = j.top_level_ors;
    return result;
}
