#include "table_facts.h"

#include "client.h"
#include "clock.h"
#include "dynamodb_response.h"
#include "table_request.h"
#include "decode_result.h"

#include <stdlib.h>

#define RESPONSE_MAX ((size_t)8 * 1024 * 1024)
#define REQUEST_MAX ((size_t)16 * 1024)
#define ATTEMPT_SILENCE (10 * MICROSECONDS)
#define ATTEMPT_TIMEOUT (60 * MICROSECONDS)

/* A question about a table, and how its answer is read into the facts. */
struct question {
    const char *operation;
    enum decode_status (*read)(struct span body, struct table_facts *facts);
    const char *lacks;
};

struct asking {
    const struct question *question;
    struct table_facts *facts;
    call_done *done;
    void *user;
    struct buf request;
};

static enum decode_status encryption_member(void *user, struct json_reader *r, const struct json_token *name,
                                            const struct json_token *value) {
    struct table_facts *facts = user;
    if (json_token_is(name, "KMSMasterKeyArn")) {
        decode_text_cut(value, facts->kms_key, sizeof facts->kms_key);
    }
    return decode_skip(r, value);
}

static enum decode_status table_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    struct table_facts *facts = user;
    if (json_token_is(name, "TableStatus")) {
        return decode_text(value, facts->status, sizeof facts->status);
    }
    return json_token_is(name, "SSEDescription") ? decode_object(r, value, encryption_member, facts)
                                                 : decode_skip(r, value);
}

static enum decode_status description_member(void *user, struct json_reader *r, const struct json_token *name,
                                             const struct json_token *value) {
    return json_token_is(name, "Table") ? decode_object(r, value, table_member, user) : decode_skip(r, value);
}

static enum decode_status read_description(struct span body, struct table_facts *facts) {
    bool active = false;
    enum decode_status status = dynamodb_read_table(body, &facts->shape, &active);
    facts->status[0] = facts->kms_key[0] = '\0';
    return status == DECODE_FINE ? decode_read(body, description_member, facts) : status;
}

static enum decode_status ttl_member(void *user, struct json_reader *r, const struct json_token *name,
                                     const struct json_token *value) {
    struct table_facts *facts = user;
    if (json_token_is(name, "TimeToLiveStatus")) {
        return decode_text(value, facts->ttl_status, sizeof facts->ttl_status);
    }
    if (json_token_is(name, "AttributeName")) {
        return decode_text(value, facts->ttl_attribute, sizeof facts->ttl_attribute);
    }
    return decode_skip(r, value);
}

static enum decode_status ttl_answer_member(void *user, struct json_reader *r, const struct json_token *name,
                                            const struct json_token *value) {
    return json_token_is(name, "TimeToLiveDescription") ? decode_object(r, value, ttl_member, user)
                                                        : decode_skip(r, value);
}

static enum decode_status read_ttl(struct span body, struct table_facts *facts) {
    facts->ttl_status[0] = facts->ttl_attribute[0] = '\0';
    enum decode_status status = decode_read(body, ttl_answer_member, facts);
    return status == DECODE_FINE && !facts->ttl_status[0] ? DECODE_GARBAGE : status;
}

static enum decode_status recovery_member(void *user, struct json_reader *r, const struct json_token *name,
                                          const struct json_token *value) {
    struct table_facts *facts = user;
    return json_token_is(name, "PointInTimeRecoveryStatus")
               ? decode_text(value, facts->recovery_status, sizeof facts->recovery_status)
               : decode_skip(r, value);
}

static enum decode_status backups_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    return json_token_is(name, "PointInTimeRecoveryDescription") ? decode_object(r, value, recovery_member, user)
                                                                 : decode_skip(r, value);
}

static enum decode_status backups_answer_member(void *user, struct json_reader *r, const struct json_token *name,
                                                const struct json_token *value) {
    return json_token_is(name, "ContinuousBackupsDescription") ? decode_object(r, value, backups_member, user)
                                                               : decode_skip(r, value);
}

static enum decode_status read_recovery(struct span body, struct table_facts *facts) {
    facts->recovery_status[0] = '\0';
    enum decode_status status = decode_read(body, backups_answer_member, facts);
    return status == DECODE_FINE && !facts->recovery_status[0] ? DECODE_GARBAGE : status;
}

static void decode(void *user, struct span body, struct call_result *result) {
    const struct asking *a = user;
    if (result->class == CALL_OK) {
        decode_result(a->question->read(body, a->facts), a->question->lacks, result);
    }
}

static void answered(void *user, const struct call_result *result, struct span body) {
    (void)body;
    const struct asking *a = user;
    a->done(a->user, result);
}

static void release(void *user) {
    struct asking *a = user;
    buf_free(&a->request);
    free(a);
}

static struct call *ask(struct aws_client *client, const struct question *question, const char *table_name,
                        const struct call_options *options, struct table_facts *facts, call_done *done, void *user) {
    struct asking *a = calloc(1, sizeof *a);
    if (!a) {
        return NULL;
    }
    *a = (struct asking){.question = question, .facts = facts, .done = done, .user = user};
    buf_init(&a->request, REQUEST_MAX);
    struct call *call = NULL;
    if (table_request_append(span_cstr(table_name), &a->request)) {
        const struct aws_operation operation = {.name = question->operation,
                                                .body = buf_span(&a->request),
                                                .max_response = RESPONSE_MAX,
                                                .attempt_timeout = ATTEMPT_TIMEOUT,
                                                .attempt_silence = ATTEMPT_SILENCE,
                                                .decode = decode,
                                                .release = release};
        call = aws_call(client, &operation, options, answered, a);
    }
    if (!call) {
        release(a);
    }
    return call;
}

struct call *table_facts_describe(struct aws_client *client, const char *table_name, const struct call_options *options,
                                  struct table_facts *ret_facts, call_done *done, void *user) {
    static const struct question question = {"DescribeTable", read_description,
                                             "it has no Table with a key schema and the types of its attributes"};
    struct span name = span_cstr(table_name);
    if (name.len > TABLE_NAME_MAX) {
        return NULL;
    }
    memcpy(ret_facts->shape.name, name.data, name.len + 1);
    return ask(client, &question, table_name, options, ret_facts, done, user);
}

struct call *table_facts_ttl(struct aws_client *client, const char *table_name, const struct call_options *options,
                             struct table_facts *ret_facts, call_done *done, void *user) {
    static const struct question question = {"DescribeTimeToLive", read_ttl,
                                             "it has no TimeToLiveDescription with a status"};
    return ask(client, &question, table_name, options, ret_facts, done, user);
}

struct call *table_facts_recovery(struct aws_client *client, const char *table_name, const struct call_options *options,
                                  struct table_facts *ret_facts, call_done *done, void *user) {
    static const struct question question = {"DescribeContinuousBackups", read_recovery,
                                             "it has no status of the point-in-time recovery"};
    return ask(client, &question, table_name, options, ret_facts, done, user);
}
