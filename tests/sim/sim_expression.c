#include "sim_expression.h"

#include "sim_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned DEPTH_MAX = 64;

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

static bool comparison(struct sim_reading *r, const char *left) {
    static const char *const signs[] = {"<>", "<=", ">=", "=", "<", ">"};
    size_t sign = 0;
    char right[64];
    bool comparable = false;
    while (sign < 6 && !sim_take(r, signs[sign]))
        sign++;
    if (sign == 6)
        sim_give_up(r->at);
    sim_read_word(r, right, sizeof right);
    struct json_object *a = sim_operand(r->e, left), *b = sim_operand(r->e, right);
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

static bool any_of(struct sim_reading *r);

static bool factor(struct sim_reading *r) {
    char word[64];
    if (++r->depth > DEPTH_MAX)
        sim_give_up(r->at);
    bool holds = false;
    if (sim_take(r, "NOT")) {
        holds = !factor(r);
    } else if (sim_take(r, "(")) {
        holds = any_of(r);
        if (!sim_take(r, ")"))
            sim_give_up(r->at);
    } else {
        sim_read_word(r, word, sizeof word);
        bool exists = !strcmp(word, "attribute_exists");
        if (exists || !strcmp(word, "attribute_not_exists")) {
            if (!sim_take(r, "("))
                sim_give_up(r->at);
            sim_read_word(r, word, sizeof word);
            holds = (sim_attribute(r->e, word) != NULL) == exists;
            if (!sim_take(r, ")"))
                sim_give_up(r->at);
        } else {
            holds = comparison(r, word);
        }
    }
    r->depth--;
    return holds;
}

static bool all_of(struct sim_reading *r) {
    bool holds = factor(r);
    while (sim_take(r, "AND"))
        holds = factor(r) && holds;
    return holds;
}

static bool any_of(struct sim_reading *r) {
    bool holds = all_of(r);
    while (sim_take(r, "OR"))
        holds = all_of(r) || holds;
    return holds;
}

bool sim_condition_holds(const struct sim_expression *e, const char *condition) {
    if (!condition)
        return true;
    struct sim_reading r = {e, condition, 0};
    bool holds = any_of(&r);
    if (*r.at)
        sim_give_up(r.at);
    return holds;
}
