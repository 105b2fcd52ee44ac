#include "condition_parser.h"

#include "json_reader.h"
#include "number.h"

#include <string.h>

#define NAME_BYTES_MAX 65535
#define VALUE_TEXT_MAX ((size_t)64 << 20)

struct check {
    struct span text;
    const struct condition_environment *environment;
    struct failure *failure;
    enum condition_status status;
};

/* Refuses with "<what> at character <n>"; without arguments of its own, what is "%s". The check's function then returns
 * false. */
#define REFUSE(k, node, format, ...)                                                                                   \
    ((k)->status = CONDITION_REFUSED, failure_validation((k)->failure, CONDITION_FIELD, format " at character %zu",    \
                                                         __VA_ARGS__, condition_position((k)->text, (node)->at)))

static const char *type_name(char type) {
    switch (type) {
    case 'S': return "a string";
    case 'N': return "a number";
    case '0': return "a boolean";
    case '-': return "null";
    case 'L': return "a list";
    default: return "a map";
    }
}

/* Asks for every placeholder, so that the caller sees each one used; the first undefined one is refused. */
static bool resolve(struct check *k, struct condition *c) {
    const struct condition_environment *e = k->environment;
    for (size_t i = 0; i < c->node_count; i++) {
        struct node *n = &c->nodes[i];
        struct span placeholder = n->text;
        bool defined = true;
        if (n->kind == NODE_NAME && n->placeholder) {
            defined = e->find_name(e->ctx, placeholder, &n->text) >= 0;
        } else if (n->kind == NODE_VALUE) {
            n->value = e->find_value(e->ctx, placeholder, &n->type);
            defined = n->value >= 0;
            n->text = SPAN(""); /* the condition's text isn't kept */
        }
        if (!defined && k->status == CONDITION_FINE)
            REFUSE(k, n, "expression_%s lacks %.*s, used",
                   n->kind == NODE_NAME ? "attribute_names" : "attribute_values",
                   (int)(placeholder.len < 256 ? placeholder.len : 256), placeholder.data);
    }
    return k->status == CONDITION_FINE;
}

static bool check_name(struct check *k, const struct node *name) {
    if (name->text.len == 0)
        REFUSE(k, name, "%s", "an attribute's name is empty");
    else if (name->text.len > NAME_BYTES_MAX)
        REFUSE(k, name, "an attribute's name has more than %d bytes", NAME_BYTES_MAX);
    return k->status == CONDITION_FINE;
}

static bool check_path(struct check *k, const struct node *path) {
    unsigned depth = 0;
    for (const struct node *element = path->child; element; element = element->next) {
        if (++depth > PATH_ELEMENTS_MAX) {
            REFUSE(k, element, "a path has more than %d elements", PATH_ELEMENTS_MAX);
            return false;
        }
    }
    return true;
}

static bool check_number(struct check *k, const struct node *literal) {
    struct number number;
    switch (number_read(literal->text, &number)) {
    case NUMBER_FINE: return true;
    case NUMBER_TOO_MANY_DIGITS: REFUSE(k, literal, "%s", "a number has more than 38 significant digits"); return false;
    default:
        REFUSE(k, literal, "%s", "a number is beyond DynamoDB's range (magnitude 1E-130 to 9.99E+125)");
        return false;
    }
}

static bool same_path(const struct node *a, const struct node *b) {
    if (a->kind != NODE_PATH || b->kind != NODE_PATH)
        return false;
    const struct node *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next) {
        if (x->kind != y->kind || (x->kind == NODE_NAME ? !span_equal(x->text, y->text) : x->index != y->index))
            return false;
    }
    return !x && !y;
}

/* What holds for the operands of comparisons, BETWEEN, IN and functions. */
static bool check_operands(struct check *k, const struct node *operation) {
    const struct node *first = operation->child;
    bool only_literals = node_is_literal(first), strings = first->kind == NODE_STRING;
    for (const struct node *operand = first->next; operand; operand = operand->next) {
        only_literals = only_literals && node_is_literal(operand);
        strings = strings || operand->kind == NODE_STRING;
        if (same_path(first, operand)) {
            REFUSE(k, operand, "%s has the same attribute on both sides", node_operator(operation->kind));
            return false;
        }
    }
    if (only_literals)
        REFUSE(k, first, "all operands of %s are literals%s", node_operator(operation->kind),
               strings ? " (an attribute's name stands bare or in backquotes, not in quotes)" : "");
    return !only_literals;
}

/* Refuses operands that have a type not among these. */
static bool check_types(struct check *k, const struct node *operation, const char *allowed, const char *allowed_text) {
    for (const struct node *operand = operation->child; operand; operand = operand->next) {
        if (operand->type && !strchr(allowed, operand->type)) {
            REFUSE(k, operand, "%s takes %s, not %s,", node_operator(operation->kind), allowed_text,
                   type_name(operand->type));
            return false;
        }
    }
    return true;
}

