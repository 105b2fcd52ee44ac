#include "condition_parser.h"

#include <stdlib.h>
#include <string.h>

#define IN_OPTIONS_MAX 100
/* Room for the most nodes that a condition of some sixty characters may have. */
#define USUAL_ROOM 8192

static struct node *parse_or(struct parser *p, bool operand_too);

/* The options of IN behind its first operand. */
static bool parse_options(struct parser *p, struct node *first) {
    if (p->token.kind != TOKEN_LEFT_PARENTHESIS) {
        (void)parser_refuse_token(p, "'('", "");
        return false;
    }
    struct node *last = first;
    unsigned count = 0;
    do {
        parser_advance(p);
        if (count++ == IN_OPTIONS_MAX) {
            PARSER_REFUSE(p, p->token.at, "IN has more than %d operands", IN_OPTIONS_MAX);
            return false;
        }
        last->next = parse_operand(p, "a value");
        last = last->next;
    } while (last && p->token.kind == TOKEN_COMMA);
    return last && parser_expect(p, TOKEN_RIGHT_PARENTHESIS, "',' or ')'");
}

static bool parse_bounds(struct parser *p, struct node *first) {
    struct node *low = first->next = parse_operand(p, "a value");
    if (!low || !parser_expect(p, TOKEN_AND, "AND"))
        return false;
    low->next = parse_operand(p, "a value");
    return low->next;
}

static bool is_word_of(const struct token *t, const char *word) {
    size_t len = strlen(word);
    return t->kind == TOKEN_BARE_NAME && t->text.len == len && strncasecmp(t->text.data, word, len) == 0;
}

/* A hint for what SQL has, and DynamoDB writes in another way. */
static const char *hint_for_operator(const struct parser *p) {
    const struct token *t = &p->token;
    if (t->kind == TOKEN_NOT)
        return ": NOT stands in front of the first operand";
    if (is_word_of(t, "is"))
        return ": for IS NULL write attribute_not_exists(name), or name = null where null is stored";
    if (is_word_of(t, "like") || is_word_of(t, "ilike"))
        return ": for LIKE write begins_with(name, 'x') or contains(name, 'x')";
    return t->kind == TOKEN_BARE_NAME ? ": a name or a text with blanks stands in backquotes or in quotes" : "";
}

/* What follows the first operand of a comparison, BETWEEN or IN. */
static struct node *parse_comparison(struct parser *p, struct node *left, bool operand_too) {
    static const enum node_kind kinds[] = {
        [TOKEN_IN] = NODE_IN,           [TOKEN_BETWEEN] = NODE_BETWEEN,
        [TOKEN_EQUAL] = NODE_EQUAL,     [TOKEN_NOT_EQUAL] = NODE_NOT_EQUAL,
        [TOKEN_LESS] = NODE_LESS,       [TOKEN_LESS_EQUAL] = NODE_LESS_EQUAL,
        [TOKEN_GREATER] = NODE_GREATER, [TOKEN_GREATER_EQUAL] = NODE_GREATER_EQUAL,
    };
    enum token_kind token = p->token.kind;
    if (operand_too && token == TOKEN_RIGHT_PARENTHESIS)
        return left;
    if (token != TOKEN_IN && token != TOKEN_BETWEEN && (token < TOKEN_EQUAL || token > TOKEN_GREATER_EQUAL))
        return parser_refuse_token(p, "a comparison, IN or BETWEEN", hint_for_operator(p));
    struct node *n = parser_count_operator(p, p->token.at) ? parser_new_node(p, kinds[token], p->token.at) : NULL;
    if (!n)
        return NULL;
    n->child = left;
    parser_advance(p);
    if (token == TOKEN_IN)
        return parse_options(p, left) ? n : NULL;
    if (token == TOKEN_BETWEEN)
        return parse_bounds(p, left) ? n : NULL;
    left->next = parse_operand(p, "a value");
    return left->next ? n : NULL;
}

static struct node *parse_in_parentheses(struct parser *p) {
    if (!parser_enter(p))
        return NULL;
    parser_advance(p);
    struct node *n = parse_or(p, true);
    if (!n || !parser_expect(p, TOKEN_RIGHT_PARENTHESIS, node_is_condition(n) ? "AND, OR or ')'" : "')'"))
        return NULL;
    p->nesting--;
    return n;
}

/* A condition without AND, OR and NOT outside of parentheses. operand_too: an operand alone may stand in front of ')',
 * since only what follows shows whether `(a` begins a condition or an operand. */
static struct node *parse_predicate(struct parser *p, bool operand_too) {
    struct node *left = NULL;
    if (p->token.kind == TOKEN_LEFT_PARENTHESIS)
        left = parse_in_parentheses(p);
    else if (parser_at_function(p))
        left = parse_function(p);
    else
        left = parse_operand(p, "a condition");
    if (!left || node_is_condition(left))
        return left;
    return parse_comparison(p, left, operand_too);
}

static struct node *parse_not(struct parser *p, bool operand_too) {
    if (p->token.kind != TOKEN_NOT)
        return parse_predicate(p, operand_too);
    struct node *n = parser_count_operator(p, p->token.at) ? parser_new_node(p, NODE_NOT, p->token.at) : NULL;
    if (!n || !parser_enter(p))
        return NULL;
    parser_advance(p);
    n->child = parse_not(p, false);
    p->nesting--;
    return n->child ? n : NULL;
}

/* Appends an operand to a chain. If it is itself a chain of the same kind (from parentheses), its operands are
 * appended. Returns the new last one. */
