#include "dynamodb.h"

#include "buf.h"
#include "client.h"
#include "clock.h"
#include "dynamodb_response.h"
#include "table_request.h"
#include "decode_result.h"

#include <stdio.h>
#include <stdlib.h>

/* Two items of 400 KB as they were before (ALL_OLD), in typed JSON, which can take seven times as much. */
#define RESPONSE_MAX ((size_t)8 * 1024 * 1024)
#define REQUEST_MAX ((size_t)16 * 1024)
/* An answer that is slow but moves isn't given up at once; but nothing may last for ever. */
#define ATTEMPT_SILENCE (10 * MICROSECONDS)
#define ATTEMPT_TIMEOUT (60 * MICROSECONDS)

#define SPARE_TRANSACTS_MAX 512

struct dynamodb {
    struct aws_client *client;
    struct transact *spare; /* for reuse: each transaction needs one */
    size_t spare_count;
    struct cancellation
        cancellation; /* of the answer that is being handled: nothing else happens between its decoding and done */
};

static struct call *start(struct dynamodb *d, struct aws_operation *operation, const struct call_options *options,
                          aws_call_done *done, void *user) {
    operation->max_response = RESPONSE_MAX;
    operation->attempt_timeout = ATTEMPT_TIMEOUT;
    operation->attempt_silence = ATTEMPT_SILENCE;
    operation->forgets_body = true;
    struct call *call = aws_call(d->client, operation, options, done, user);
    if (!call) {
        operation->release(user);
    }
    return call;
}

struct transact {
    struct dynamodb *dynamodb;
    struct transact *next; /* among the spare ones */
    transact_done *done;
    void *user;
};

static struct transact *transact_take(struct dynamodb *d) {
    struct transact *t = d->spare;
    if (t) {
        d->spare = t->next;
        d->spare_count--;
    } else {
        t = malloc(sizeof *t);
    }
    return t;
}

static void transact_release(void *user) {
    struct transact *t = user;
    struct dynamodb *d = t->dynamodb;
    if (d->spare_count == SPARE_TRANSACTS_MAX) {
        free(t);
        return;
    }
    t->next = d->spare;
    d->spare = t;
    d->spare_count++;
}

#define CANCELLED "TransactionCanceledException"

static bool is_cancelled(const struct call_result *result) {
    return result->from_service && strcmp(result->code, CANCELLED) == 0;
}

static void decode_transact(void *user, struct span body, struct call_result *result) {
    const struct transact *t = user;
    struct cancellation *cancellation = &t->dynamodb->cancellation;
    cancellation->count = 0;
    if (result->class == CALL_OK) {
        decode_result(dynamodb_read_committed(body), "it is not the empty object that a commit is answered with",
                      result);
        return;
    }
    if (!is_cancelled(result)) {
        return;
    }
    enum decode_status status = dynamodb_read_cancellation(body, cancellation);
    if (status == DECODE_FINE) {
        result->class = dynamodb_cancellation_class(cancellation);
        return;
    }
    decode_result(status, "it calls the transaction cancelled, but has no reasons that can be read", result);
    (void)snprintf(result->code, sizeof result->code, CANCELLED);
}

static void transact_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct transact *t = user;
    const struct cancellation *cancellation = &t->dynamodb->cancellation;
    struct transact_result r;
    call_result_copy(&r.call, result);
    r.reason_count = is_cancelled(result) ? cancellation->count : 0; /* else they belong to another answer */
    memcpy(r.reasons, cancellation->reasons, r.reason_count * sizeof *r.reasons);
    t->done(t->user, &r);
}

static struct call *transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                             void *user) {
    struct transact *t = transact_take(ctx);
    if (!t) {
        return NULL;
    }
    t->dynamodb = ctx;
    t->done = done;
    t->user = user;
    struct aws_operation operation = {
        .name = "TransactWriteItems", .body = body, .decode = decode_transact, .release = transact_release};
    return start(ctx, &operation, options, transact_answered, t);
}

struct get_item {
    get_item_done *done;
    void *user;
    bool found;
    char hash[REQUEST_HASH_TEXT_SIZE];
    char log_id[LOG_ID_TEXT_SIZE]; /* of the item asked for */
};

static void decode_get_item(void *user, struct span body, struct call_result *result) {
    struct get_item *g = user;
    g->found = false;
    g->hash[0] = '\0';
    if (result->class == CALL_OK) {
        decode_result(dynamodb_read_item(body, g->log_id, &g->found, g->hash),
                      "it has no Item with the key that was asked for, and isn't empty", result);
    }
}

