/* What the parts of the parser share: where it stands, how it refuses, how it makes nodes. Private to the condition
 * language.
 *
 * All functions that return a node return NULL where the failure is set. */
#pragma once

#include "condition_lexer.h"
#include "condition_tree.h"

#define NESTING_MAX                                                                                                    \
    320 /* parentheses, functions and NOTs around one place: bounds the recursion, of the passes over the tree as well \
         */
/* DynamoDB takes 4,096 bytes of an expression, in which no form of operand or operator has more than two nodes for
 * three bytes: a path as an operand of IN, `#0,`. */
#define NODES_MAX 2800
#define PATH_ELEMENTS_MAX 32 /* of one path */

struct parser {
    struct lexer lexer;
    struct token token, previous; /* where only one was read yet, previous is TOKEN_END */
    struct condition *condition;
    struct failure *failure;
    unsigned nesting, operators;
    bool unguarded; /* as the environment has it */
    bool of_path; /* the text is a path alone, and the condition has room for no more nodes than that may have */
};

/* Refuses with "<what> at character <n>". */
#define PARSER_REFUSE(p, where, format, ...)                                                                           \
    failure_validation((p)->failure, (p)->lexer.field, format " at character %zu", __VA_ARGS__,                        \
                       condition_position((p)->lexer.text, (where)))

void parser_advance(struct parser *p);
/* Refuses the token: "expected <expected> after '<' at character 11<hint>". Always NULL. */
struct node *parser_refuse_token(struct parser *p, const char *expected, const char *hint);
/* Steps over a token of this kind, or refuses. */
MUST_USE bool parser_expect(struct parser *p, enum token_kind kind, const char *expected);
/* One level deeper; the caller counts p->nesting down again. */
MUST_USE bool parser_enter(struct parser *p);
struct node *parser_new_node(struct parser *p, enum node_kind kind, size_t at);
/* Counts one of DynamoDB's operators and functions. */
MUST_USE bool parser_count_operator(struct parser *p, size_t at);

/* Whether the token is a function's name. */
bool parser_at_function(const struct parser *p);
/* A function with its operands: a condition, or size. */
struct node *parse_function(struct parser *p);
/* A document path, at its first name. */
struct node *parse_path(struct parser *p);
/* An operand of an operator or a function. */
struct node *parse_operand(struct parser *p, const char *expected);
