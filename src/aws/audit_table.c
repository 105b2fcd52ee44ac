#include "audit_table.h"

#include "audit_table_message.h"
#include "buf.h"
#include "client.h"
#include "clock.h"
#include "decode_result.h"

#include <stdlib.h>

#define RESPONSE_MAX ((size_t)2 * 1024 * 1024) /* room for a hundred records of four short attributes */
#define ATTEMPT_SILENCE (10 * MICROSECONDS)
#define ATTEMPT_TIMEOUT (60 * MICROSECONDS)

/* A call in flight, of either kind. */
struct asking {
    struct buf request;
    void *user;
    audit_looked *looked;
    struct audit_look *looks;
    size_t count;
    audit_ttl_done *described;
    enum audit_ttl ttl;
};

static void release(void *user) {
    struct asking *a = user;
    buf_free(&a->request);
    free(a);
}

static struct asking *begin(void *user) {
    struct asking *a = malloc(sizeof *a);
    if (a) {
        *a = (struct asking){.user = user};
        buf_init(&a->request, AUDIT_REQUEST_MAX);
    }
    return a;
}

/* Takes a over: it goes to the call, or is freed if there is none. */
static struct call *start(struct aws_client *client, struct asking *a, struct aws_operation operation,
                          const struct call_options *options, aws_call_done *done) {
    operation.body = buf_span(&a->request);
    operation.max_response = RESPONSE_MAX;
    operation.attempt_timeout = ATTEMPT_TIMEOUT;
    operation.attempt_silence = ATTEMPT_SILENCE;
    operation.forgets_body = true;
    operation.release = release;
    struct call *call = buf_ok(&a->request) ? aws_call(client, &operation, options, done, a) : NULL;
    if (!call) {
        release(a);
    }
    return call;
}

static void decode_look(void *user, struct span body, struct call_result *result) {
    struct asking *a = user;
    if (result->class == CALL_OK) {
        decode_result(audit_read_looks(body, a->looks, a->count),
                      "it has no Responses, or a record that wasn't asked for", result);
    }
}

static void look_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct asking *a = user;
    a->looked(a->user, result);
}

static struct call *look(void *ctx, const char *table, struct audit_look *looks, size_t count, bool with_times,
                         const struct call_options *options, audit_looked *done, void *user) {
    struct asking *a = begin(user);
    if (!a) {
        return NULL;
    }
    a->looked = done;
    a->looks = looks;
    a->count = count;
    (void)audit_write_looks(table, looks, count, with_times, &a->request);
    struct aws_operation operation = {.name = "BatchGetItem", .decode = decode_look};
    return start(ctx, a, operation, options, look_answered);
}

static void decode_ttl(void *user, struct span body, struct call_result *result) {
    struct asking *a = user;
    if (result->class == CALL_OK) {
        decode_result(audit_read_ttl(body, &a->ttl), "it has no TimeToLiveStatus", result);
    }
}

static void ttl_answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct asking *a = user;
    a->described(a->user, result, a->ttl);
}

static struct call *describe_ttl(void *ctx, const char *table, const struct call_options *options, audit_ttl_done *done,
                                 void *user) {
    struct asking *a = begin(user);
    if (!a) {
        return NULL;
    }
    a->described = done;
    (void)audit_write_describe_ttl(table, &a->request);
    struct aws_operation operation = {.name = "DescribeTimeToLive", .decode = decode_ttl};
    return start(ctx, a, operation, options, ttl_answered);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    call_cancel(call);
}

struct audit_table_api audit_table_api(struct aws_client *client) {
    return (struct audit_table_api){client, look, describe_ttl, cancel};
}
