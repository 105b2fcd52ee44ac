#include "condition_tree.h"

#include "json_writer.h"
#include "number.h"

static const char *const operators[] = {
    [NODE_AND] = "AND",
    [NODE_OR] = "OR",
    [NODE_NOT] = "NOT",
    [NODE_EQUAL] = "=",
    [NODE_NOT_EQUAL] = "<>",
    [NODE_LESS] = "<",
    [NODE_LESS_EQUAL] = "<=",
    [NODE_GREATER] = ">",
    [NODE_GREATER_EQUAL] = ">=",
    [NODE_BETWEEN] = "BETWEEN",
    [NODE_IN] = "IN",
    [NODE_ATTRIBUTE_EXISTS] = "attribute_exists",
    [NODE_ATTRIBUTE_NOT_EXISTS] = "attribute_not_exists",
    [NODE_ATTRIBUTE_TYPE] = "attribute_type",
    [NODE_BEGINS_WITH] = "begins_with",
    [NODE_CONTAINS] = "contains",
    [NODE_SIZE] = "size",
};

/* Where placeholders begin to count. */
struct base {
    unsigned names, values;
};

const char *node_operator(enum node_kind kind) {
    return operators[kind];
}

bool placeholder_append_long(struct buf *out, char sigil, unsigned number) {
    size_t len = sizeof "#0" - 1;
    for (unsigned n = number; n >= 36; n /= 36)
        len++;
    char *to = buf_reserve(out, len);
    if (!to)
        return false;
    to[0] = sigil;
    for (size_t at = len - 1; at > 0; at--, number /= 36)
        to[at] = placeholder_digits[number % 36];
    buf_advance(out, len);
    return true;
}

bool condition_append_value(const struct node *value, const struct condition_environment *environment,
                            enum number_form form, struct buf *out) {
    struct number number;
    switch (value->kind) {
    case NODE_VALUE: return environment->append_value(environment->ctx, value->value, form, out);
    case NODE_STRING:
        buf_append_cstr(out, "{\"S\":");
        json_append_string(out, value->text);
        return buf_append_char(out, '}');
    case NODE_NUMBER:
        /* The check has read it before. */
        return number_read(value->text, &number) == NUMBER_FINE && number_append_typed(&number, form, out);
    case NODE_TRUE: return buf_append_cstr(out, "{\"BOOL\":true}");
    case NODE_FALSE: return buf_append_cstr(out, "{\"BOOL\":false}");
    default: return buf_append_cstr(out, "{\"NULL\":true}");
    }
}

static void print_path(const struct node *path, struct base base, struct buf *out) {
    for (const struct node *element = path->child; element; element = element->next) {
        if (element->kind == NODE_INDEX) {
            buf_printf(out, "[%u]", element->index);
            continue;
        }
        if (element != path->child)
            buf_append_char(out, '.');
        placeholder_append(out, '#', base.names + element->ordinal);
    }
}

/* Operands, functions, and in the canonical form everything: operator(operand,…). */
static void print_prefix(const struct node *n, struct base base, struct buf *out) {
    if (n->kind == NODE_PATH) {
        print_path(n, base, out);
    } else if (node_is_value(n)) {
        placeholder_append(out, ':', base.values + n->ordinal);
    } else {
        buf_append_cstr(out, operators[n->kind]);
        char separator = '(';
        for (const struct node *operand = n->child; operand; operand = operand->next) {
            buf_append_char(out, separator);
            print_prefix(operand, base, out);
            separator = ',';
        }
        buf_append_char(out, ')');
    }
}

static void print_condition(const struct node *n, struct base base, struct buf *out);

/* An operand of AND, OR or NOT: in parentheses where it binds less than they do. */
static void print_inner(const struct node *n, const struct node *outer, struct base base, struct buf *out) {
    bool parentheses = n->kind == NODE_OR || (n->kind == NODE_AND && outer->kind == NODE_NOT);
    if (parentheses)
        buf_append_char(out, '(');
    print_condition(n, base, out);
    if (parentheses)
        buf_append_char(out, ')');
}

