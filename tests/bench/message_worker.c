#include "message_worker.h"

#include "client.h"
#include "digest.h"
#include "heap_count.h"
#include "json_reader.h"
#include "json_writer.h"
#include "queue_worker.h"
#include "sink_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL 1704677672343000LL
#define ANSWER_MAX ((size_t)64 << 20)
/* As http_exchange.c takes what it has read, and what it takes in one piece where more is announced. */
#define PIECE ((size_t)32 << 10)
#define FIRST_PIECE ((size_t)256 << 10)

struct http_transfer {
    bool open;
    http_done *done;
    void *user;
    char operation[64];
};

/* SQS with one message, DynamoDB without a record, and the worker between them, in virtual time. */
struct play {
    int64_t now;
    struct timers timers;
    struct random random;
    struct log log;
    struct clock clock;
    struct credentials_provider credentials;
    struct buf message; /* ReceiveMessage's answer */
    struct http_transfer transfers[64];
    bool given, transacted, deleted;
    struct digest *digest;
    char sent_answer[160]; /* to the last SendMessageBatch */
    struct aws_client *clients[2];
    struct sqs *sqs;
    struct dynamodb *dynamodb;
    struct sqs_api sqs_api;
    struct dynamodb_api dynamodb_api;
    struct metrics metrics;
    struct platform platform;
    struct discovery_facts facts;
};

static int64_t now(void *ctx) {
    return ((struct play *)ctx)->now;
}

static int64_t wall(void *ctx) {
    return ((struct play *)ctx)->now + WALL;
}

static void drop_line(void *ctx, struct span line) {
    (void)ctx, (void)line;
}

/* Acknowledges the one letter of a batch by the MD5 of its body, which is decoded without memory of the heap: that is
 * what is measured. */
static void acknowledge(struct play *p, struct span request) {
    static char room[(size_t)4 << 20];
    struct buf text = {.data = room, .capacity = sizeof room, .max = sizeof room - 1};
    char md5[MD5_HEX_SIZE + 1] = "";
    struct span raw;
    if (!scan_text(&request, SPAN("\"MessageBody\""), &raw) || !json_unescape(raw, &text) ||
        (digest_has_md5(p->digest) && !digest_md5_hex(p->digest, buf_span(&text), md5)))
        abort();
    (void)snprintf(p->sent_answer, sizeof p->sent_answer,
                   "{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"dead\",\"MD5OfMessageBody\":\"%s\"}],\"Failed\":[]}",
                   md5);
}

static struct http_transfer *start(void *ctx, const struct http_request *request, http_done *done, void *user) {
    struct play *p = ctx;
    struct http_transfer *t = p->transfers;
    while (t->open)
        if (++t == p->transfers + ARRAY_LENGTH(p->transfers))
            abort();
    *t = (struct http_transfer){.open = true, .done = done, .user = user};
    for (size_t i = 0; i < request->header_count; i++)
        if (strncmp(request->headers[i], "X-Amz-Target:", strlen("X-Amz-Target:")) == 0)
            (void)snprintf(t->operation, sizeof t->operation, "%s", strrchr(request->headers[i], '.') + 1);
    if (strcmp(t->operation, "SendMessageBatch") == 0)
        acknowledge(p, request->body);
    return t;
}

static void cancel(void *ctx, struct http_transfer *t) {
    (void)ctx;
    if (t)
        t->open = false;
}

static void get_credentials(void *impl, struct credentials_wait *wait) {
    (void)impl;
    const struct credentials credentials = {
        .access_key_id = SPAN("AKID"), .secret_access_key = SPAN("secret"), .expires = NEVER};
    wait->ready(wait->user, &credentials, NULL);
}

static void never_waits(void *impl, struct credentials_wait *wait) {
    (void)impl, (void)wait;
}

static void never_refused(void *impl, struct span access_key_id) {
    (void)impl, (void)access_key_id;
}

/* The answer to an operation; absent: it stays open. */
static struct span answer_to(struct play *p, const char *operation, int *ret_status) {
    static const char cancelled[] =
        "{\"__type\":\"TransactionCanceledException\",\"Message\":\"\",\"CancellationReasons\":"
        "[{\"Code\":\"ConditionalCheckFailed\"},{\"Code\":\"None\"}]}";
    static const char done[] = "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[]}";
    *ret_status = 200;
    if (strcmp(operation, "ReceiveMessage") == 0) {
        bool first = !p->given;
        p->given = true;
        return first ? buf_span(&p->message) : (struct span){NULL, 0};
    }
    if (strcmp(operation, "TransactWriteItems") == 0) {
        p->transacted = true;
        *ret_status = 400;
        return span_cstr(cancelled);
    }
    if (strcmp(operation, "SendMessageBatch") == 0)
        return span_cstr(p->sent_answer);
    if (strcmp(operation, "DeleteMessageBatch") == 0)
        p->deleted = true;
    return strstr(operation, "Batch") ? span_cstr(done) : SPAN("{}");
}

/* Into storage that grows as HTTP's does. */
static void take(struct buf *storage, struct span text) {
    buf_init(storage, ANSWER_MAX);
    if (text.len > PIECE && !buf_reserve(storage, text.len < FIRST_PIECE ? text.len : FIRST_PIECE))
        abort();
    for (size_t at = 0; at < text.len; at += PIECE)
        if (!buf_append(storage, text.data + at, text.len - at < PIECE ? text.len - at : PIECE))
            abort();
}

