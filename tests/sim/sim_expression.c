#include "sim_expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct sim_expression *e;
    const char *at;
    unsigned depth;
};

static const unsigned DEPTH_MAX = 64;

static void give_up(const char *at) {
    fprintf(stderr, "an expression that the simulation doesn't know: %s\n", at);
    abort();
}

static void skip_space(struct reading *r) {
    while (*r->at == ' ')
        r->at++;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '#' || c == ':';
}

static void read_word(struct reading *r, char *ret_word, size_t size) {
    skip_space(r);
    size_t len = 0;
    while (is_word(r->at[len]) && len + 1 < size)
        len++;
    if (len == 0)
        give_up(r->at);
    memcpy(ret_word, r->at, len);
    ret_word[len] = '\0';
    r->at += len;
}

static bool take(struct reading *r, const char *text) {
    skip_space(r);
    size_t len = strlen(text);
    if (strncmp(r->at, text, len) != 0 || (is_word(text[0]) && is_word(r->at[len])))
        return false;
    r->at += len;
    return true;
}

static const char *name_of(const struct sim_expression *e, const char *word) {
    struct json_object *name = NULL;
    if (word[0] != '#')
        return word;
    if (!json_object_object_get_ex(e->names, word, &name))
        give_up(word);
    return json_object_get_string(name);
}

static struct json_object *attribute(const struct sim_expression *e, const char *word) {
    struct json_object *value = NULL;
    if (e->item)
        json_object_object_get_ex(e->item, name_of(e, word), &value);
    return value;
}

static struct json_object *operand(const struct sim_expression *e, const char *word) {
    struct json_object *value = NULL;
    if (word[0] != ':')
        return attribute(e, word);
    if (!json_object_object_get_ex(e->values, word, &value))
        give_up(word);
    return value;
}

static const char *text_of(struct json_object *value) {
    return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
}

/* <0, 0, >0; *ret_comparable: both are there, and of one type. */
static int compare(struct json_object *a, struct json_object *b, bool *ret_comparable) {
    struct json_object *x = NULL, *y = NULL;
    *ret_comparable = false;
    if (!a || !b)
        return 1;
    if (json_object_object_get_ex(a, "N", &x) && json_object_object_get_ex(b, "N", &y)) {
        double p = strtod(json_object_get_string(x), NULL), q = strtod(json_object_get_string(y), NULL);
        *ret_comparable = true;
        return (p > q) - (p < q);
    }
    *ret_comparable = json_object_object_get_ex(a, "S", &x) && json_object_object_get_ex(b, "S", &y);
    return strcmp(text_of(a), text_of(b));
}

static bool comparison(struct reading *r, const char *left) {
    static const char *const signs[] = {"<>", "<=", ">=", "=", "<", ">"};
    size_t sign = 0;
    char right[64];
    bool comparable = false;
    while (sign < 6 && !take(r, signs[sign]))
        sign++;
    if (sign == 6)
        give_up(r->at);
    read_word(r, right, sizeof right);
    struct json_object *a = operand(r->e, left), *b = operand(r->e, right);
    int order = compare(a, b, &comparable);
    switch (sign) {
    case 0: return a && b && order != 0;
    case 1: return comparable && order <= 0;
    case 2: return comparable && order >= 0;
    case 3: return a && b && order == 0;
    case 4: return comparable && order < 0;
    default: return comparable && order > 0;
    }
}

static bool any_of(struct reading *r);

static bool factor(struct reading *r) {
    char word[64];
    if (++r->depth > DEPTH_MAX)
        give_up(r->at);
    bool holds = false;
    if (take(r, "NOT")) {
        holds = !factor(r);
    } else if (take(r, "(")) {
        holds = any_of(r);
        if (!take(r, ")"))
            give_up(r->at);
    } else {
        read_word(r, word, sizeof word);
        bool exists = !strcmp(word, "attribute_exists");
        if (exists || !strcmp(word, "attribute_not_exists")) {
            if (!take(r, "("))
                give_up(r->at);
            read_word(r, word, sizeof word);
            holds = (attribute(r->e, word) != NULL) == exists;
            if (!take(r, ")"))
                give_up(r->at);
        } else {
            holds = comparison(r, word);
        }
    }
    r->depth--;
    return holds;
}

static bool all_of(struct reading *r) {
    bool holds = factor(r);
    while (take(r, "AND"))
        holds = factor(r) && holds;
    return holds;
}

static bool any_of(struct reading *r) {
    bool holds = all_of(r);
    while (take(r, "OR"))
        holds = all_of(r) || holds;
    return holds;
}

bool sim_condition_holds(const struct sim_expression *e, const char *condition) {
    if (!condition)
        return true;
    struct reading r = {e, condition, 0};
    bool holds = any_of(&r);
    if (*r.at)
        give_up(r.at);
    return holds;
}

void sim_update_apply(const struct sim_expression *e, const char *update) {
    struct reading r = {e, update, 0};
    if (!take(&r, "SET"))
        give_up(update);
    do {
        char name[64], value[64];
        read_word(&r, name, sizeof name);
        if (!take(&r, "="))
            give_up(r.at);
        read_word(&r, value, sizeof value);
        json_object_object_add(e->item, name_of(e, name), json_object_get(operand(e, value)));
    } while (take(&r, ","));
}
