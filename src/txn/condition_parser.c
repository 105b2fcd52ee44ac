#include "condition_parser.h"

#include <stdio.h>

#define SHOWN_MAX 32 /* bytes of a token that a message repeats */

void parser_advance(struct parser *p) {
    p->previous = p->token;
    p->token = lexer_next(&p->lexer);
}

/* " after '<'"; " after the string" where the token is the producer's data, or long. */
static void describe_previous(const struct parser *p, char *ret_text, size_t size) {
    const struct token *t = &p->previous;
    if (t->kind == TOKEN_END)
        ret_text[0] = '\0';
    else if (t->kind == TOKEN_STRING || t->kind == TOKEN_NUMBER)
        (void)snprintf(ret_text, size, " after the %s", t->kind == TOKEN_STRING ? "string" : "number");
    else if (t->text.len > SHOWN_MAX)
        (void)snprintf(ret_text, size, " after the name");
    else
        (void)snprintf(ret_text, size, " after '%.*s'", (int)t->text.len, t->text.data);
}

struct node *parser_refuse_token(struct parser *p, const char *expected, const char *hint) {
    if (p->token.kind == TOKEN_REFUSED)
        return NULL; /* the lexer has said what is wrong */
    char after[SHOWN_MAX + 16];
    describe_previous(p, after, sizeof after);
    failure_validation(p->failure, p->lexer.field, "expected %s%s at character %zu%s%s", expected, after,
                       condition_position(p->lexer.text, p->token.at), p->token.kind == TOKEN_END ? " (the end)" : "",
                       hint);
    return NULL;
}

bool parser_expect(struct parser *p, enum token_kind kind, const char *expected) {
    if (p->token.kind != kind) {
        (void)parser_refuse_token(p, expected, "");
        return false;
    }
    parser_advance(p);
    return true;
}

bool parser_enter(struct parser *p) {
    if (p->nesting == NESTING_MAX) {
        PARSER_REFUSE(p, p->token.at, "parentheses, functions and NOT nest more than %d deep", NESTING_MAX);
        return false;
    }
    p->nesting++;
    return true;
}

struct node *parser_new_node(struct parser *p, enum node_kind kind, size_t at) {
    struct condition *c = p->condition;
    if (c->node_count == c->node_capacity) {
        if (p->of_path)
            PARSER_REFUSE(p, at, "a path has more than %d elements", PATH_ELEMENTS_MAX);
        else
            PARSER_REFUSE(p, at, "the condition exceeds the %d bytes that DynamoDB allows an expression",
                          EXPRESSION_SIZE_MAX);
        return NULL;
    }
    struct node *n = &c->nodes[c->node_count++];
    *n = (struct node){.kind = kind, .at = (uint32_t)at};
    return n;
}

bool parser_count_operator(struct parser *p, size_t at) {
    unsigned most = p->unguarded ? EXPRESSION_OPERATORS_MAX : CONDITION_OPERATORS_MAX;
    if (p->operators == most) {
        PARSER_REFUSE(p, at, "the condition has more operators and functions than the %u that fit DynamoDB's limit",
                      most);
        return false;
    }
    p->operators++;
    return true;
}
