/* How the text of an expression is read: words, and what they mean in a request. */
#pragma once

#include "sim_expression.h"

#include <stddef.h>

struct sim_reading {
    const struct sim_expression *e;
    const char *at;
    unsigned depth;
};

/* Ends the process: the simulation doesn't know this. */
_Noreturn void sim_give_up(const char *at);
void sim_skip_space(struct sim_reading *r);
void sim_read_word(struct sim_reading *r, char *ret_word, size_t size);
/* Steps over this text, a word or signs; false: another one stands there. */
bool sim_take(struct sim_reading *r, const char *text);
/* The attribute's name that a word means. */
const char *sim_name_of(const struct sim_expression *e, const char *word);
/* The attribute's value, and that of an attribute or of a :value; NULL: nothing. */
struct json_object *sim_attribute(const struct sim_expression *e, const char *word);
struct json_object *sim_operand(const struct sim_expression *e, const char *word);
