/* Memory for messages of 1 MiB that are mixed to cost the most: an audited attribute filled with two kinds of values up
 * to the sizes that the message and the items may have, and a condition's value filled with a third.
 *
 * For each kind of value, what it takes of the message and of the item decides how many of it fit; the program tries
 * every pair with every third, each plain and come back from the DLQ, and prints the worst. Ends with 1 where one takes
 * more than SHARE_MAX times its size. hostile_mixtures          all pairs: minutes hostile_mixtures worst    the kinds
 * that are known to be the worst */
#include "digest.h"
#include "message_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_ROOM 409000 /* of an audit record's 400 KiB, without its other attributes */
#define TERMS_MAX 2097000 /* normal text that a condition's values may have */
#define SHOWN 6

struct kind {
    const char *text; /* %zu: a number that makes it unlike the others */
    unsigned item; /* bytes that DynamoDB counts for it in a list (or map) */
    unsigned normal; /* of its DynamoDB JSON, with a comma */
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

/* Storage for one. */
struct bodies {
    struct buf message, body; /* the latter as it comes */
};

struct mixture {
    enum message_form form;
    const struct kind *kinds[3]; /* of the attribute, and of the condition's value; NULL: none */
    size_t counts[3];
    double share;
    bool failed; /* it got no transaction */
};

static size_t length_of(enum message_form form, const struct kind *kind) {
    return message_room(form, kind->text) + 1;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Counts of both that fill the message's room and the item's; where they can't do both, as many of the first as go into
 * either. */
static void fill(struct mixture *m, size_t room) {
    const struct kind *a = m->kinds[0], *b = m->kinds[1];
    size_t length = length_of(m->form, a);
    double ta = (double)length, tb = (double)length_of(m->form, b), sa = a->item, sb = b->item;
    double determinant = ta * sb - tb * sa;
    double x = ((double)room * sb - tb * ITEM_ROOM) / determinant,
           y = (ta * ITEM_ROOM - sa * (double)room) / determinant;
    bool both = a != b && x >= 0 && y >= 0;
    m->counts[0] = both ? (size_t)x : least(room / length, ITEM_ROOM / a->item);
    m->counts[1] = both ? (size_t)y : 0;
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

static void append_message(const struct mixture *m, struct buf *message) {
    buf_append_cstr(message, "{\"id\":\"k");
    buf_append_cstr(message, message_mark(m->form));
    buf_append_cstr(message, "\",\"enable_logging\":true,\"attributes\":{\"x\":");
    append_list(message, m, 0, 2);
    buf_append_cstr(message, "}");
    if (m->kinds[2]) {
        buf_append_cstr(message, ",\"condition_expression\":\"x=:v");
        for (int i = 0; i < 140; i++)
            buf_append_cstr(message, " OR a = :v");
        buf_append_cstr(message, "\",\"expression_attribute_values\":{\":v\":");
        append_list(message, m, 2, 3);
        buf_append_cstr(message, "}");
    }
    buf_append_cstr(message, "}");
}

/* The message as it comes, with blanks behind it up to the greatest size. */
static void make_body(const struct mixture *m, struct bodies *b) {
    buf_reset(&b->message);
    buf_reset(&b->body);
    append_message(m, &b->message);
    message_append(m->form, buf_span(&b->message), &b->body);
    while (b->body.len < BODY_MAX)
        buf_append_char(&b->body, ' ');
    if (!buf_ok(&b->message) || !buf_ok(&b->body) || b->body.len != BODY_MAX)
        abort();
}

static void print(const struct mixture *m) {
    static const char *const forms[] = {
        [FORM_PLAIN] = "", [FORM_WRAPPED] = "wrapped: ", [FORM_REFUSED] = "wrapped, with U+FFFE: "};
    (void)printf("%6.2f x %-8s%s", m->share, m->failed ? "refused" : "built", forms[m->form]);
    for (int i = 0; i < 3; i++)
        if (m->kinds[i] && m->counts[i] > 0)
            (void)printf("%s%zu of %s",
                         i == 2   ? "; in the condition "
                         : i == 0 ? ""
                                  : ", ",
                         m->counts[i], m->kinds[i]->text);
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

static void try_mixture(const struct update_context *ctx, struct mixture m, struct bodies *b) {
    size_t room = BODY_MAX - 4096;
    if (m.kinds[2]) {
        size_t length = length_of(m.form, m.kinds[2]);
        m.counts[2] = least(TERMS_MAX / m.kinds[2]->normal, room / length);
        room -= m.counts[2] * length;
    }
    fill(&m, room);
    make_body(&m, b);
    m.share = message_share(ctx, buf_span(&b->body), &m.failed);
    keep(m);
}

static void try_all(const struct update_context *ctx, enum message_form form, size_t count, struct bodies *b) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = i; k < count; k++)
            for (size_t third = 0; third < ARRAY_LENGTH(thirds); third++)
                try_mixture(ctx, (struct mixture){.form = form, .kinds = {&kinds[i], &kinds[k], thirds[third]}}, b);
}

int main(int argc, char **argv) {
    size_t count = argc > 1 && strcmp(argv[1], "worst") == 0 ? WORST : ARRAY_LENGTH(kinds);
    struct update_context ctx;
    if (!message_context(&ctx))
        return EXIT_FAILURE;
    struct bodies b;
    buf_init(&b.message, 2 * BODY_MAX);
    buf_init(&b.body, 2 * BODY_MAX);
    for (enum message_form form = 0; form < FORM_COUNT; form++)
        try_all(&ctx, form, count, &b);
    for (size_t i = 0; i < SHOWN; i++)
        print(&worst[i]);
    buf_free(&b.message);
    buf_free(&b.body);
    digest_free(ctx.digest);
    return worst[0].share <= SHARE_MAX ? EXIT_SUCCESS : EXIT_FAILURE;
}
