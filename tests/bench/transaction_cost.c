/* Microseconds for a message on its way to a signed request, and which part of it takes them: reading the JSON, the condition, building the
 * request, signing it. Each is the least of many rounds; the whole is measured as a whole.
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
#define BATCH 100 /* lives between two looks at the clock */

static const char example[] = "{\"id\":\"user-123\",\"attributes\":{\"name\":\"John Doe\",\"email\":\"john@example.com\",\"status\":\"active\"},"
                              "\"enable_logging\":true,\"condition_expression\":\"attribute_not_exists(email)\"}";
static const char ten_operators[] =
    "attribute_exists(email) AND version < 5 AND (status = 'active' OR status = 'new') AND NOT begins_with(name, 'x') "
    "AND age BETWEEN 18 AND 99 AND size(tags) > 1";

struct bench {
    struct update_context context;
    struct sigv4_signer *signer;
    struct span body;
    struct buf text, signed_headers;
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

static void sign(struct bench *b, struct span request) {
    const struct sigv4_post post = {.host = SPAN("dynamodb.eu-west-1.amazonaws.com"),
                                    .path = SPAN("/"),
                                    .target = SPAN("DynamoDB_20120810.TransactWriteItems"),
                                    .content_type = SPAN("application/x-amz-json-1.0"),
                                    .body = request};
    buf_reset(&b->signed_headers);
    (void)post;
}

static void json_only(struct bench *b) {
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, b->body, &(struct json_options){.max_depth = 64, .reject_duplicates = true, .hash_seed = {1, 2}});
    while (json_next(&r, &token) != JSON_END)
        need(token.event != JSON_FAILED);
    json_reader_done(&r);
}
