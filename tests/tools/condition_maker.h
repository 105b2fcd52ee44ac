/* Conditions made at random: a tree, its value on an item, its spelling in the condition language, and damaged
 * spellings. */
#pragma once

#include "expression_value.h"
#include "json_writer.h"
#include "random.h"

#include <stdio.h>

#define MADE_NODES 256
#define MADE_CHILDREN 5
#define MADE_TERMS 32
#define KEY_NAME "id"

enum made_kind {
    MADE_AND,
    MADE_OR,
    MADE_NOT,
    MADE_COMPARE,
    MADE_BETWEEN,
    MADE_IN,
    MADE_EXISTS,
    MADE_NOT_EXISTS,
    MADE_TYPE,
    MADE_BEGINS,
    MADE_CONTAINS, /* as FUNCTIONS has them */
    MADE_SIZE,
    MADE_PATH,
    MADE_VALUE
};

struct made {
    enum made_kind kind;
    const char *operator; /* MADE_COMPARE */
    size_t count;
    struct made *children[MADE_CHILDREN];
    const char *names[MADE_CHILDREN]; /* MADE_PATH: an element, NULL for an index */
    size_t indexes[MADE_CHILDREN];
    struct value *value; /* MADE_VALUE */
};

struct maker {
    struct random random;
    struct pool *pool;
    struct made nodes[MADE_NODES];
    size_t node_count;
    struct buf text, names, values; /* the spelling, and the members of both placeholder objects */
    unsigned terms;
};

static const char *const NAMES[] = {KEY_NAME, "a",   "b",        "version", "Name", "size", "OR",
                                    "x y",    "`q`", "\xc3\xa9", "a.b",     "#0",   "true", "attribute_exists"};
static const char *const STRINGS[] = {"",         "a",  "ab",    "it's", "\"", "' OR '1'='1", "x) OR (a = a",
                                      "\xc3\xa9", ":0", "#0 OR", "\\",   "\n"};
