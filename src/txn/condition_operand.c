#include "condition_parser.h"

#include <string.h>

#define INDEX_MAX 2147483647

static const struct {
    enum node_kind kind;
    unsigned operands;
} functions[] = {
    {NODE_ATTRIBUTE_EXISTS, 1}, {NODE_ATTRIBUTE_NOT_EXISTS, 1},
    {NODE_ATTRIBUTE_TYPE, 2},   {NODE_BEGINS_WITH, 2},
    {NODE_CONTAINS, 2},         {NODE_SIZE, 1},
};

static const char keyword_hint[] = ": as a name, a keyword stands in backquotes";

/* Gives the node what a name or literal means, kept with the condition. A placeholder is left where it stands, until
 * the check resolves it. */
static void keep_text(struct parser *p, const struct token *t, struct node *n) {
    n->text = t->text;
    n->owns_text = t->kind != TOKEN_NAME_PLACEHOLDER && t->kind != TOKEN_VALUE_PLACEHOLDER;
    if (!n->owns_text)
        return;
    char *kept = p->condition->bytes + p->condition->byte_count;
    size_t len = t->text.len;
    if (t->kind == TOKEN_QUOTED_NAME || t->kind == TOKEN_STRING)
        len = token_unquote(t, kept);
    else
        memcpy(kept, t->text.data, len);
    p->condition->byte_count += len;
    n->text = span_of(kept, len);
}

static struct node *parse_name(struct parser *p) {
    const struct token *t = &p->token;
    bool keyword = t->kind >= TOKEN_TRUE && t->kind <= TOKEN_BETWEEN;
    if (t->kind != TOKEN_BARE_NAME && t->kind != TOKEN_QUOTED_NAME && t->kind != TOKEN_NAME_PLACEHOLDER)
        return parser_refuse_token(p, "an attribute's name", keyword ? keyword_hint : "");
    struct node *n = parser_new_node(p, NODE_NAME, t->at);
    if (!n)
        return NULL;
    n->placeholder = t->kind == TOKEN_NAME_PLACEHOLDER;
    keep_text(p, t, n);
    parser_advance(p);
    return n;
}

static bool read_index(struct span text, unsigned *ret_index) {
    unsigned long index = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        index = index * 10 + (unsigned long)(text.data[i] - '0');
        if (index > INDEX_MAX)
            return false;
    }
    *ret_index = (unsigned)index;
    return true;
}

static struct node *parse_index(struct parser *p) {
    parser_advance(p);
    unsigned index = 0;
    if (p->token.kind != TOKEN_NUMBER || !read_index(p->token.text, &index))
        return parser_refuse_token(p, "a list index from 0 to 2147483647", "");
    struct node *n = parser_new_node(p, NODE_INDEX, p->token.at);
    if (!n)
        return NULL;
    n->index = index;
    parser_advance(p);
    return parser_expect(p, TOKEN_RIGHT_BRACKET, "']'") ? n : NULL;
}

struct node *parse_path(struct parser *p) {
    struct node *path = parser_new_node(p, NODE_PATH, p->token.at);
    if (!path)
        return NULL;
    struct node *last = path->child = parse_name(p);
    while (last && (p->token.kind == TOKEN_DOT || p->token.kind == TOKEN_LEFT_BRACKET)) {
        if (p->token.kind == TOKEN_LEFT_BRACKET) {
            last->next = parse_index(p);
        } else {
            parser_advance(p);
            last->next = parse_name(p);
        }
        last = last->next;
    }
    return last ? path : NULL;
}

static struct node *parse_literal(struct parser *p) {
    static const struct {
        enum node_kind kind;
        char type;
    } literals[] = {
        [TOKEN_VALUE_PLACEHOLDER] = {NODE_VALUE, 0}, [TOKEN_STRING] = {NODE_STRING, 'S'},
        [TOKEN_NUMBER] = {NODE_NUMBER, 'N'},         [TOKEN_TRUE] = {NODE_TRUE, '0'},
        [TOKEN_FALSE] = {NODE_FALSE, '0'},           [TOKEN_NULL] = {NODE_NULL, '-'},
    };
    const struct token *t = &p->token;
    struct node *n = parser_new_node(p, literals[t->kind].kind, t->at);
    if (!n)
        return NULL;
    n->type = literals[t->kind].type;
    n->value = -1;
    keep_text(p, t, n);
    parser_advance(p);
    return n;
}

