/* Memory for messages of 1 MiB that are mixed to cost the most: an audited attribute filled with two kinds of values up to the sizes that the
 * message and the items may have, and a condition's value filled with a third.
 *
 * For each kind of value, what it takes of the message and of the item decides how many of it fit; the program tries every pair with every
 * third and prints the worst. Ends with 1 where one takes more than SHARE_MAX times its size.
 *   hostile_mixtures          all pairs: minutes
 *   hostile_mixtures worst    the kinds that are known to be the worst */
#include "digest.h"
#include "message_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_ROOM 409000    /* of an audit record's 400 KiB, without its other attributes */
#define TERMS_MAX 2097000   /* normal text that a condition's values may have */
#define SHOWN 6

struct kind {
    const char *text; /* %zu: a number that makes it unlike the others */
    unsigned item;    /* bytes that DynamoDB counts for it in a list (or map) */
    unsigned normal;  /* of its DynamoDB JSON, with a comma */
};

/* Values of a list. The first WORST are of those that cost the most. */
#define WORST 3
static const struct kind kinds[] = {
    {"\"\"", 1, 9},
    {"0", 2, 10},
    {"1e37", 3, 47},
    {"[0]", 6, 18},
    {"7", 3, 10},
    {"-7", 4, 11},
    {"1e9", 3, 19},
    {"1e-6", 3, 17},
    {"-1E37", 4, 48},
    {"1e38", 3, 14},
    {"1e-99", 3, 15},
    {"12345678901234567890123456789012345678", 21, 47},
    {"null", 2, 14},
    {"true", 2, 14},
    {"[]", 4, 9},
    {"{}", 4, 9},
    {"[\"\"]", 5, 17},
    {"[[]]", 8, 17},
    {"[[[[[[[]]]]]]]", 28, 57},
    {"[[],\"\"]", 9, 26},
    {"[[],0]", 10, 27},
    {"{\"a\":0}", 7, 22},
    {"{\"a\":\"\"}", 6, 21},
    {"{\"a\":[]}", 9, 21},
    {"{\"a\":\"\",\"b\":\"\"}", 8, 34},
    {"{\"a\":{\"b\":{\"c\":\"\"}}}", 16, 45},
    {"{\"a\":1e37}", 8, 59},
    {"\"a\"", 2, 10},
    {"\"\\n\"", 2, 11},
    {"\"\\u0001\"", 2, 15},
    {"{\"\\u0001\":\"\"}", 6, 26},
    {"\"\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\"", 9, 57},
    {"\"\\b\\t\\b\\t\\b\\t\\b\\t\\b\\t\\b\\t\\b\\t\\b\\t\"", 17, 41},
};

/* What the condition's value is filled with: the kinds that grow the most. */
static const struct kind *const thirds[] = {NULL, &kinds[0], &kinds[1], &kinds[2]};

struct mixture {
    const struct kind *kinds[3]; /* of the attribute, and of the condition's value; NULL: none */
    size_t counts[3];
    double share;
};

static size_t length_of(const struct kind *kind) {
    return strlen(kind->text) + 1;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* How many of both fill the message's room and the item's; where they can't do both, as many of the first as go into either. */
static void fill(const struct kind *a, const struct kind *b, size_t room, size_t *ret_a, size_t *ret_b) {
    double ta = (double)length_of(a), tb = (double)length_of(b), sa = a->item, sb = b->item;
    double determinant = ta * sb - tb * sa;
    double x = ((double)room * sb - tb * ITEM_ROOM) / determinant, y = (ta * ITEM_ROOM - sa * (double)room) / determinant;
    bool both = a != b && x >= 0 && y >= 0;
    *ret_a = both ? (size_t)x : least(room / length_of(a), ITEM_ROOM / a->item);
    *ret_b = both ? (size_t)y : 0;
}

static void append_list(struct buf *body, const struct mixture *m, size_t from, size_t to) {
    const char *before = "[";
    for (size_t k = from; k < to; k++)
        for (size_t i = 0; m->kinds[k] && i < m->counts[k]; i++) {
            buf_append_cstr(body, before);
            buf_append_cstr(body, m->kinds[k]->text);
            before = ",";
        }
    buf_append_cstr(body, before[0] == '[' ? "[]" : "]");
}

static void make_body(const struct mixture *m, struct buf *body) {
    buf_reset(body);
    buf_append_cstr(body, "{\"id\":\"k\",\"enable_logging\":true,\"attributes\":{\"x\":");
    append_list(body, m, 0, 2);
    buf_append_cstr(body, "}");
    if (m->kinds[2]) {
        buf_append_cstr(body, ",\"condition_expression\":\"x=:v");
        for (int i = 0; i < 140; i++)
            buf_append_cstr(body, " OR a = :v");
        buf_append_cstr(body, "\",\"expression_attribute_values\":{\":v\":");
        append_list(body, m, 2, 3);
        buf_append_cstr(body, "}");
    }
    while (body->len + 1 < BODY_MAX)
        buf_append_char(body, ' ');
    buf_append_cstr(body, "}");
    if (!buf_ok(body))
        abort();
}

static void print(const struct mixture *m, bool failed) {
    (void)printf("%6.2f x %-8s", m->share, failed ? "refused" : "built");
    for (int i = 0; i < 3; i++)
        if (m->kinds[i] && m->counts[i] > 0)
            (void)printf("%s%zu of %s", i == 2 ? "; in the condition " : i == 0 ? "" : ", ", m->counts[i], m->kinds[i]->text);
    (void)printf("\n");
}

static struct mixture worst[SHOWN];

static void keep(struct mixture m) {
    for (size_t i = 0; i < SHOWN; i++)
        if (m.share > worst[i].share) {
            struct mixture next = worst[i];
            worst[i] = m;
            m = next;
        }
}

static void try_mixture(const struct update_context *ctx, const struct kind *a, const struct kind *b, const struct kind *c, struct buf *body) {
    struct mixture m = {.kinds = {a, b, c}};
    size_t room = BODY_MAX - 4096;
    if (c) {
        m.counts[2] = least(TERMS_MAX / c->normal, room / length_of(c));
        room -= m.counts[2] * length_of(c);
    }
    fill(a, b, room, &m.counts[0], &m.counts[1]);
    make_body(&m, body);
    struct delivery delivery = {.body = buf_span(body), .message_id = SPAN("message-id")};
    bool failed;
    m.share = message_share(ctx, &delivery, &failed);
    keep(m);
}

int main(int argc, char **argv) {
    size_t count = argc > 1 && strcmp(argv[1], "worst") == 0 ? WORST : ARRAY_LENGTH(kinds);
    struct update_context ctx;
    if (!message_context(&ctx))
        return EXIT_FAILURE;
    struct buf body;
    buf_init(&body, 2 * BODY_MAX);
    for (size_t a = 0; a < count; a++)
        for (size_t b = a; b < count; b++)
            for (size_t c = 0; c < ARRAY_LENGTH(thirds); c++)
                try_mixture(&ctx, &kinds[a], &kinds[b], thirds[c], &body);
    for (size_t i = 0; i < SHOWN; i++) {
        struct delivery delivery = {.message_id = SPAN("message-id")};
        bool failed;
        make_body(&worst[i], &body);
        delivery.body = buf_span(&body);
        (void)message_share(&ctx, &delivery, &failed);
        print(&worst[i], failed);
    }
    buf_free(&body);
    digest_free(ctx.digest);
    return worst[0].share <= SHARE_MAX ? EXIT_SUCCESS : EXIT_FAILURE;
}
