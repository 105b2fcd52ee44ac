/* The spelling of a made condition, at random among those that mean the same; and damage to any spelling. */
#pragma once

#include "condition_maker.h"

static inline void spell_space(struct maker *m, bool needed) {
    static const char *const spaces[] = {" ", " ", " ", "  ", "\n", "\t", "", ""};
    buf_append_cstr(&m->text, spaces[pick(m, needed ? 6 : 8)]);
}

static inline void spell_keyword(struct maker *m, const char *word) {
    spell_space(m, true);
    for (const char *c = word; *c; c++)
        buf_append_char(&m->text, chance(m, 30) ? (char)(*c | 0x20) : *c);
    spell_space(m, true);
}

static inline void spell_quoted(struct maker *m, char quote, struct span s) {
    buf_append_char(&m->text, quote);
    for (size_t i = 0; i < s.len; i++) {
        buf_append_char(&m->text, s.data[i]);
        if (s.data[i] == quote)
            buf_append_char(&m->text, quote);
    }
    buf_append_char(&m->text, quote);
}

/* A placeholder of the message's own; they may well be called as those of the request. */
static inline void spell_placeholder(struct maker *m, char sigil) {
    struct buf *out = sigil == '#' ? &m->names : &m->values;
    buf_printf(&m->text, "%c%u", sigil, m->terms);
    buf_printf(out, "%s\"%c%u\":", out->len > 0 ? "," : "", sigil, m->terms);
    m->terms++;
}

static inline void spell_name(struct maker *m, const char *name) {
    static const char bare[] = "id a b version Name size attribute_exists ";
    const char *at = strstr(bare, name);
    if (m->terms < MADE_TERMS && chance(m, 15)) {
        spell_placeholder(m, '#');
        json_append_string(&m->names, span_cstr(name));
    } else if (at && at[strlen(name)] == ' ' && (at == bare || at[-1] == ' ') && chance(m, 70)) {
        buf_append_cstr(&m->text, name);
    } else {
        spell_quoted(m, '`', span_cstr(name));
    }
}

static inline void spell_number(struct maker *m, double number, struct buf *out) {
    for (size_t i = 0; i < ARRAY_LENGTH(NUMBERS); i++) {
        double other = strtod(NUMBERS[i][0], NULL);
        if (!(other < number) && !(other > number))
            buf_append_cstr(out, NUMBERS[i][pick(m, 3)]);
    }
}

static inline void spell_value(struct maker *m, const struct value *v) {
    if (m->terms < MADE_TERMS && chance(m, 20)) {
        spell_placeholder(m, ':');
        if (v->type == 'S')
            json_append_string(&m->values, v->text);
        else if (v->type == 'N')
            spell_number(m, v->number, &m->values);
        else
            buf_append_cstr(&m->values, v->type == '-' ? "null" : v->number > 0 ? "true" : "false");
    } else if (v->type == 'S') {
        spell_quoted(m, chance(m, 50) ? '"' : '\'', v->text);
    } else if (v->type == 'N') {
        spell_number(m, v->number, &m->text);
    } else {
        spell_keyword(m, v->type == '-' ? "NULL" : v->number > 0 ? "TRUE" : "FALSE");
    }
}

static inline void spell(struct maker *m, const struct made *n);

static inline void spell_operands(struct maker *m, const struct made *n, size_t from, char open) {
    buf_append_char(&m->text, open);
    for (size_t i = from; i < n->count; i++) {
        if (i > from)
            buf_append_char(&m->text, ',');
        spell_space(m, false);
        spell(m, n->children[i]);
    }
    buf_append_char(&m->text, ')');
}

static inline void spell_path(struct maker *m, const struct made *n) {
    for (size_t i = 0; i < n->count; i++) {
        if (!n->names[i]) {
            buf_printf(&m->text, "[%zu]", n->indexes[i]);
            continue;
        }
        if (i > 0)
            buf_append_char(&m->text, '.');
        spell_name(m, n->names[i]);
    }
}

static inline void spell_chain(struct maker *m, const struct made *n) {
    for (size_t i = 0; i < n->count; i++) {
        const struct made *operand = n->children[i];
        bool parentheses = operand->kind == MADE_OR || (operand->kind == MADE_AND && chance(m, 50));
        if (i > 0)
            spell_keyword(m, n->kind == MADE_AND ? "AND" : "OR");
        if (parentheses)
            buf_append_char(&m->text, '(');
        spell(m, operand);
        if (parentheses)
            buf_append_char(&m->text, ')');
    }
}

