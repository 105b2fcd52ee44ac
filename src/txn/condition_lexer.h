/* Tokens of the condition language. Private to it. */
#pragma once

#include "compiler.h"
#include "failure.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_REFUSED, /* the failure is set */
    TOKEN_END,
    TOKEN_BARE_NAME,
    TOKEN_QUOTED_NAME, /* in backquotes */
    TOKEN_NAME_PLACEHOLDER, /* #name */
    TOKEN_VALUE_PLACEHOLDER, /* :value */
    TOKEN_STRING,
    TOKEN_NUMBER, /* valid JSON syntax */
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_IN,
    TOKEN_BETWEEN,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_LEFT_PARENTHESIS,
    TOKEN_RIGHT_PARENTHESIS,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_COMMA,
    TOKEN_DOT
};

struct token {
    enum token_kind kind;
    size_t at; /* byte offset in the text */
    struct span text; /* as it stands, quotes included */
};

struct lexer {
    struct span text;
    size_t at;
    struct failure *failure; /* borrowed; set with TOKEN_REFUSED */
    struct span field; /* what the failure speaks of; condition_expression unless it is set otherwise */
};

void lexer_init(struct lexer *l, struct span text, struct failure *failure);
struct token lexer_next(struct lexer *l);
/* Whether a '(' comes next, white space apart. */
bool lexer_at_parenthesis(const struct lexer *l);
/* What a quoted token means, without its quotes and with doubled ones made single: fewer bytes than token->text has.
 * Returns their number. */
size_t token_unquote(const struct token *token, char *ret_bytes);
