/* UpdateExpressions: SET to a value, to a sum or to a longer list, each from what stood there before; ADD of numbers;
 * REMOVE. */
#include "sim_document.h"
#include "sim_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* REMOVEs of one expression: those of a list go from its end, so that each means the element that it meant before. */
#define REMOVES_MAX 64

static void read_path(struct sim_reading *r, struct sim_path *ret_path) {
    char word[64];
    ret_path->count = 0;
    do {
        if (ret_path->count == SIM_PATH_MAX)
            sim_give_up(r->at);
        sim_read_word(r, word, sizeof word);
        ret_path->elements[ret_path->count].name = sim_name_of(r->e, word);
        ret_path->elements[ret_path->count++].index = 0;
        while (sim_take(r, "[")) {
            if (ret_path->count == SIM_PATH_MAX)
                sim_give_up(r->at);
            sim_read_word(r, word, sizeof word);
            ret_path->elements[ret_path->count].name = NULL;
            ret_path->elements[ret_path->count++].index = strtoul(word, NULL, 10);
            if (!sim_take(r, "]"))
                sim_give_up(r->at);
        }
    } while (sim_take(r, "."));
}

static struct json_object *read_value(struct sim_reading *r) {
    char word[64];
    sim_read_word(r, word, sizeof word);
    return sim_operand(r->e, word);
}

static void expect(struct sim_reading *r, const char *text) {
    if (!sim_take(r, text))
        sim_give_up(r->at);
}

/* if_not_exists(path,:v): what stands there, or the value. */
static struct json_object *read_default(struct sim_reading *r) {
    struct sim_path path;
    expect(r, "if_not_exists");
    expect(r, "(");
    read_path(r, &path);
    expect(r, ",");
    struct json_object *otherwise = read_value(r), *there = sim_document_get(r->e->item, &path);
    expect(r, ")");
    return there ? there : otherwise;
}

static long long integer_of(struct json_object *number) {
    const char *text = json_object_get_string(number);
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (*end)
        sim_give_up(text); /* the tests count in whole numbers */
    return value;
}

/* A new value; NULL: one of them is no number. */
static struct json_object *sum_of(struct json_object *a, struct json_object *b) {
    struct json_object *x = NULL, *y = NULL, *sum = json_object_new_object();
    char text[32];
    if (!json_object_object_get_ex(a, "N", &x) || !json_object_object_get_ex(b, "N", &y)) {
        json_object_put(sum);
        return NULL;
    }
    snprintf(text, sizeof text, "%lld", integer_of(x) + integer_of(y));
    json_object_object_add(sum, "N", json_object_new_string(text));
    return sum;
}

/* A new list; NULL: one of them is none. */
static struct json_object *joined(struct json_object *a, struct json_object *b) {
    struct json_object *lists[2] = {NULL, NULL};
    if (!json_object_object_get_ex(a, "L", &lists[0]) || !json_object_object_get_ex(b, "L", &lists[1]))
        return NULL;
    struct json_object *list = json_object_new_array(), *value = json_object_new_object();
    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < json_object_array_length(lists[i]); n++)
            json_object_array_add(list, json_object_get(json_object_array_get_idx(lists[i], n)));
    json_object_object_add(value, "L", list);
    return value;
}

/* What is set, owned; NULL: an operand has the wrong type. */
static struct json_object *read_operand(struct sim_reading *r) {
    if (sim_take(r, "list_append")) {
        expect(r, "(");
        struct json_object *first = read_default(r);
        expect(r, ",");
        struct json_object *list = joined(first, read_value(r));
        expect(r, ")");
        return list;
    }
    sim_skip_space(r);
    if (strncmp(r->at, "if_not_exists", strlen("if_not_exists")) != 0)
        return json_object_get(read_value(r));
    struct json_object *first = read_default(r);
    expect(r, "+");
    return sum_of(first, read_value(r));
}

static bool apply_set(struct sim_reading *r) {
    bool fits = true;
    do {
        struct sim_path path;
        read_path(r, &path);
        expect(r, "=");
        struct json_object *value = read_operand(r);
        fits = value && sim_document_set(r->e->item, &path, value) && fits;
    } while (sim_take(r, ","));
    return fits;
}

static bool apply_add(struct sim_reading *r) {
    bool fits = true;
    do {
        struct sim_path path;
        read_path(r, &path);
        struct json_object *value = read_value(r), *there = sim_document_get(r->e->item, &path);
        struct json_object *sum = there ? sum_of(there, value) : json_object_get(value);
        fits = sum && sim_document_set(r->e->item, &path, sum) && fits;
    } while (sim_take(r, ","));
    return fits;
}

static bool apply_remove(struct sim_reading *r) {
    struct sim_path paths[REMOVES_MAX];
    size_t count = 0;
    bool fits = true;
    do {
        if (count == REMOVES_MAX)
            sim_give_up(r->at);
        read_path(r, &paths[count++]);
    } while (sim_take(r, ","));
    while (count > 0)
        fits = sim_document_remove(r->e->item, &paths[--count]) && fits;
    return fits;
}

bool sim_update_apply(const struct sim_expression *e, const char *update) {
    struct sim_reading r = {e, update, 0};
    bool fits = true, any = false;
    if (sim_take(&r, "SET")) {
        any = true;
        fits = apply_set(&r);
    }
    if (sim_take(&r, "ADD")) {
        any = true;
        fits = apply_add(&r) && fits;
    }
    if (sim_take(&r, "REMOVE")) {
        any = true;
        fits = apply_remove(&r) && fits;
    }
    sim_skip_space(&r);
    if (!any || *r.at)
        sim_give_up(r.at);
    return fits;
}

bool sim_update_is_plain(const char *update) {
    return strncmp(update, "SET ", 4) == 0 && !strpbrk(update, ".[(") && !strstr(update, " ADD ") &&
           !strstr(update, " REMOVE ");
}
