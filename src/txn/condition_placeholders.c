/* Which names and which values of a condition share a placeholder. Equal ones do: so what is bound depends on what the
 * condition means, and a value that is used often is sent once. They are found by sorting, whose time stays bounded
 * though the producer chooses both. */
#include "condition_tree.h"

#include <stdlib.h>

/* Far above the DynamoDB JSON of what fits DynamoDB's 2 MB of substitutions. */
#define VALUES_MAX ((size_t)32 << 20)
/* Most conditions have no more nodes: they are numbered without an allocation. */
#define FEW_NODES 32
#define USUAL_VALUES_SIZE 512

struct entry {
    struct node *node;
    size_t offset; /* where its key begins in the values' text */
    struct span key;
};

static int order_of_nodes(const struct node *a, const struct node *b) {
    return (a > b) - (a < b);
}

static int by_key(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = span_compare(a->key, b->key);
    return order ? order : order_of_nodes(a->node, b->node);
}

static int by_environment_value(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int x = a->node->value, y = b->node->value;
    return x != y ? (x > y) - (x < y) : order_of_nodes(a->node, b->node);
}

/* Tells each entry's node the first one in the text that has the same key. */
static void find_same(struct entry *entries, size_t count) {
    if (count == 0)
        return;
    qsort(entries, count, sizeof *entries, by_key);
    const struct node *first = entries[0].node;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !span_equal(entries[i].key, entries[i - 1].key))
            first = entries[i].node;
        entries[i].node->same = first;
    }
}

static void find_same_names(struct condition *c, struct entry *entries) {
    size_t count = 0;
    for (size_t i = 0; i < c->node_count; i++) {
        if (c->nodes[i].kind == NODE_NAME)
            entries[count++] = (struct entry){.node = &c->nodes[i], .key = c->nodes[i].text};
    }
    find_same(entries, count);
}

/* Gives each value's entry its text in DynamoDB JSON, in texts; a :placeholder that is used often is written once. */
static bool write_values(struct entry *entries, size_t count, const struct condition_environment *environment,
                         struct buf *texts) {
    qsort(entries, count, sizeof *entries, by_environment_value);
    for (size_t i = 0; i < count; i++) {
        const struct node *n = entries[i].node;
        if (i > 0 && n->kind == NODE_VALUE && entries[i - 1].node->value == n->value) {
            entries[i].offset = entries[i - 1].offset;
            entries[i].key.len = entries[i - 1].key.len;
            continue;
        }
        entries[i].offset = texts->len;
        if (!condition_append_value(n, environment, NUMBERS_SHORT, texts))
            return false;
        entries[i].key.len = texts->len - entries[i].offset;
    }
    for (size_t i = 0; i < count; i++)
        entries[i].key.data = texts->data + entries[i].offset;
    return true;
}

static enum condition_status find_same_values(struct condition *c, struct entry *entries,
                                              const struct condition_environment *environment,
                                              struct failure *ret_failure) {
    size_t count = 0;
    for (size_t i = 0; i < c->node_count; i++) {
        if (node_is_value(&c->nodes[i]))
            entries[count++] = (struct entry){.node = &c->nodes[i]};
    }
    if (count == 0)
        return CONDITION_FINE;
    enum condition_status status = CONDITION_FINE;
    char usual[USUAL_VALUES_SIZE];
    struct buf texts;
    buf_init_lent(&texts, usual, sizeof usual, VALUES_MAX);
    if (write_values(entries, count, environment, &texts)) {
        find_same(entries, count);
    } else if (texts.failure == BUF_FULL) {
        failure_validation(ret_failure, CONDITION_FIELD, "its values are larger than the 2 MB that DynamoDB allows");
        status = CONDITION_REFUSED;
    } else {
        status = CONDITION_NO_MEMORY;
    }
    buf_free(&texts);
    return status;
}

enum condition_status condition_number_placeholders(struct condition *c,
                                                    const struct condition_environment *environment,
                                                    struct failure *ret_failure) {
    struct entry few[FEW_NODES];
    struct entry *entries = c->node_count <= FEW_NODES ? few : malloc(c->node_count * sizeof *entries);
    if (!entries)
        return CONDITION_NO_MEMORY;
    find_same_names(c, entries);
    enum condition_status status = find_same_values(c, entries, environment, ret_failure);
    if (entries != few)
        free(entries);
    unsigned names = 0, values = 0;
    for (size_t i = 0; i < c->node_count && status == CONDITION_FINE; i++) {
        struct node *n = &c->nodes[i];
        if (n->kind == NODE_NAME)
            n->ordinal = n->same == n ? names++ : n->same->ordinal;
        else if (node_is_value(n))
            n->ordinal = n->same == n ? values++ : n->same->ordinal;
    }
    return status;
}