static bool same_but_for_case(struct span text, const char *name) {
    if (text.len != strlen(name))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if ((text.data[i] == '_' ? '_' : text.data[i] | 0x20) != name[i])
            return false;
    }
    return true;
}

/* The token's place in functions, or -1 (refused). */
static int find_function(struct parser *p) {
    struct span name = p->token.text;
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        if (span_is(name, node_operator(functions[i].kind)))
            return (int)i;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        if (same_but_for_case(name, node_operator(functions[i].kind))) {
            PARSER_REFUSE(p, p->token.at, "expected the function's name in lower case (%s)",
                          node_operator(functions[i].kind));
            return -1;
        }
    }
    failure_validation(
        p->failure, CONDITION_FIELD,
        "unknown function at character %zu: there are attribute_exists, attribute_not_exists, attribute_type, "
        "begins_with, contains and size (an attribute's name in front of '(' stands in backquotes)",
        condition_position(p->lexer.text, p->token.at));
    return -1;
}

bool parser_at_function(const struct parser *p) {
    return p->token.kind == TOKEN_BARE_NAME && lexer_at_parenthesis(&p->lexer);
}

struct node *parse_function(struct parser *p) {
    int which = find_function(p);
    if (which < 0 || !parser_enter(p))
        return NULL;
    size_t at = p->token.at;
    struct node *n = parser_count_operator(p, at) ? parser_new_node(p, functions[which].kind, at) : NULL;
    if (!n)
        return NULL;
    n->type = n->kind == NODE_SIZE ? 'N' : 0;
    parser_advance(p);
    struct node **link = &n->child;
    unsigned count = 0;
    do {
        parser_advance(p);
        struct node *operand = parse_operand(p, "an operand");
        if (!operand)
            return NULL;
        *link = operand;
        link = &operand->next;
        count++;
    } while (p->token.kind == TOKEN_COMMA);
    if (!parser_expect(p, TOKEN_RIGHT_PARENTHESIS, "',' or ')'"))
        return NULL;
    p->nesting--;
    if (count != functions[which].operands) {
        PARSER_REFUSE(p, at, "%s takes %u operand%s, not %u,", node_operator(n->kind), functions[which].operands,
                      functions[which].operands == 1 ? "" : "s", count);
        return NULL;
    }
    return n;
}

static struct node *parse_operand_in_parentheses(struct parser *p) {
    if (!parser_enter(p))
        return NULL;
    parser_advance(p);
    struct node *operand = parse_operand(p, "a value");
    if (!operand || !parser_expect(p, TOKEN_RIGHT_PARENTHESIS, "')'"))
        return NULL;
    p->nesting--;
    return operand;
}

struct node *parse_operand(struct parser *p, const char *expected) {
    switch (p->token.kind) {
    case TOKEN_LEFT_PARENTHESIS: return parse_operand_in_parentheses(p);
    case TOKEN_VALUE_PLACEHOLDER:
    case TOKEN_STRING:
    case TOKEN_NUMBER:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_NULL: return parse_literal(p);
    case TOKEN_BARE_NAME:
    case TOKEN_QUOTED_NAME:
    case TOKEN_NAME_PLACEHOLDER: break;
    case TOKEN_LEFT_BRACKET:
        return parser_refuse_token(p, expected, ": a list is given by expression_attribute_values");
    case TOKEN_IN:
    case TOKEN_BETWEEN: return parser_refuse_token(p, expected, keyword_hint);
    default: return parser_refuse_token(p, expected, "");
    }
    if (!parser_at_function(p))
        return parse_path(p);
    size_t at = p->token.at;
    struct node *function = parse_function(p);
    if (function && function->kind != NODE_SIZE) {
        PARSER_REFUSE(p, at, "%s is a condition of its own and can't stand as a value", node_operator(function->kind));
        return NULL;
    }
    return function;
}
