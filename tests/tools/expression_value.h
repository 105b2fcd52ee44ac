/* Values of items and what DynamoDB's operators make of them, for judging expressions apart from the program's own
 * code. */
#pragma once

#include "json_reader.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_CHILDREN_MAX 64
#define POOL_VALUES 1024
#define POOL_CONTAINERS 128
#define POOL_BYTES 65536

struct children;

struct value {
    char type; /* 'S', 'N', '0' (BOOL), '-' (NULL), 'L', 'M' */
    struct span text;
    double number; /* of BOOL: 0 or 1 */
    size_t count;
    struct children *of; /* of L and M */
};

struct children {
    struct value *values[VALUE_CHILDREN_MAX];
    struct span names[VALUE_CHILDREN_MAX];
};

/* Where the values of one case live. */
struct pool {
    struct value values[POOL_VALUES];
    struct children containers[POOL_CONTAINERS];
    char bytes[POOL_BYTES];
    size_t value_count, container_count, byte_count;
};

static inline void stop_unless(bool holds) {
    if (!holds)
        abort();
}

static inline struct value *pool_value(struct pool *p, char type) {
    stop_unless(p->value_count < POOL_VALUES);
    struct value *v = &p->values[p->value_count++];
    *v = (struct value){.type = type};
    if (type == 'L' || type == 'M') {
        stop_unless(p->container_count < POOL_CONTAINERS);
        v->of = &p->containers[p->container_count++];
    }
    return v;
}

/* name: absent in a list. */
static inline void value_add(struct value *v, struct span name, struct value *child) {
    stop_unless(v->count < VALUE_CHILDREN_MAX);
    v->of->names[v->count] = name;
    v->of->values[v->count++] = child;
}

static inline struct span pool_text(struct pool *p, struct span raw) {
    struct buf text;
    buf_init(&text, raw.len);
    stop_unless(json_unescape(raw, &text) && POOL_BYTES - p->byte_count > text.len);
    char *kept = p->bytes + p->byte_count;
    memcpy(kept, buf_span(&text).data, text.len);
    kept[text.len] = '\0';
    p->byte_count += text.len + 1;
    struct span s = span_of(kept, text.len);
    buf_free(&text);
    return s;
}

static inline struct value *value_read(struct json_reader *r, struct pool *p);

/* The reader is behind the bracket. */
static inline void value_read_children(struct json_reader *r, struct pool *p, struct value *v) {
    struct json_token token;
    while (json_next(r, &token) == JSON_NAME || token.event == JSON_OBJECT_BEGIN) {
        struct span name = {NULL, 0};
        if (token.event == JSON_NAME) {
            name = pool_text(p, token.raw);
            stop_unless(json_next(r, &token) == JSON_OBJECT_BEGIN);
        }
        value_add(v, name, value_read(r, p));
    }
    stop_unless(token.event == JSON_OBJECT_END || token.event == JSON_ARRAY_END);
}

/* One value in DynamoDB JSON; the reader is behind its '{'. Not DynamoDB JSON: the process ends. */
static inline struct value *value_read(struct json_reader *r, struct pool *p) {
    struct json_token type, token;
    stop_unless(json_next(r, &type) == JSON_NAME && type.raw.len > 0);
    char kind = json_token_is(&type, "BOOL") ? '0' : json_token_is(&type, "NULL") ? '-' : type.raw.data[0];
    struct value *v = pool_value(p, kind);
    enum json_event event = json_next(r, &token);
    if (event == JSON_OBJECT_BEGIN || event == JSON_ARRAY_BEGIN)
        value_read_children(r, p, v);
    else if (event == JSON_STRING)
        v->text = pool_text(p, token.raw);
    v->number = kind == 'N' ? strtod(v->text.data, NULL) : event == JSON_TRUE;
    stop_unless(json_next(r, &token) == JSON_OBJECT_END);
    return v;
}

static inline bool value_equal(const struct value *a, const struct value *b) {
    if (!a || !b || a->type != b->type || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!value_equal(a->of->values[i], b->of->values[i]) || !span_equal(a->of->names[i], b->of->names[i]))
            return false;
    return a->type == 'S' ? span_equal(a->text, b->text)
                          : a->type == '-' || a->count > 0 || !(a->number < b->number || a->number > b->number);
}

/* <0, 0, >0; *ret_comparable tells whether they have an order at all. */
static inline int value_order(const struct value *a, const struct value *b, bool *ret_comparable) {
    *ret_comparable = a && b && a->type == b->type && (a->type == 'S' || a->type == 'N');
    if (!*ret_comparable)
        return 0;
    return a->type == 'S' ? span_compare(a->text, b->text) : (a->number > b->number) - (a->number < b->number);
}

/* An operator between two operands, NULL where an attribute is missing. */
static inline bool value_compare(struct span operator, const struct value * a, const struct value *b) {
    if (span_is(operator, "="))
        return value_equal(a, b);
    if (span_is(operator, "<>"))
        return !value_equal(a, b);
    bool comparable;
    int order = value_order(a, b, &comparable);
    bool less = operator.data[0] == '<';
    return comparable && ((operator.len == 2 && order == 0) || (less ? order < 0 : order > 0));
}

static inline bool value_contains(const struct value *a, const struct value *b) {
    if (!a || !b)
        return false;
    if (a->type == 'S' && b->type == 'S')
        return b->text.len == 0 || memmem(a->text.data, a->text.len, b->text.data, b->text.len);
    bool found = false;
    for (size_t i = 0; a->type == 'L' && i < a->count; i++)
        found = found || value_equal(a->of->values[i], b);
    return found;
}

static inline bool value_begins_with(const struct value *a, const struct value *b) {
    return a && b && a->type == 'S' && b->type == 'S' && a->text.len >= b->text.len &&
           (b->text.len == 0 || memcmp(a->text.data, b->text.data, b->text.len) == 0);
}

static inline bool value_has_type(const struct value *a, const struct value *name) {
    static const struct {
        char type;
        const char *name;
    } types[] = {{'S', "S"}, {'N', "N"}, {'0', "BOOL"}, {'-', "NULL"}, {'L', "L"}, {'M', "M"}};
    for (size_t i = 0; a && name && i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == a->type)
            return span_is(name->text, types[i].name);
    return false;
}

static inline struct value *value_size(struct pool *p, const struct value *a) {
    if (!a || (a->type != 'S' && a->type != 'L' && a->type != 'M'))
        return NULL;
    struct value *size = pool_value(p, 'N');
    size->number = (double)(a->type == 'S' ? a->text.len : a->count);
    return size;
}

static inline const struct value *value_member(const struct value *map, struct span name) {
    for (size_t i = 0; map && map->type == 'M' && i < map->count; i++)
        if (span_equal(map->of->names[i], name))
            return map->of->values[i];
    return NULL;
}

static inline const struct value *value_element(const struct value *list, size_t index) {
    return list && list->type == 'L' && index < list->count ? list->of->values[index] : NULL;
}
