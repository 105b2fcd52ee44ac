#include "sim_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_give_up(const char *at) {
    fprintf(stderr, "an expression that the simulation doesn't know: %s\n", at);
    abort();
}

void sim_skip_space(struct sim_reading *r) {
    while (*r->at == ' ')
        r->at++;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '#' ||
           c == ':';
}

void sim_read_word(struct sim_reading *r, char *ret_word, size_t size) {
    sim_skip_space(r);
    size_t len = 0;
    while (is_word(r->at[len]) && len + 1 < size)
        len++;
    if (len == 0)
        sim_give_up(r->at);
    memcpy(ret_word, r->at, len);
    ret_word[len] = '\0';
    r->at += len;
}

bool sim_take(struct sim_reading *r, const char *text) {
    sim_skip_space(r);
    size_t len = strlen(text);
    if (strncmp(r->at, text, len) != 0 || (is_word(text[0]) && is_word(r->at[len])))
        return false;
    r->at += len;
    return true;
}

const char *sim_name_of(const struct sim_expression *e, const char *word) {
    struct json_object *name = NULL;
    if (word[0] != '#')
        return word;
    if (!json_object_object_get_ex(e->names, word, &name))
        sim_give_up(word);
    return json_object_get_string(name);
}

struct json_object *sim_attribute(const struct sim_expression *e, const char *word) {
    struct json_object *value = NULL;
    if (e->item)
        json_object_object_get_ex(e->item, sim_name_of(e, word), &value);
    return value;
}

struct json_object *sim_operand(const struct sim_expression *e, const char *word) {
    struct json_object *value = NULL;
    if (word[0] != ':')
        return sim_attribute(e, word);
    if (!json_object_object_get_ex(e->values, word, &value))
        sim_give_up(word);
    return value;
}