/* Answers one request. False: none is open but for receives that wait. */
static bool answer_one(struct play *p) {
    for (size_t i = 0; i < ARRAY_LENGTH(p->transfers); i++) {
        struct http_transfer *t = &p->transfers[i];
        int status;
        struct span text = t->open ? answer_to(p, t->operation, &status) : (struct span){NULL, 0};
        if (!text.data)
            continue;
        struct buf storage;
        take(&storage, text);
        const struct http_response response = {
            .status = status, .answered = p->now, .body = buf_span(&storage), .storage = &storage, .message = ""};
        t->open = false;
        t->done(t->user, &response);
        buf_free(&storage);
        return true;
    }
    return false;
}

static void run(struct play *p) {
    while (!p->deleted || answer_one(p)) {
        if (answer_one(p))
            continue;
        if (timers_next(&p->timers) > p->now)
            p->now = timers_next(&p->timers);
        if (p->now > 600 * MICROSECONDS) /* it should have been done with long ago */
            abort();
        (void)timers_run(&p->timers, p->now);
    }
}

static void write_message(struct play *p, struct digest *digest, struct span body) {
    char md5[MD5_HEX_SIZE + 1] = "";
    if (digest_has_md5(digest) && !digest_md5_hex(digest, body, md5))
        abort();
    buf_init(&p->message, ANSWER_MAX);
    buf_printf(&p->message,
               "{\"Messages\":[{\"MessageId\":\"message-id\",\"ReceiptHandle\":\"handle\",\"MD5OfBody\":\"%s\","
               "\"Attributes\":{\"ApproximateReceiveCount\":\"1\",\"SentTimestamp\":\"1704677672343\"},\"Body\":",
               md5);
    json_append_string(&p->message, body);
    if (!buf_append_cstr(&p->message, "}]}"))
        abort();
}

static struct aws_client *client_new(struct play *p, struct digest *digest, const char *name, const char *prefix) {
    struct aws_client *client = aws_client_new(&(struct aws_client_options){.endpoint = "http://127.0.0.1",
                                                                            .region = "eu-west-1",
                                                                            .signing_name = name,
                                                                            .target_prefix = prefix,
                                                                            .credentials = &p->credentials,
                                                                            .http = {p, start, cancel},
                                                                            .clock = p->clock,
                                                                            .timers = &p->timers,
                                                                            .random = &p->random,
                                                                            .log = &p->log,
                                                                            .digest = digest});
    if (!client)
        abort();
    return client;
}

static void set_up(struct play *p, const struct update_context *ctx, struct span body) {
    *p = (struct play){.now = MICROSECONDS, .clock = {now, wall, p}};
    p->digest = ctx->digest;
    random_seed(&p->random, 1);
    p->log = (struct log){.fd = -1, .level = LOG_LEVEL_WARNING, .clock = p->clock, .sink = drop_line};
    p->credentials =
        (struct credentials_provider){.get = get_credentials, .cancel = never_waits, .invalidate = never_refused};
    write_message(p, ctx->digest, body);
    p->clients[0] = client_new(p, ctx->digest, "sqs", "AmazonSQS.");
    p->clients[1] = client_new(p, ctx->digest, "dynamodb", "DynamoDB_20120810.");
    p->sqs = sqs_new(p->clients[0], ctx->digest);
    p->dynamodb = dynamodb_new(p->clients[1]);
    if (!p->sqs || !p->dynamodb)
        abort();
    p->sqs_api = sqs_api(p->sqs);
    p->dynamodb_api = dynamodb_api(p->dynamodb);
    p->platform = (struct platform){.sqs = &p->sqs_api,
                                    .dynamodb = &p->dynamodb_api,
                                    .clock = &p->clock,
                                    .timers = &p->timers,
                                    .random = &p->random,
                                    .log = &p->log,
                                    .metrics = &p->metrics};
    const struct queue_facts queue = {
        .url = "q", .name = "q", .attributes = {.visibility_timeout = 30, .max_message_size = BODY_MAX}};
    p->facts = (struct discovery_facts){
        .table = *ctx->table, .audit_table_exists = true, .queue = queue, .dlq = queue, .visibility = 30};
}

static void tear_down(struct play *p) {
    sqs_free(p->sqs);
    dynamodb_free(p->dynamodb);
    for (size_t i = 0; i < ARRAY_LENGTH(p->clients); i++)
        aws_client_free(p->clients[i]);
    buf_free(&p->message);
}

static void never_ends(void *user, struct outcome outcome) {
    (void)user, (void)outcome;
    abort();
}

double message_share(const struct update_context *ctx, struct span body, bool *ret_failed) {
    static struct play play; /* large */
    struct play *p = &play;
    set_up(p, ctx, body);
    const struct queue_worker_options options = {.max_in_flight = 1, .max_attempts = 5, .shutdown_timeout = 25};
    struct queue_worker *worker = queue_worker_start(&p->platform, &options, &p->facts, ctx, never_ends, NULL);
    if (!worker)
        abort();
    heap_count_begin(); /* what the worker holds without any message is no message's */
    run(p);
    if (queue_worker_status(worker).dead_lettered != 1)
        abort();
    *ret_failed = !p->transacted;
    queue_worker_free(worker);
    tear_down(p);
    return (double)heap_count_peak() / (double)body.len;
}