static inline void spell_inner(struct maker *m, const struct made *n) {
    switch (n->kind) {
    case MADE_AND:
    case MADE_OR: spell_chain(m, n); break;
    case MADE_NOT:
        spell_keyword(m, "NOT");
        spell_operands(m, n, 0, '(');
        break;
    case MADE_COMPARE:
        spell(m, n->children[0]);
        spell_space(m, false);
        buf_append_cstr(&m->text, n->operator);
        spell_space(m, false);
        spell(m, n->children[1]);
        break;
    case MADE_BETWEEN:
        spell(m, n->children[0]);
        spell_keyword(m, "BETWEEN");
        spell(m, n->children[1]);
        spell_keyword(m, "AND");
        spell(m, n->children[2]);
        break;
    case MADE_IN:
        spell(m, n->children[0]);
        spell_keyword(m, "IN");
        spell_operands(m, n, 1, '(');
        break;
    case MADE_PATH: spell_path(m, n); break;
    case MADE_VALUE: spell_value(m, n->value); break;
    default:
        buf_append_cstr(&m->text, FUNCTIONS[n->kind - MADE_EXISTS]);
        spell_operands(m, n, 0, '(');
        break;
    }
}

static inline void spell(struct maker *m, const struct made *n) {
    bool parentheses = n->kind < MADE_SIZE && chance(m, 6);
    if (parentheses)
        buf_append_char(&m->text, '(');
    spell_inner(m, n);
    if (parentheses)
        buf_append_char(&m->text, ')');
}

static inline bool is_boundary(struct span s, size_t at) {
    return at >= s.len || ((unsigned char)s.data[at] & 0xc0) != 0x80;
}

/* A place between two characters. */
static inline size_t pick_place(struct maker *m, struct span s) {
    size_t at = pick(m, s.len + 1);
    while (!is_boundary(s, at))
        at++;
    return at;
}

static const char *const ATTACKS[] = {
    " OR ",
    " OR attribute_not_exists(id)",
    " OR a <> 'z'",
    ") OR (a <> 'z'",
    ") OR attribute_not_exists(`id`) OR (id = 'x'",
    "(",
    ")",
    ")))",
    "(((",
    "'",
    "\"",
    "`",
    "''",
    "--",
    "/*",
    "*/",
    ";",
    "#",
    "%27",
    "\\",
    "\\'",
    "\\u0027",
    " OR 1=1",
    "' OR '1'='1",
    "NOT ",
    " AND ",
    " and not ",
    "#0",
    "#1",
    ":0",
    "#k",
    ":v",
    "[0]",
    ".",
    ",",
    "<>",
    "=",
    "\n",
    "\r\n",
    "\xe2\x80\x8b",
    "\xef\xbc\x89",
    "\xe2\x80\x99",
    "\xc2\xa0",
    "\x01",
    "\x7f",
    "\"}]}",
    "TRUE",
    "null",
    "IN (1)",
    "BETWEEN 1 AND 2",
    "attribute_exists(",
    "size(",
    "&&",
    "||",
};

/* Puts something in, takes something out, repeats something; or attaches what would weaken a guard that is pasted in
 * front. */
static inline void damage(struct maker *m) {
    struct buf damaged;
    buf_init(&damaged, m->text.max);
    struct span s = buf_span(&m->text);
    size_t kind = pick(m, 6), from = pick_place(m, s), to = pick_place(m, s);
    if (to < from) {
        size_t swap = from;
        from = to;
        to = swap;
    }
    const char *attack = ATTACKS[pick(m, ARRAY_LENGTH(ATTACKS))];
    if (kind == 0)
        buf_append_cstr(&damaged, "a <> 'z' OR ");
    buf_append(&damaged, s.data, from);
    if (kind == 1)
        buf_append_cstr(&damaged, attack);
    else if (kind == 2 || kind == 3)
        buf_append(&damaged, s.data + from, to - from);
    if (kind == 3)
        buf_append_cstr(&damaged, chance(m, 50) ? " OR " : attack);
    if (kind == 4 && to - from < 8)
        from = to;
    buf_append(&damaged, s.data + from, s.len - from);
    if (kind == 5)
        buf_append_cstr(&damaged, chance(m, 50) ? " OR attribute_not_exists(" KEY_NAME ")" : attack);
    buf_free(&m->text);
    m->text = damaged;
}
