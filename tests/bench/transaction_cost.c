/* Microseconds for a message on its way to a signed request, and which part of it takes them: reading the JSON, the
 * condition, building the request, signing it. Each is the least of many rounds; the whole is measured as a whole.
 *
 * transaction_cost [ROUNDS] */
#include "condition.h"
#include "digest.h"
#include "json_reader.h"
#include "sigv4.h"
#include "update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WALL 1704677672343000LL
#define TEXT_MAX ((size_t)1 << 20)
#define BATCH 100 /* lives between two looks at the clock */

static const char example[] =
    "{\"id\":\"user-123\",\"attributes\":{\"name\":\"John Doe\",\"email\":\"john@example.com\",\"status\":\"active\"},"
    "\"enable_logging\":true,\"condition_expression\":\"attribute_not_exists(email)\"}";
static const char ten_operators[] =
    "version < 5 AND (status = 'active' OR status = 'new') AND NOT begins_with(name, 'x') AND age BETWEEN 18 AND 99";

struct bench {
    struct update_context context;
    struct sigv4_signer *signer;
    struct span body;
    struct buf text, names, values;
    const char *condition;
};

static void need(bool holds) {
    if (!holds)
        abort();
}

static double now_microseconds(void) {
    struct timespec t;
    need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct update *read_update(struct bench *b) {
    const struct delivery delivery = {.body = b->body, .message_id = SPAN("5fea7756-0ea4-451a-a703-a558b933e274")};
    struct update *u = update_read(&b->context, &delivery);
    need(u && u->failure.type == ERROR_NONE);
    return u;
}

static void read_only(struct bench *b) {
    update_free(read_update(b));
}

static void read_and_build(struct bench *b) {
    struct update *u = read_update(b);
    need(update_build(&b->context, u, WALL));
    update_free(u);
}

/* With the key of the day at hand, as it is in all requests but the first of a day. */
static void sign(struct bench *b, struct span request) {
    const struct sigv4_post post = {.date = "20240108T013432Z",
                                    .target = SPAN("DynamoDB_20120810.TransactWriteItems"),
                                    .access_key_id = SPAN("AKIAIOSFODNN7EXAMPLE"),
                                    .secret_access_key = SPAN("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                    .body = request};
    buf_reset(&b->text);
    need(sigv4_sign_post(b->signer, &post, &b->text));
}

static void whole(struct bench *b) {
    struct update *u = read_update(b);
    need(update_build(&b->context, u, WALL));
    sign(b, buf_span(&u->request));
    update_free(u);
}

static void json_only(struct bench *b) {
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, b->body,
                     &(struct json_options){.max_depth = 64, .reject_duplicates = true, .hash_seed = {1, 2}});
    while (json_next(&r, &token) != JSON_END)
        need(token.event != JSON_FAILED);
    json_reader_done(&r);
}

static bool append_nothing(void *ctx, int value, enum number_form form, struct buf *out) {
    (void)form;
    (void)ctx, (void)value, (void)out;
    return false;
}
static int find_no_name(void *ctx, struct span placeholder, struct span *ret_name) {
    (void)ctx, (void)placeholder, (void)ret_name;
    return -1;
}
static int find_no_value(void *ctx, struct span placeholder, char *ret_type) {
    (void)ctx, (void)placeholder, (void)ret_type;
    return -1;
}

/* Parsed, bound, and written in its canonical form for the hash: all that a condition costs. */
static void condition_only(struct bench *b) {
    const struct condition_environment environment = {find_no_name, find_no_value, append_nothing, NULL, false, NULL};
    struct condition *c = NULL;
    struct failure failure;
    failure_init(&failure);
    need(condition_parse(span_cstr(b->condition), &environment, &c, &failure) == CONDITION_FINE);
    struct placeholders placeholders = {.names = &b->names, .values = &b->values};
    buf_reset(&b->names);
    buf_reset(&b->values);
    buf_reset(&b->text);
    need(condition_bind(c, &environment, &placeholders, &b->text) &&
         condition_append_canonical(c, &environment, &b->text));
    condition_free(c);
    failure_free(&failure);
}

/* The least time of one life, in microseconds, over many rounds: what disturbs them only adds. */
static double least(struct bench *b, void (*life)(struct bench *), unsigned rounds) {
    double best = 1e18;
    for (unsigned round = 0; round < rounds; round++) {
        double begin = now_microseconds();
        for (unsigned i = 0; i < BATCH; i++)
            life(b);
        double took = (now_microseconds() - begin) / BATCH;
        best = took < best ? took : best;
    }
    return best;
}

static void measure(struct bench *b, const char *name, const char *body, const char *condition, unsigned rounds) {
    b->body = span_cstr(body);
    b->condition = condition;
    double all = least(b, whole, rounds), built = least(b, read_and_build, rounds), read = least(b, read_only, rounds);
    double json = least(b, json_only, rounds), conditions = least(b, condition_only, rounds);
    struct update *u = read_update(b);
    need(update_build(&b->context, u, WALL));
    (void)printf("%s: %zu bytes, request of %zu bytes: %.2f us\n", name, b->body.len, u->request.len, all);
    update_free(u);
    (void)printf("  JSON %.2f us (%.0f %%), the condition %.2f us (%.0f %%), the rest of reading and building %.2f us "
                 "(%.0f %%), "
                 "signing %.2f us (%.0f %%)\n",
                 json, 100 * json / all, conditions, 100 * conditions / all, built - json - conditions,
                 100 * (built - json - conditions) / all, all - built, 100 * (all - built) / all);
    (void)printf("  in order: reading and checking %.2f us, building %.2f us, signing %.2f us\n", read, built - read,
                 all - built);
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200;
    static const struct table_shape table = {.name = "users",
                                             .partition = {.name = "id", .type = KEY_STRING},
                                             .attribute_count = 1,
                                             .attributes = {{.name = "id", .type = KEY_STRING}}};
    struct bench b = {.context = {.table = &table,
                                  .audit_table = "audit_logs",
                                  .audit_table_exists = true,
                                  .audit = AUDIT_OFF,
                                  .user_agent = "table-updater/0.1.0",
                                  .digest = digest_new(),
                                  .hash_seed = {1, 2}}};
    need(b.context.digest != NULL);
    const struct sigv4_scope scope = {SPAN("eu-west-1"), SPAN("dynamodb")};
    b.signer = sigv4_signer_new(b.context.digest, &scope, SPAN("/"), SPAN("application/x-amz-json-1.0"),
                                SPAN("dynamodb.eu-west-1.amazonaws.com"));
    need(b.signer != NULL);
    buf_init(&b.text, TEXT_MAX);
    buf_init(&b.names, TEXT_MAX);
    buf_init(&b.values, TEXT_MAX);
    char longer[sizeof example + sizeof ten_operators];
    (void)snprintf(longer, sizeof longer, "%.*s%s\"}", (int)(sizeof example - sizeof "attribute_not_exists(email)\"}"),
                   example, ten_operators);
    measure(&b, "the example, audited", example, "attribute_not_exists(email)", rounds);
    measure(&b, "with a condition of ten operators", longer, ten_operators, rounds);
    buf_free(&b.text);
    buf_free(&b.names);
    buf_free(&b.values);
    sigv4_signer_free(b.signer);
    digest_free(b.context.digest);
    return EXIT_SUCCESS;
}
