/* No condition weakens the guard attribute_exists(key).
 *
 * guard_conditions [COUNT [SEED]]: so many conditions that are taken, half of them made as trees, half of them damaged
 * texts, each through the reading of a message and the building of its request. The expression that comes out is judged
 * by an evaluator of its own: on items without the key attribute it is false; on the others it is what the tree says,
 * or the condition alone for a damaged one. No OR stands outside of parentheses, and the guard is the first operand. */
#include "condition_speller.h"
#include "digest.h"
#include "expression_judge.h"
#include "update.h"

#include <stdio.h>

#define ITEMS 3
#define TEXT_MAX ((size_t)1 << 20)
#define WALL 1704677672343000LL

struct tally {
    uint64_t trees, damaged, refused, not_built, true_on_items, judged;
};

struct bench {
    struct maker maker;
    struct pool pool;
    struct update_context context;
    struct buf body;
    struct tally tally;
};

/* {"names": …, "values": …, "expression": …} of the request's Update. */
struct bound {
    struct value *names, *values;
    struct span expression;
};

static void append_message(struct bench *b) {
    struct maker *m = &b->maker;
    buf_reset(&b->body);
    buf_append_cstr(&b->body, "{\"id\":\"x\",\"attributes\":{");
    for (size_t i = 0, count = 1 + pick(m, 40) * pick(m, 2); i < count; i++)
        buf_printf(&b->body, "%s\"x%zu\":%zu", i > 0 ? "," : "", i, i);
    buf_append_cstr(&b->body, "},\"condition_expression\":");
    json_append_string(&b->body, buf_span(&m->text));
    if (m->names.len > 0)
        buf_printf(&b->body, ",\"expression_attribute_names\":{%s}", m->names.data);
    if (m->values.len > 0)
        buf_printf(&b->body, ",\"expression_attribute_values\":{%s}", m->values.data);
    stop_unless(buf_append_char(&b->body, '}'));
}

static void read_names(struct json_reader *r, struct pool *p, struct value *names) {
    struct json_token token;
    stop_unless(json_next(r, &token) == JSON_OBJECT_BEGIN);
    while (json_next(r, &token) == JSON_NAME) {
        struct span placeholder = pool_text(p, token.raw);
        stop_unless(json_next(r, &token) == JSON_STRING);
        struct value *name = pool_value(p, 'S');
        name->text = pool_text(p, token.raw);
        value_add(names, placeholder, name);
    }
    stop_unless(token.event == JSON_OBJECT_END);
}

/* The first transaction item's expression and terms; duplicate placeholders end the process. */
static void read_request(struct span request, struct pool *p, struct bound *ret_bound) {
    struct json_reader r;
    struct json_token token;
    *ret_bound = (struct bound){.names = pool_value(p, 'M'), .values = pool_value(p, 'M')};
    json_reader_init(&r, request,
                     &(struct json_options){.max_depth = 64, .reject_duplicates = true, .hash_seed = {3, 4}});
    while (json_next(&r, &token) != JSON_END && !ret_bound->expression.data) {
        stop_unless(token.event != JSON_FAILED);
        if (token.event != JSON_NAME)
            continue;
        if (json_token_is(&token, "ExpressionAttributeNames")) {
            read_names(&r, p, ret_bound->names);
        } else if (json_token_is(&token, "ExpressionAttributeValues")) {
            stop_unless(json_next(&r, &token) == JSON_OBJECT_BEGIN);
            value_read_children(&r, p, ret_bound->values);
        } else if (json_token_is(&token, "ConditionExpression")) {
            stop_unless(json_next(&r, &token) == JSON_STRING);
            ret_bound->expression = pool_text(p, token.raw);
        }
    }
    json_reader_done(&r);
    stop_unless(ret_bound->expression.data != NULL);
}

/* The part behind the guard, which must be there in just this form. */
static struct span behind_guard(const struct bound *bound, struct pool *p) {
    struct judge j = {.rest = bound->expression, .names = bound->names, .values = bound->values, .pool = p};
    judge_expect(&j, "attribute_exists(");
    stop_unless(span_is(judge_name(&j), KEY_NAME));
    judge_expect(&j, ") AND ");
    return j.rest;
}