static const char *const OPERATORS[] = {"=", "<>", "<", "<=", ">", ">="};
static const char *const FUNCTIONS[] = {
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"};
static const char *const NUMBERS[][3] = {{"0", "-0", "0.0e5"},   {"1", "1.0", "10e-1"},    {"-1", "-1E0", "-0.1e+1"},
                                         {"2", "2.00", "0.2E1"}, {"1.5", "15e-1", "1.50"}, {"5", "5.0", "5e0"}};

static inline size_t pick(struct maker *m, size_t bound) {
    return (size_t)random_below(&m->random, bound);
}

static inline bool chance(struct maker *m, unsigned percent) {
    return pick(m, 100) < percent;
}

static inline struct made *made_new(struct maker *m, enum made_kind kind) {
    stop_unless(m->node_count < MADE_NODES);
    struct made *n = &m->nodes[m->node_count++];
    *n = (struct made){.kind = kind};
    return n;
}

static inline struct value *make_scalar(struct maker *m, const char *types) {
    struct value *v = pool_value(m->pool, types[pick(m, strlen(types))]);
    if (v->type == 'S')
        v->text = span_cstr(STRINGS[pick(m, ARRAY_LENGTH(STRINGS))]);
    else if (v->type == 'N')
        v->number = strtod(NUMBERS[pick(m, ARRAY_LENGTH(NUMBERS))][0], NULL);
    else if (v->type == '0')
        v->number = (double)pick(m, 2);
    return v;
}

static inline struct value *make_value(struct maker *m, unsigned depth) {
    if (depth > 2 || chance(m, 65))
        return make_scalar(m, "SSNNN0-");
    struct value *v = pool_value(m->pool, chance(m, 50) ? 'L' : 'M');
    for (size_t i = pick(m, 3); i > 0; i--)
        value_add(v, v->type == 'M' ? span_cstr(NAMES[1 + i]) : (struct span){NULL, 0}, make_value(m, depth + 1));
    return v;
}

static inline struct value *make_item(struct maker *m, bool with_key) {
    struct value *item = pool_value(m->pool, 'M');
    for (size_t i = 0; i < ARRAY_LENGTH(NAMES); i++)
        if (i == 0 ? with_key : chance(m, 55))
            value_add(item, span_cstr(NAMES[i]), make_value(m, 0));
    return item;
}

static inline struct made *make_path(struct maker *m, size_t first) {
    struct made *n = made_new(m, MADE_PATH);
    n->names[n->count++] = NAMES[first];
    while (n->count < 4 && chance(m, 20)) {
        n->names[n->count] = chance(m, 50) ? NAMES[1 + pick(m, 3)] : NULL;
        n->indexes[n->count++] = pick(m, 3);
    }
    return n;
}

static inline struct made *make_literal(struct maker *m, const char *types) {
    struct made *n = made_new(m, MADE_VALUE);
    n->value = make_scalar(m, types);
    return n;
}

static inline struct made *make_size(struct maker *m, size_t name) {
    struct made *n = made_new(m, MADE_SIZE);
    n->children[n->count++] = make_path(m, name);
    return n;
}

/* A literal, or another attribute than the first operand's. */
static inline struct made *make_other(struct maker *m, size_t first, const char *types) {
    if (chance(m, 85))
        return make_literal(m, types);
    size_t other = (first + 1 + pick(m, ARRAY_LENGTH(NAMES) - 1)) % ARRAY_LENGTH(NAMES);
    return chance(m, 70) ? make_path(m, other) : make_size(m, other);
}

static inline void make_bounds(struct maker *m, struct made *n) {
    struct made *low = make_literal(m, "N"), *high = make_literal(m, "N");
    if (low->value->number > high->value->number) {
        struct value *swap = low->value;
        low->value = high->value;
        high->value = swap;
    }
    n->children[n->count++] = low;
    n->children[n->count++] = high;
}

static inline struct made *make_predicate(struct maker *m) {
    static const enum made_kind kinds[] = {MADE_COMPARE,    MADE_COMPARE, MADE_COMPARE, MADE_COMPARE,
                                           MADE_BETWEEN,    MADE_IN,      MADE_EXISTS,  MADE_EXISTS,
                                           MADE_NOT_EXISTS, MADE_TYPE,    MADE_BEGINS,  MADE_CONTAINS};
    struct made *n = made_new(m, kinds[pick(m, ARRAY_LENGTH(kinds))]);
    size_t name = pick(m, ARRAY_LENGTH(NAMES));
    bool sized = n->kind <= MADE_IN && chance(m, 10);
    n->children[n->count++] = sized ? make_size(m, name) : make_path(m, name);
    if (n->kind == MADE_COMPARE) {
        n->operator= OPERATORS[pick(m, ARRAY_LENGTH(OPERATORS))];
        n->children[n->count++] =
            make_other(m, name, strcmp(n->operator, "=") == 0 || strcmp(n->operator, "<>") == 0 ? "SNN0-" : "SNN");
    } else if (n->kind == MADE_BETWEEN) {
        make_bounds(m, n);
    } else if (n->kind == MADE_IN) {
        for (size_t i = 1 + pick(m, 3); i > 0; i--)
            n->children[n->count++] = make_other(m, name, "SNN0-");
    } else if (n->kind == MADE_TYPE) {
        static const char *const types[] = {"S", "N", "BOOL", "NULL", "L", "M", "SS"};
        n->children[n->count] = make_literal(m, "S");
        n->children[n->count++]->value->text = span_cstr(types[pick(m, ARRAY_LENGTH(types))]);
    } else if (n->kind == MADE_BEGINS) {
        n->children[n->count++] = make_literal(m, "S");
    } else if (n->kind == MADE_CONTAINS) {
        n->children[n->count++] = make_other(m, name, "SNN0-");
    }
    return n;
}

static inline struct made *make_condition(struct maker *m, unsigned depth) {
    size_t dice = pick(m, 100);
    if (depth > 4 || dice < 40 + 8 * depth)
        return make_predicate(m);
    struct made *n = made_new(m, dice > 88 ? MADE_NOT : dice > 62 ? MADE_OR : MADE_AND);
    for (size_t i = n->kind == MADE_NOT ? 1 : 2 + pick(m, 2); i > 0; i--)
        n->children[n->count++] = make_condition(m, depth + 1);
    return n;
}

/* The operand's value, NULL where the attribute is missing. */
static inline const struct value *made_operand(const struct made *n, const struct value *item, struct pool *p) {
    if (n->kind == MADE_VALUE)
        return n->value;
    if (n->kind == MADE_SIZE)
        return value_size(p, made_operand(n->children[0], item, p));
    const struct value *v = item;
    for (size_t i = 0; i < n->count; i++)
        v = n->names[i] ? value_member(v, span_cstr(n->names[i])) : value_element(v, n->indexes[i]);
    return v;
}

/* What the tree means on an item. */
static inline bool made_value(const struct made *n, const struct value *item, struct pool *p) {
    if (n->kind == MADE_NOT)
        return !made_value(n->children[0], item, p);
    if (n->kind <= MADE_OR) {
        bool all = true, any = false;
        for (size_t i = 0; i < n->count; i++) {
            bool one = made_value(n->children[i], item, p);
            all = all && one;
            any = any || one;
        }
        return n->kind == MADE_AND ? all : any;
    }
    const struct value *a = made_operand(n->children[0], item, p);
    const struct value *b = n->count > 1 ? made_operand(n->children[1], item, p) : NULL;
    bool found = false;
    switch (n->kind) {
    case MADE_COMPARE: return value_compare(span_cstr(n->operator), a, b);
    case MADE_BETWEEN:
        return value_compare(SPAN(">="), a, b) && value_compare(SPAN("<="), a, made_operand(n->children[2], item, p));
    case MADE_IN:
        for (size_t i = 1; i < n->count; i++)
            found = value_equal(a, made_operand(n->children[i], item, p)) || found;
        return found;
    case MADE_EXISTS: return a != NULL;
    case MADE_NOT_EXISTS: return a == NULL;
    case MADE_TYPE: return value_has_type(a, b);
    case MADE_BEGINS: return value_begins_with(a, b);
    default: return value_contains(a, b);
    }
}