static void get_item_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct get_item *g = user;
    g->done(g->user, result, g->found, g->hash[0] ? g->hash : NULL);
}

static struct call *get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                             void *user) {
    struct get_item *g = calloc(1, sizeof *g);
    if (!g) {
        return NULL;
    }
    g->done = done;
    g->user = user;
    if (dynamodb_read_asked(body, g->log_id) != DECODE_FINE) {
        free(g);
        return NULL;
    }
    struct aws_operation operation = {.name = "GetItem", .body = body, .decode = decode_get_item, .release = free};
    return start(ctx, &operation, options, get_item_answered, g);
}

struct put_item {
    call_done *done;
    void *user;
};

static void decode_put_item(void *user, struct span body, struct call_result *result) {
    (void)user;
    if (result->class == CALL_OK) {
        decode_result(dynamodb_read_put(body), "it is not the object that a PutItem is answered with", result);
    }
}

static void put_item_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct put_item *p = user;
    p->done(p->user, result);
}

static struct call *put_item(void *ctx, struct span body, const struct call_options *options, call_done *done,
                             void *user) {
    struct put_item *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    p->done = done;
    p->user = user;
    struct aws_operation operation = {.name = "PutItem", .body = body, .decode = decode_put_item, .release = free};
    return start(ctx, &operation, options, put_item_answered, p);
}

struct describe_table {
    describe_table_done *done;
    void *user;
    struct buf request;
    bool active;
    struct table_shape shape; /* its name is the one asked for; last: most of its room is never touched */
};

static void describe_table_release(void *user) {
    struct describe_table *d = user;
    buf_free(&d->request);
    free(d);
}

static void decode_describe_table(void *user, struct span body, struct call_result *result) {
    struct describe_table *d = user;
    if (result->class == CALL_OK) {
        decode_result(dynamodb_read_table(body, &d->shape, &d->active),
                      "it has no Table with a key schema and the types of its attributes", result);
    }
}

static void describe_table_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct describe_table *d = user;
    bool fine = result->class == CALL_OK;
    d->done(d->user, result, fine ? &d->shape : NULL, fine && d->active);
}

static struct call *describe_table(void *ctx, const char *table_name, const struct call_options *options,
                                   describe_table_done *done, void *user) {
    struct dynamodb *dynamodb = ctx;
    struct span name = span_cstr(table_name);
    struct describe_table *d = name.len <= TABLE_NAME_MAX ? malloc(sizeof *d) : NULL;
    if (!d) {
        return NULL;
    }
    memset(d, 0, offsetof(struct describe_table, shape.attributes));
    d->done = done;
    d->user = user;
    memcpy(d->shape.name, name.data, name.len);
    buf_init(&d->request, REQUEST_MAX);
    struct call *call = NULL;
    if (table_request_append(name, &d->request)) {
        struct aws_operation operation = {.name = "DescribeTable",
                                          .body = buf_span(&d->request),
                                          .max_response = RESPONSE_MAX,
                                          .attempt_timeout = ATTEMPT_TIMEOUT,
                                          .attempt_silence = ATTEMPT_SILENCE,
                                          .decode = decode_describe_table,
                                          .release = describe_table_release};
        call = aws_call(dynamodb->client, &operation, options, describe_table_answered, d);
    }
    if (!call) {
        describe_table_release(d);
    }
    return call;
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    call_cancel(call);
}

static void open_ahead(void *ctx, unsigned count) {
    const struct dynamodb *dynamodb = ctx;
    aws_client_open_ahead(dynamodb->client, count);
}

struct dynamodb *dynamodb_new(struct aws_client *client) {
    struct dynamodb *dynamodb = malloc(sizeof *dynamodb);
    if (dynamodb) {
        *dynamodb = (struct dynamodb){.client = client};
    }
    return dynamodb;
}

void dynamodb_free(struct dynamodb *dynamodb) {
    while (dynamodb && dynamodb->spare) {
        struct transact *next = dynamodb->spare->next;
        free(dynamodb->spare);
        dynamodb->spare = next;
    }
    free(dynamodb);
}

struct dynamodb_api dynamodb_api(struct dynamodb *dynamodb) {
    return (struct dynamodb_api){dynamodb, transact, get_item, put_item, describe_table, cancel, open_ahead};
}