static struct node *link_operand(struct node *chain, struct node *last, struct node *operand) {
    struct node *first = operand->kind == chain->kind ? operand->child : operand;
    if (last)
        last->next = first;
    else
        chain->child = first;
    while (first->next)
        first = first->next;
    return first;
}

static struct node *parse_chain(struct parser *p, enum node_kind kind, bool operand_too);

static struct node *parse_chain_operand(struct parser *p, enum node_kind kind, bool operand_too) {
    return kind == NODE_OR ? parse_chain(p, NODE_AND, operand_too) : parse_not(p, operand_too);
}

/* Operands between ANDs or between ORs, as one node; one alone as itself. */
static struct node *parse_chain(struct parser *p, enum node_kind kind, bool operand_too) {
    enum token_kind separator = kind == NODE_AND ? TOKEN_AND : TOKEN_OR;
    struct node *first = parse_chain_operand(p, kind, operand_too);
    if (!first || p->token.kind != separator)
        return first;
    struct node *chain = parser_new_node(p, kind, p->token.at);
    if (!chain)
        return NULL;
    struct node *last = link_operand(chain, NULL, first);
    while (p->token.kind == separator) {
        if (!parser_count_operator(p, p->token.at))
            return NULL;
        parser_advance(p);
        struct node *operand = parse_chain_operand(p, kind, false);
        if (!operand)
            return NULL;
        last = link_operand(chain, last, operand);
    }
    return chain;
}

static struct node *parse_or(struct parser *p, bool operand_too) {
    return parse_chain(p, NODE_OR, operand_too);
}

static struct node *parse_all(struct parser *p) {
    parser_advance(p);
    struct node *root = parse_or(p, false);
    if (!root || p->token.kind == TOKEN_END)
        return root;
    if (p->token.kind == TOKEN_RIGHT_PARENTHESIS) {
        PARSER_REFUSE(p, p->token.at, "unexpected '%c' without a '(' of its own", ')');
        return NULL;
    }
    bool words = p->token.kind == TOKEN_BARE_NAME && p->previous.kind == TOKEN_BARE_NAME;
    return parser_refuse_token(p, "AND, OR or the end", words ? ": a text stands in quotes, 'like this'" : "");
}

/* A condition with so many nodes, and so many bytes of the texts that they own. */
static size_t size_of(size_t nodes, size_t bytes) {
    return sizeof(struct condition) + nodes * sizeof(struct node) + bytes;
}

static void begin(struct condition *c, size_t nodes) {
    *c = (struct condition){.node_capacity = nodes};
    c->bytes = (char *)(c->nodes + nodes);
}

/* Where the node that was made in `from` stands in `to`. */
static struct node *moved(const struct condition *from, struct condition *to, const struct node *n) {
    return n ? to->nodes + (n - from->nodes) : NULL;
}

static void copy(const struct condition *from, struct condition *to) {
    begin(to, from->node_count);
    to->root = moved(from, to, from->root);
    to->node_count = from->node_count;
    to->byte_count = from->byte_count;
    if (from->byte_count > 0)
        memcpy(to->bytes, from->bytes, from->byte_count);
    for (size_t i = 0; i < from->node_count; i++) {
        struct node *n = &to->nodes[i];
        *n = from->nodes[i];
        n->child = moved(from, to, n->child);
        n->next = moved(from, to, n->next);
        n->same = moved(from, to, n->same);
        if (n->owns_text)
            n->text.data = to->bytes + (n->text.data - from->bytes);
    }
}

/* How much room a condition takes is known only when it is parsed. */
static struct condition *settle(const struct condition *made, const struct condition_environment *environment) {
    size_t size = size_of(made->node_count, made->byte_count);
    struct condition *c = environment->allocate ? environment->allocate(environment->ctx, size) : malloc(size);
    if (c)
        copy(made, c);
    return c;
}

static enum condition_status fill(struct condition *c, struct span text,
                                  const struct condition_environment *environment, struct failure *ret_failure) {
    struct parser p = {
        .token = {.kind = TOKEN_END}, .condition = c, .failure = ret_failure, .unguarded = environment->unguarded};
    lexer_init(&p.lexer, text, ret_failure);
    c->root = parse_all(&p);
    if (!c->root)
        return CONDITION_REFUSED;
    enum condition_status status = condition_check(c, text, environment, ret_failure);
    return status == CONDITION_FINE ? condition_number_placeholders(c, environment, ret_failure) : status;
}

enum condition_status condition_parse(struct span text, const struct condition_environment *environment,
                                      struct condition **ret_condition, struct failure *ret_failure) {
    if (!text.data)
        text = SPAN("");
    /* Each character makes two nodes at most, and no text is longer than what it came from. */
    size_t nodes = text.len < NODES_MAX / 2 ? text.len * 2 : NODES_MAX, size = size_of(nodes, text.len);
    _Alignas(struct condition) char usual[USUAL_ROOM];
    struct condition *room = size <= sizeof usual ? (struct condition *)(void *)usual : malloc(size);
    if (!room)
        return CONDITION_NO_MEMORY;
    begin(room, nodes);
    enum condition_status status = fill(room, text, environment, ret_failure);
    struct condition *c = status == CONDITION_FINE ? settle(room, environment) : NULL;
    if (c)
        *ret_condition = c;
    else if (status == CONDITION_FINE)
        status = CONDITION_NO_MEMORY;
    if ((void *)room != usual)
        free(room);
    return status;
}

void condition_free(struct condition *c) {
    free(c);
}

bool condition_is_or(const struct condition *c) {
    return c->root->kind == NODE_OR;
}
