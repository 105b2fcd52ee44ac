#include "watch.h"

#include <stdlib.h>
#include <string.h>

static unsigned update_of(const struct watch *w, struct span body) {
    return plan_update_in(w->judge->plan, body.data, body.len);
}

static const char LOG_ID[] = "\"log_id\":{\"S\":\"";

static struct judged_answer answer_of(const struct watched *c) {
    return (struct judged_answer){.update = c->update, .audited = c->audited, .began = c->began};
}

static void transaction_ended(struct watched *c) {
    struct judged_answer a = answer_of(c);
    judge_transacted(c->watch->judge, c->watch->worker, &a);
}

static bool has_reason(const struct transact_result *result, const char *code) {
    for (size_t i = 0; i < result->reason_count; i++)
        if (!strcmp(result->reasons[i].code, code))
            return true;
    return false;
}

/* It got as far as to look at what the transaction asks for. */
static bool shows_work(const struct transact_result *result) {
    static const char *const codes[] = {"IdempotentParameterMismatchException", "TransactionInProgressException"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (!strcmp(result->call.code, codes[i]))
            return true;
    return has_reason(result, "ConditionalCheckFailed") || has_reason(result, "TransactionConflict") ||
           has_reason(result, "ItemCollectionSizeLimitExceeded");
}

static void on_transacted(void *user, const struct transact_result *result) {
    struct watched *c = user;
    struct watch *w = c->watch;
    struct judge *j = w->judge;
    struct judged_answer a = answer_of(c);
    struct call_result told = result->call;
    trace_note(j->trace, j->world->now, TRACE_TRANSACTED, w->worker, c->update, result->call.class,
               span_cstr(result->call.code));
    if (!strcmp(result->call.code, "ResourceNotFoundException"))
        w->struck->missing_tables++;
    c->ended = NULL;
    if (has_reason(result, REASON_VALIDATION))
        snprintf(told.code, sizeof told.code, REASON_VALIDATION);
    a.result = &told;
    a.applied_already = result->reason_count > 1 && !strcmp(result->reasons[1].code, "ConditionalCheckFailed");
    a.works = told.class == CALL_OK || shows_work(result);
    judge_transacted(j, w->worker, &a);
    watched_end(c);
    c->done.transact(c->user, result);
    free(c);
}

static void note_log_id(struct judge *j, unsigned update, const char *at) {
    if (update < j->plan->update_count && !j->updates[update].asked_log_id[0])
        snprintf(j->updates[update].asked_log_id, sizeof j->updates[update].asked_log_id, "%.64s",
                 at + sizeof LOG_ID - 1);
}

static struct call *transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                             void *user) {
    struct watch *w = ctx;
    struct judge *j = w->judge;
    struct watched *c = watched_new(w, user);
    c->done.transact = done;
    c->update = update_of(w, body);
    c->ended = transaction_ended;
    w->struck->transactions++;
    trace_note(j->trace, j->world->now, TRACE_TRANSACT, w->worker, c->update, options->max_attempts, body);
    const char *log_id = memmem(body.data, body.len, LOG_ID, sizeof LOG_ID - 1);
    c->audited = log_id != NULL;
    if (log_id)
        note_log_id(j, c->update, log_id);
    judge_transact(j, w->worker, c->update);
    return watched_started(c, w->dynamodb.transact(w->dynamodb.ctx, body, options, on_transacted, c));
}

static void on_got(void *user, const struct call_result *result, bool found, const char *request_hash) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    trace_note(j->trace, j->world->now, TRACE_CONFIRMED, c->watch->worker, c->update, found, span_cstr(result->code));
    judge_did(j, c->watch->worker, c->update, DOING_READ, result->class == CALL_OK, result);
    if (result->class == CALL_OK)
        judge_confirmed(j, c->watch->worker, c->update, c->began);
    watched_end(c);
    c->done.get(c->user, result, found, request_hash);
    free(c);
}

static struct call *get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                             void *user) {
    struct watch *w = ctx;
    struct watched *c = watched_new(w, user);
    c->done.get = done;
    c->update = judge_update_of_log_id(w->judge, body);
    trace_note(w->judge->trace, w->judge->world->now, TRACE_CONFIRM, w->worker, c->update, 0, body);
    return watched_started(c, w->dynamodb.get_item(w->dynamodb.ctx, body, options, on_got, c));
}

static void on_put(void *user, const struct call_result *result) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    trace_note(j->trace, j->world->now, TRACE_RECORDED, c->watch->worker, c->update, result->class, SPAN(""));
    watched_end(c);
    c->done.put(c->user, result);
    free(c);
}

static struct call *put_item(void *ctx, struct span body, const struct call_options *options, call_done *done,
                             void *user) {
    struct watch *w = ctx;
    struct watched *c = watched_new(w, user);
    c->done.put = done;
    c->update = update_of(w, body);
    trace_note(w->judge->trace, w->judge->world->now, TRACE_RECORD, w->worker, c->update, 0, body);
    return watched_started(c, w->dynamodb.put_item(w->dynamodb.ctx, body, options, on_put, c));
}

static void on_described(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    trace_note(j->trace, j->world->now, TRACE_DESCRIBED, c->watch->worker, result->class, active, SPAN(""));
    if (result->class == CALL_OK)
        judge_described(j, c->watch->worker);
    watched_end(c);
    c->done.describe(c->user, result, shape, active);
    free(c);
}

static struct call *describe_table(void *ctx, const char *table_name, const struct call_options *options,
                                   describe_table_done *done, void *user) {
    struct watch *w = ctx;
    struct watched *c = watched_new(w, user);
    c->done.describe = done;
    trace_note(w->judge->trace, w->judge->world->now, TRACE_DESCRIBE, w->worker, 0, 0, span_cstr(table_name));
    return watched_started(c, w->dynamodb.describe_table(w->dynamodb.ctx, table_name, options, on_described, c));
}

static void cancel(void *ctx, struct call *call) {
    struct watch *w = ctx;
    if (call)
        watched_cancel((struct watched *)call, w->dynamodb.cancel, w->dynamodb.ctx);
}

struct dynamodb_api watch_dynamodb(struct watch *w) {
    return (struct dynamodb_api){.ctx = w,
                                 .transact = transact,
                                 .get_item = get_item,
                                 .put_item = put_item,
                                 .describe_table = describe_table,
                                 .cancel = cancel};
}
