/* A message's whole life, from SQS's answer over its transaction to the DLQ and back, once for every call in it that
 * can fail, with just that one failing. Each stage is either done as it is when nothing fails, byte for byte, or says
 * that it could not be; it can be tried again then and is done; and in the end nothing is held.
 *
 * message_life: exits with 1, saying where, if that does not hold. */
#include "dead_letter.h"
#include "digest.h"
#include "dynamodb_response.h"
#include "failing_calls.h"
#include "json_writer.h"
#include "sqs_response.h"
#include "update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL 1704677672343000LL
#define OUT_MAX ((size_t)1 << 20)

static const char *const bodies[] = {
    "{\"id\":\"user-123\",\"attributes\":{\"name\":\"John Doe\",\"email\":\"john@example.com\",\"status\":\"active\"},"
    "\"enable_logging\":true,\"condition_expression\":\"attribute_not_exists(email)\"}",
    "{\"id\":\"u\\n\\u00e9\",\"attributes\":{\"b\":[1,{\"z\":1,\"a\":{\"y\":null,\"x\":[]}}],\"a\\u0062\":1e5},"
    "\"idempotency_key\":\"k\\u0041\","
    "\"condition_expression\":\"#n = :v OR `q``` IN ('x', 1.50, :w) AND NOT size(a.b[0]) BETWEEN 1 AND 5\","
    "\"expression_attribute_names\":{\"#n\":\"q\\n\"},\"expression_attribute_values\":{\":v\":{\"b\":1,\"a\":[true]},"
    "\":w\":\"w\\n\"}}",
    "{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expression\":\"a = \"}",
    "{\"id\":\"a\",\"attributes\":{\"a\":1},\"condition_expression\":\"a = :undefined\"}",
    "{\"id\":\"a\",\"attributes\":{\"a\":1e999}}",
    "{\"id\":\"a\",\"unknown\":[{}],\"attributes\":null}",
    "{\"id\":\"a\",\"attributes\":{\"a\":1,\"\\u0061\":2}}",
    "no JSON \xc3\xa9",
};

static const char cancelled[] =
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"CancellationReasons\":["
    "{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The \\u0063onditional request "
    "failed\",\"Item\":{\"id\":{\"S\":\"a\"}}},"
    "{\"Code\":\"ConditionalCheckFailed\",\"Item\":{\"request_hash\":{\"S\":\"v1:\\u0061\"}}}]}";

/* What the stages make of one message. */
struct outcome {
    enum error_type verdict;
    struct buf request, letter, record, success;
};

struct life {
    const char *body;
    struct outcome expected;
    bool learns; /* the first time, nothing fails, and this is what is expected */
    uint64_t refusals; /* stages that said they could not */
};

static void stop(const struct life *l, const char *what) {
    (void)fprintf(stderr, "message_life: %s: %s\n", what, l->body);
    exit(EXIT_FAILURE);
}

static void require(const struct life *l, bool holds, const char *what) {
    if (!holds)
        stop(l, what);
}

/* A stage that could not be done was the one in which a call failed, and can be the next time. True: once more. */
static bool again(struct life *l, bool done) {
    if (done)
        return false;
    require(l, failing_calls_failed(), "a stage failed although no call did");
    l->refusals++;
    require(l, l->refusals < 1000000, "a stage fails again and again");
    return true;
}

static void compare(const struct life *l, struct buf *expected, struct span actual, const char *what) {
    if (l->learns) {
        buf_init(expected, OUT_MAX);
        require(l, buf_append_span(expected, actual), "no memory at all");
    }
    require(l, span_equal(buf_span(expected), actual), what);
}

/* The one message that an answer of SQS's holds. */
static struct sqs_message *receive(struct life *l, struct digest *digest, struct span answer) {
    struct sqs_messages messages = {.count = 0};
    enum decode_status status;
    do
        status = sqs_read_messages(answer, 1, digest, &messages);
    while (again(l, status == DECODE_FINE));
    require(l, messages.count == 1 && messages.corrupt == 0 && span_is(messages.message[0]->body, l->body),
            "another message was received");
    return messages.message[0];
}

static struct update *read_message(struct life *l, const struct update_context *ctx, const struct delivery *delivery) {
    struct update *u;
    do
        u = update_read(ctx, delivery);
    while (again(l, u != NULL));
    if (l->learns)
        l->expected.verdict = u->failure.type;
    require(l, u->failure.type == l->expected.verdict, "another verdict");
    return u;
}

static void run_transaction(struct life *l, const struct update_context *ctx, struct update *u) {
    struct buf success;
    bool done;
    do
        done = update_build(ctx, u, WALL);
    while (again(l, done));
    compare(l, &l->expected.request, buf_span(&u->request), "another request");
    do {
        buf_init(&success, OUT_MAX);
        done = update_append_success(u, WALL, &success);
        if (done)
            compare(l, &l->expected.success, buf_span(&success), "another response");
        buf_free(&success);
    } while (again(l, done));
    do
        failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
    while (again(l, failure_ok(&u->failure)));
}