static void print_chain(const struct node *n, struct base base, struct buf *out) {
    for (const struct node *operand = n->child; operand; operand = operand->next) {
        if (operand != n->child)
            buf_printf(out, " %s ", operators[n->kind]);
        print_inner(operand, n, base, out);
    }
}

static void print_in(const struct node *n, struct base base, struct buf *out) {
    print_prefix(n->child, base, out);
    buf_append_cstr(out, " IN");
    char separator = '(';
    for (const struct node *option = n->child->next; option; option = option->next) {
        buf_append_char(out, separator);
        print_prefix(option, base, out);
        separator = ',';
    }
    buf_append_char(out, ')');
}

/* A condition as DynamoDB's grammar has it. Recursion ends at the parser's bound. */
static void print_condition(const struct node *n, struct base base, struct buf *out) {
    switch (n->kind) {
    case NODE_AND:
    case NODE_OR: print_chain(n, base, out); break;
    case NODE_NOT:
        buf_append_cstr(out, "NOT ");
        print_inner(n->child, n, base, out);
        break;
    case NODE_IN: print_in(n, base, out); break;
    case NODE_BETWEEN:
        print_prefix(n->child, base, out);
        buf_append_cstr(out, " BETWEEN ");
        print_prefix(n->child->next, base, out);
        buf_append_cstr(out, " AND ");
        print_prefix(n->child->next->next, base, out);
        break;
    case NODE_EQUAL:
    case NODE_NOT_EQUAL:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
        print_prefix(n->child, base, out);
        buf_append_cstr(out, operators[n->kind]);
        print_prefix(n->child->next, base, out);
        break;
    default: print_prefix(n, base, out); break;
    }
}

static void append_comma(struct buf *out, bool needed) {
    if (needed)
        buf_append_char(out, ',');
}

static void append_key(struct buf *out, char sigil, unsigned number) {
    append_comma(out, out->len > 0);
    placeholder_append_key(out, sigil, number);
}

bool condition_bind(const struct condition *c, const struct condition_environment *environment,
                    struct placeholders *placeholders, struct buf *expression) {
    struct base base = {placeholders->name_count, placeholders->value_count};
    print_condition(c->root, base, expression);
    bool done = buf_ok(expression);
    for (size_t i = 0; i < c->node_count && done; i++) {
        const struct node *n = &c->nodes[i];
        if (n->same != n)
            continue;
        if (n->kind == NODE_NAME) {
            append_key(placeholders->names, '#', base.names + n->ordinal);
            done = json_append_string(placeholders->names, n->text);
            placeholders->name_count++;
        } else {
            append_key(placeholders->values, ':', base.values + n->ordinal);
            done = condition_append_value(n, environment, NUMBERS_SHORT, placeholders->values);
            placeholders->value_count++;
        }
    }
    return done;
}

bool condition_append_canonical(const struct condition *c, const struct condition_environment *environment,
                                struct buf *out) {
    print_prefix(c->root, (struct base){0, 0}, out);
    buf_append_char(out, '[');
    bool comma = false, done = true;
    for (size_t i = 0; i < c->node_count; i++) {
        const struct node *n = &c->nodes[i];
        if (n->kind != NODE_NAME || n->same != n)
            continue;
        append_comma(out, comma);
        json_append_string(out, n->text);
        comma = true;
    }
    buf_append_cstr(out, "][");
    comma = false;
    for (size_t i = 0; i < c->node_count && done; i++) {
        const struct node *n = &c->nodes[i];
        if (!node_is_value(n) || n->same != n)
            continue;
        append_comma(out, comma);
        done = condition_append_value(n, environment, NUMBERS_NORMAL, out);
        comma = true;
    }
    return buf_append_char(out, ']') && done;
}
