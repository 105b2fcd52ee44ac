#include "document_path.h"

#include "condition_parser.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(DOCUMENT_PATH_MAX == PATH_ELEMENTS_MAX, "a path of an update is one of a condition");

static struct node *read_whole(struct parser *p) {
    parser_advance(p);
    struct node *path = parse_path(p);
    if (path && p->token.kind != TOKEN_END)
        return parser_refuse_token(p, "'.', '[' or the end", "");
    return path;
}

static bool resolve(const struct node *name, const struct condition_environment *environment, struct span *ret_name) {
    *ret_name = name->text;
    return !name->placeholder || environment->find_name(environment->ctx, name->text, ret_name) >= 0;
}

static enum condition_status read_elements(const struct node *path, const struct condition_environment *environment,
                                           struct path_element ret_elements[static DOCUMENT_PATH_MAX],
                                           uint32_t *ret_count) {
    uint32_t count = 0;
    for (const struct node *element = path->child; element; element = element->next, count++) {
        ret_elements[count] = (struct path_element){.index = element->index};
        if (element->kind == NODE_NAME && !resolve(element, environment, &ret_elements[count].name))
            return CONDITION_REFUSED;
    }
    *ret_count = count;
    return CONDITION_FINE;
}

enum condition_status document_path_read(struct span text, const struct condition_environment *environment,
                                         struct arena *arena,
                                         struct path_element ret_elements[static DOCUMENT_PATH_MAX],
                                         uint32_t *ret_count, struct failure *ret_failure) {
    const size_t nodes = 1 + DOCUMENT_PATH_MAX; /* the path and its elements */
    struct condition *c = malloc(sizeof *c + nodes * sizeof c->nodes[0]);
    char *names = arena_alloc(arena, text.len + 1);
    enum condition_status status = CONDITION_NO_MEMORY;
    if (c && names) {
        *c = (struct condition){.node_capacity = nodes, .bytes = names};
        struct parser p = {.token = {.kind = TOKEN_END}, .condition = c, .failure = ret_failure, .of_path = true};
        lexer_init(&p.lexer, text, ret_failure);
        const struct node *path = read_whole(&p);
        status = path ? read_elements(path, environment, ret_elements, ret_count) : CONDITION_REFUSED;
    }
    free(c);
    return status;
}

int path_element_compare(const struct path_element *a, const struct path_element *b) {
    bool a_is_name = a->name.data, b_is_name = b->name.data;
    if (a_is_name != b_is_name)
        return a_is_name ? -1 : 1;
    return a_is_name ? span_compare(a->name, b->name) : (a->index > b->index) - (a->index < b->index);
}

int document_path_compare(const struct path_element *a, uint32_t a_count, const struct path_element *b,
                          uint32_t b_count) {
    for (uint32_t i = 0; i < a_count && i < b_count; i++) {
        int order = path_element_compare(&a[i], &b[i]);
        if (order != 0)
            return order;
    }
    return (a_count > b_count) - (a_count < b_count);
}

/* Whether it is a name as it stands: a word that is no keyword. */
static bool is_bare(struct span name) {
    char first = name.len > 0 ? name.data[0] : '\0';
    if (!((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_'))
        return false; /* nor anything that the lexer would refuse */
    struct lexer l;
    lexer_init(&l, name, NULL);
    struct token token = lexer_next(&l);
    return token.kind == TOKEN_BARE_NAME && token.text.len == name.len;
}

/* The text up to the next backquote, and that one with it. */
static struct span until_quote(struct span rest) {
    const char *quote = memchr(rest.data, '`', rest.len);
    return span_of(rest.data, quote ? (size_t)(quote - rest.data) + 1 : rest.len);
}

size_t document_name_size(struct span name) {
    if (is_bare(name))
        return name.len;
    size_t size = name.len + 2;
    for (size_t i = 0; i < name.len; i++)
        size += name.data[i] == '`';
    return size;
}

static void append_name(struct span name, struct buf *out) {
    if (is_bare(name)) {
        buf_append_span(out, name);
        return;
    }
    buf_append_char(out, '`');
    while (name.len > 0) {
        struct span run = until_quote(name);
        buf_append_span(out, run);
        if (run.data[run.len - 1] == '`')
            buf_append_char(out, '`');
        name = span_of(name.data + run.len, name.len - run.len);
    }
    buf_append_char(out, '`');
}

bool document_path_append(const struct path_element *elements, uint32_t count, struct buf *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (!elements[i].name.data) {
            buf_printf(out, "[%u]", elements[i].index);
            continue;
        }
        if (i > 0)
            buf_append_char(out, '.');
        append_name(elements[i].name, out);
    }
    return buf_ok(out);
}