/* The string or number itself of a value node. */
static bool append_plain(struct check *k, const struct node *value, struct buf *out) {
    static const size_t prefix = sizeof "{\"S\":\"" - 1, suffix = sizeof "\"}" - 1;
    if (node_is_literal(value))
        return buf_append_span(out, value->text);
    struct buf json;
    buf_init(&json, VALUE_TEXT_MAX);
    bool done = condition_append_value(value, k->environment, NUMBERS_NORMAL, &json) && json.len >= prefix + suffix &&
                json_unescape(span_of(json.data + prefix, json.len - prefix - suffix), out);
    buf_free(&json);
    return done;
}

static int compare_plain(char type, struct span a, struct span b) {
    struct number x, y;
    if (type != 'N' || number_read(a, &x) != NUMBER_FINE || number_read(b, &y) != NUMBER_FINE)
        return span_compare(a, b);
    return number_compare(&x, &y);
}

static bool check_bounds(struct check *k, const struct node *between) {
    const struct node *low = between->child->next, *high = low->next;
    if (!node_is_value(low) || !node_is_value(high))
        return true;
    if (low->type != high->type) {
        REFUSE(k, high, "the bounds of BETWEEN have different types, %s and %s,", type_name(low->type),
               type_name(high->type));
        return false;
    }
    struct buf a, b;
    buf_init(&a, VALUE_TEXT_MAX);
    buf_init(&b, VALUE_TEXT_MAX);
    if (!append_plain(k, low, &a) || !append_plain(k, high, &b))
        k->status = CONDITION_NO_MEMORY;
    else if (compare_plain(low->type, buf_span(&a), buf_span(&b)) > 0)
        REFUSE(k, high, "%s", "the upper bound of BETWEEN is below the lower one");
    buf_free(&a);
    buf_free(&b);
    return k->status == CONDITION_FINE;
}

static bool check_type_argument(struct check *k, const struct node *function) {
    static const char *const names[] = {"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"};
    const struct node *type = function->child->next;
    if (type->type != 'S') {
        REFUSE(k, type, "%s", "the second operand of attribute_type is no string");
        return false;
    }
    struct buf plain;
    buf_init(&plain, VALUE_TEXT_MAX);
    bool known = false;
    if (!append_plain(k, type, &plain))
        k->status = CONDITION_NO_MEMORY;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        known = known || span_is(buf_span(&plain), names[i]);
    buf_free(&plain);
    if (!known && k->status == CONDITION_FINE)
        REFUSE(k, type, "%s",
               "the second operand of attribute_type is none of 'S', 'N', 'B', 'SS', 'NS', 'BS', 'BOOL', 'NULL', 'L', "
               "'M'");
    return k->status == CONDITION_FINE;
}

static bool check_existence(struct check *k, const struct node *function) {
    const struct node *operand = function->child;
    if (operand->kind == NODE_PATH)
        return true;
    REFUSE(k, operand, "%s takes an attribute's path%s", node_operator(function->kind),
           operand->kind == NODE_STRING ? " (its name bare or in backquotes, not in quotes)" : "");
    return false;
}

static bool check_size(struct check *k, const struct node *size) {
    const struct node *operand = size->child;
    if (operand->kind == NODE_SIZE) {
        REFUSE(k, operand, "%s", "size takes no size of something");
        return false;
    }
    return check_types(k, size, "SLM", "a string, a list or a map");
}

static bool check_node(struct check *k, const struct node *n) {
    switch (n->kind) {
    case NODE_NAME: return check_name(k, n);
    case NODE_PATH: return check_path(k, n);
    case NODE_NUMBER: return check_number(k, n);
    case NODE_EQUAL:
    case NODE_NOT_EQUAL:
    case NODE_IN:
    case NODE_CONTAINS: return check_operands(k, n);
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL: return check_operands(k, n) && check_types(k, n, "SN", "strings and numbers");
    case NODE_BETWEEN:
        return check_operands(k, n) && check_types(k, n, "SN", "strings and numbers") && check_bounds(k, n);
    case NODE_BEGINS_WITH: return check_operands(k, n) && check_types(k, n, "S", "strings");
    case NODE_ATTRIBUTE_TYPE: return check_operands(k, n) && check_type_argument(k, n);
    case NODE_ATTRIBUTE_EXISTS:
    case NODE_ATTRIBUTE_NOT_EXISTS: return check_existence(k, n);
    case NODE_SIZE: return check_operands(k, n) && check_size(k, n);
    default: return true;
    }
}

enum condition_status condition_check(struct condition *c, struct span text,
                                      const struct condition_environment *environment, struct failure *ret_failure) {
    struct check k = {.text = text, .environment = environment, .failure = ret_failure, .status = CONDITION_FINE};
    if (!resolve(&k, c))
        return k.status;
    for (size_t i = 0; i < c->node_count; i++) {
        if (!check_node(&k, &c->nodes[i]))
            return k.status;
    }
    return CONDITION_FINE;
}