static void judge_items(struct bench *b, const struct bound *bound, const struct made *tree) {
    struct pool *p = &b->pool;
    struct span own = behind_guard(bound, p);
    unsigned ors;
    size_t values = p->value_count, containers = p->container_count;
    for (int i = 0; i < 2 * ITEMS; i++) {
        bool with_key = i < ITEMS;
        const struct value *item = make_item(&b->maker, with_key);
        bool outcome = judge_expression(bound->expression, bound->names, bound->values, item, p, &ors);
        stop_unless(ors == 0 && (with_key || !outcome));
        bool own_outcome = judge_expression(own, bound->names, bound->values, item, p, &ors);
        stop_unless(ors == 0 && (!with_key || outcome == own_outcome));
        stop_unless(!tree || made_value(tree, item, p) == own_outcome);
        b->tally.true_on_items += outcome;
        b->tally.judged++;
        p->value_count = values;
        p->container_count = containers;
    }
}

static void run_message(struct bench *b, const struct made *tree) {
    const struct delivery delivery = {.body = buf_span(&b->body), .message_id = SPAN("message")};
    struct update *u = update_read(&b->context, &delivery);
    stop_unless(u != NULL);
    if (u->failure.type != ERROR_NONE) {
        b->tally.refused++;
    } else if (!update_build(&b->context, u, WALL)) {
        stop_unless(u->failure.type == ERROR_VALIDATION); /* more than 4,096 bytes of expression */
        b->tally.not_built++;
    } else {
        struct bound bound;
        read_request(buf_span(&u->request), &b->pool, &bound);
        judge_items(b, &bound, tree);
        *(tree ? &b->tally.trees : &b->tally.damaged) += 1;
    }
    update_free(u);
}

static void run_case(struct bench *b, bool damaged) {
    struct maker *m = &b->maker;
    b->pool.value_count = b->pool.container_count = b->pool.byte_count = 0;
    m->node_count = 0;
    m->terms = 0;
    buf_reset(&m->text);
    buf_reset(&m->names);
    buf_reset(&m->values);
    const struct made *tree = make_condition(m, 0);
    spell(m, tree);
    for (size_t i = damaged ? 1 + pick(m, 3) : 0; i > 0; i--)
        damage(m);
    stop_unless(buf_ok(&m->text) && buf_ok(&m->names) && buf_ok(&m->values));
    append_message(b);
    run_message(b, damaged ? NULL : tree);
}

static void run(struct bench *b, uint64_t count) {
    while (b->tally.trees < count - count / 2)
        run_case(b, false);
    uint64_t refused_trees = b->tally.refused;
    while (b->tally.damaged < count / 2)
        run_case(b, true);
    (void)printf(
        "%llu conditions taken (%llu trees, %llu damaged texts), %llu trees and %llu texts refused, %llu too long\n",
        (unsigned long long)(b->tally.trees + b->tally.damaged), (unsigned long long)b->tally.trees,
        (unsigned long long)b->tally.damaged, (unsigned long long)refused_trees,
        (unsigned long long)(b->tally.refused - refused_trees), (unsigned long long)b->tally.not_built);
    (void)printf("%llu judgements, %llu of them true, none of those on an item without its key\n",
                 (unsigned long long)b->tally.judged, (unsigned long long)b->tally.true_on_items);
}

int main(int argc, char **argv) {
    static struct bench b;
    static const struct table_shape table = {.name = "t",
                                             .partition = {.name = KEY_NAME, .type = KEY_STRING},
                                             .attribute_count = 1,
                                             .attributes = {{.name = KEY_NAME, .type = KEY_STRING}}};
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
    b.context = (struct update_context){.table = &table,
                                        .audit_table = "audit_logs",
                                        .user_agent = "table-updater/0.0.0",
                                        .digest = digest_new(),
                                        .hash_seed = {1, 2}};
    stop_unless(b.context.digest != NULL);
    b.maker.pool = &b.pool;
    random_seed(&b.maker.random, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
    buf_init(&b.maker.text, TEXT_MAX);
    buf_init(&b.maker.names, TEXT_MAX);
    buf_init(&b.maker.values, TEXT_MAX);
    buf_init(&b.body, TEXT_MAX);
    run(&b, count);
    buf_free(&b.maker.text);
    buf_free(&b.maker.names);
    buf_free(&b.maker.values);
    buf_free(&b.body);
    digest_free(b.context.digest);
    return EXIT_SUCCESS;
}