static void run_dead_letter(struct life *l, const struct update_context *ctx, const struct update *u,
                            const struct delivery *delivery) {
    const struct delivery_facts facts = {.message_id = delivery->message_id,
                                         .queue = SPAN("updates"),
                                         .group_id = SPAN("g"),
                                         .receive_count = 5,
                                         .sent_at = WALL};
    struct dead_letter letter;
    bool done;
    do
        done = dead_letter_make(u, delivery, &facts, WALL, OUT_MAX, DEAD_LETTER_WRAPPED, &letter);
    while (again(l, done));
    compare(l, &l->expected.letter, buf_span(&letter.body), "another letter");
    const struct delivery back = {.body = buf_span(&letter.body), .message_id = SPAN("another")};
    struct update *redriven = read_message(l, ctx, &back);
    require(l, redriven->unwrapped && span_is(redriven->source.body, l->body), "another original");
    require(l, memcmp(redriven->log_id, u->log_id, sizeof u->log_id) == 0, "another key");
    update_free(redriven);
    dead_letter_free(&letter);
}

static void run_record(struct life *l, const struct update_context *ctx, const struct update *u) {
    bool done = !u->readable;
    while (!done) {
        struct buf record;
        buf_init(&record, OUT_MAX);
        done = update_append_failure_record(ctx, u, WALL, &record);
        if (done)
            compare(l, &l->expected.record, buf_span(&record), "another record");
        buf_free(&record);
        (void)again(l, done);
    }
}

static void read_answers(struct life *l) {
    static const char deleted[] =
        "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"1\",\"Code\":\"X\\u0041\",\"SenderFault\":true}]}";
    struct cancellation c;
    struct sqs_entry_result entries[2];
    enum decode_status status;
    do
        status = dynamodb_read_cancellation(span_cstr(cancelled), &c);
    while (again(l, status == DECODE_FINE));
    require(l, c.count == 2 && c.reasons[0].has_item && strcmp(c.reasons[1].request_hash, "v1:a") == 0,
            "other reasons");
    do
        status = sqs_read_batch(span_cstr(deleted), 2, entries);
    while (again(l, status == DECODE_FINE));
    require(l, entries[0].ok && !entries[1].ok, "other entries");
}

static void live(struct life *l, struct span answer) {
    static const struct table_shape table = {.name = "t",
                                             .partition = {.name = "id", .type = KEY_STRING},
                                             .attribute_count = 1,
                                             .attributes = {{.name = "id", .type = KEY_STRING}}};
    struct digest *digest;
    do
        digest = digest_new();
    while (again(l, digest != NULL));
    const struct update_context ctx = {.table = &table,
                                       .audit_table = "audit_logs",
                                       .audit_table_exists = true,
                                       .audit = AUDIT_ON,
                                       .audit_ttl_days = 30,
                                       .user_agent = "table-updater/0.0.0",
                                       .digest = digest,
                                       .hash_seed = {1, 2}};
    struct sqs_message *message = receive(l, digest, answer);
    const struct delivery delivery = {.body = message->body, .message_id = message->message_id};
    struct update *u = read_message(l, &ctx, &delivery);
    if (u->failure.type == ERROR_NONE)
        run_transaction(l, &ctx, u);
    read_answers(l);
    run_dead_letter(l, &ctx, u, &delivery);
    run_record(l, &ctx, u);
    update_free(u);
    sqs_message_free(message);
    digest_free(digest);
}

/* ReceiveMessage's answer with this body. */
static void append_answer(const char *body, struct buf *out) {
    struct digest *digest = digest_new();
    char md5[MD5_HEX_SIZE + 1];
    if (!digest || !digest_md5_hex(digest, span_cstr(body), md5))
        abort();
    buf_printf(
        out, "{\"Messages\":[{\"MessageId\":\"m\\u0031\",\"ReceiptHandle\":\"r\",\"MD5OfBody\":\"%s\",\"Body\":", md5);
    json_append_string(out, span_cstr(body));
    buf_append_cstr(out, ",\"Attributes\":{\"SentTimestamp\":\"1704677672343\",\"ApproximateReceiveCount\":\"5\"}}]}");
    digest_free(digest);
}

/* Every call of one message's life. */
static uint64_t run(const char *body) {
    struct life l = {.body = body, .learns = true};
    struct buf answer;
    uint64_t points = 0;
    buf_init(&answer, OUT_MAX);
    append_answer(body, &answer);
    live(&l, buf_span(&answer));
    l.learns = false;
    for (;;) {
        int64_t held = failing_calls_live();
        failing_calls_begin(points + 1);
        live(&l, buf_span(&answer));
        (void)failing_calls_end();
        require(&l, failing_calls_live() == held, "something is still held");
        if (!failing_calls_failed())
            break;
        points++;
    }
    buf_free(&answer);
    buf_free(&l.expected.request);
    buf_free(&l.expected.success);
    buf_free(&l.expected.letter);
    buf_free(&l.expected.record);
    return points;
}

int main(void) {
    uint64_t points = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++)
        points += run(bodies[i]);
    (void)printf("message_life: %zu messages, each of %llu calls failed in turn: all done, nothing held\n",
                 ARRAY_LENGTH(bodies), (unsigned long long)points);
    return EXIT_SUCCESS;
}
