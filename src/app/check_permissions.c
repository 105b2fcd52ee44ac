/* What is allowed, as far as that can be tried without an effect: a transaction whose conditions can't hold, a read of
 * an audit record that isn't there, a delete and a visibility change of no message. */
#include "check.h"
#include "trial.h"

#include "buf.h"
#include "json_writer.h"

#include <stdio.h>
#include <string.h>

#define NO_MESSAGE "table-updater-check" /* a receipt handle that no message has */
#define GET_ITEM_MAX ((size_t)8192)

struct trying {
    struct check_answer answer;
    struct transact_result result;
};

static void on_tried(void *user, const struct transact_result *result) {
    struct trying *t = user;
    t->result = *result;
    check_answered(&t->answer, &result->call);
}

static void tell_trial(struct check *c, const struct check_asked *asked, const struct transact_result *result) {
    struct call_result why;
    switch (trial_judge(result, &why)) {
    case TRIAL_POSSIBLE:
        check_fine(c->report, asked->check, asked->subject,
                   "transactions of both tables are allowed (tried with conditions that can't hold)");
        break;
    case TRIAL_AGAIN: check_failure(c, asked, &why); break;
    case TRIAL_REFUSED:
        if (why.class == CALL_PERMANENT && !check_is_missing(&why)) {
            check_problem(c->report, EXIT_SETTINGS, asked->check, asked->subject, NULL,
                          "DynamoDB refuses the transaction that each message needs (tried with conditions that can't "
                          "hold): %s: %s",
                          why.code, why.message);
        } else {
            check_failure(c, asked, &why);
        }
        break;
    }
}

static void try_transaction(struct check *c) {
    const struct dynamodb_api *db = &c->app->services.dynamodb;
    const struct check_asked asked = {
        .check = "permission",
        .subject = c->facts.audit_table_exists ? "UpdateItem, PutItem" : "UpdateItem",
        .service = &c->dynamodb,
        .action = c->facts.audit_table_exists ? "dynamodb:UpdateItem on TABLE_NAME, dynamodb:PutItem on AUDIT_LOG_TABLE"
                                              : "dynamodb:UpdateItem on TABLE_NAME",
        .kind = "table"};
    struct trying t = {.answer = {.check = c}};
    struct call_options options = check_call_options(c);
    struct buf request;
    buf_init(&request, TRIAL_REQUEST_MAX);
    options.max_attempts = 2;
    bool wrote = trial_append_request(&c->facts, &request);
    struct call *call = wrote ? db->transact(db->ctx, buf_span(&request), &options, on_tried, &t) : NULL;
    if (check_await(&t.answer, call)) {
        t.result.call = call ? t.result.call : t.answer.result;
        tell_trial(c, &asked, &t.result);
    }
    buf_free(&request);
}

static void on_item(void *user, const struct call_result *result, bool found, const char *request_hash) {
    (void)found, (void)request_hash;
    check_answered(user, result);
}

static void try_read(struct check *c) {
    const struct dynamodb_api *db = &c->app->services.dynamodb;
    const struct check_asked asked = {.check = "permission",
                                      .subject = "GetItem",
                                      .service = &c->dynamodb,
                                      .action = "dynamodb:GetItem on AUDIT_LOG_TABLE",
                                      .kind = "table"};
    struct check_answer answer = {.check = c};
    const struct call_options options = check_call_options(c);
    struct buf request;
    struct json_writer w;
    buf_init(&request, GET_ITEM_MAX);
    json_writer_init(&w, &request);
    json_object_begin(&w);
    json_name(&w, SPAN("TableName"));
    json_string(&w, span_cstr(c->facts.audit_table.name));
    json_name(&w, SPAN("Key"));
    json_raw(&w, SPAN("{\"log_id\":{\"S\":\"" TRIAL_KEY "\"}}"));
    json_name(&w, SPAN("ConsistentRead"));
    json_boolean(&w, true);
    json_object_end(&w);
    struct call *call = buf_ok(&request) ? db->get_item(db->ctx, buf_span(&request), &options, on_item, &answer) : NULL;
    if (check_await(&answer, call)) {
        if (answer.result.class == CALL_OK) {
            check_fine(c->report, asked.check, asked.subject, "%s is allowed", asked.action);
        } else {
            check_failure(c, &asked, &answer.result);
        }
    }
    buf_free(&request);
}

struct trying_batch {
    struct check_answer answer;
    char code[CALL_CODE_SIZE]; /* of its only entry */
};

static void on_batch(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                     size_t count) {
    struct trying_batch *t = user;
    if (entries && count) {
        memcpy(t->code, entries[0].code, sizeof t->code);
    }
    check_answered(&t->answer, result);
}

/* A refusal of the handle shows that the action itself is allowed. */
static void tell_batch(struct check *c, const struct check_asked *asked, const struct trying_batch *t) {
    struct call_result result = t->answer.result;
    bool denied = strstr(t->code, "AccessDenied") != NULL;
    if (result.class == CALL_OK && denied) {
        result = (struct call_result){.class = CALL_DENIED, .from_service = true};
        (void)snprintf(result.code, sizeof result.code, "%s", t->code);
    }
    bool of_handle = result.class == CALL_PERMANENT && result.from_service && !check_is_missing(&result) &&
                     (strstr(result.code, "ReceiptHandle") || strstr(result.code, "InvalidParameterValue"));
    if (result.class == CALL_OK || of_handle) {
        check_fine(c->report, asked->check, asked->subject, "%s is allowed (tried with no message)", asked->action);
    } else {
        check_failure(c, asked, &result);
    }
}

static void try_queue(struct check *c, bool deletes) {
    const struct sqs_api *sqs = &c->app->services.sqs;
    const struct check_asked asked = {.check = "permission",
                                      .subject = deletes ? "DeleteMessage" : "ChangeMessageVisibility",
                                      .service = &c->sqs,
                                      .action = deletes ? "sqs:DeleteMessage on QUEUE_URL"
                                                        : "sqs:ChangeMessageVisibility on QUEUE_URL",
                                      .kind = "queue"};
    const struct span handle = SPAN(NO_MESSAGE);
    const struct sqs_visibility_entry entry = {.receipt_handle = handle, .visibility_seconds = 0};
    struct trying_batch t = {.answer = {.check = c}};
    const struct call_options options = check_call_options(c);
    const char *url = c->facts.queue.url;
    struct call *call = deletes ? sqs->delete_batch(sqs->ctx, url, &handle, 1, &options, on_batch, &t)
                                : sqs->change_visibility_batch(sqs->ctx, url, &entry, 1, &options, on_batch, &t);
    if (check_await(&t.answer, call)) {
        tell_batch(c, &asked, &t);
    }
}

static bool may_ask(const struct check *c, const struct check_service *service) {
    return !c->signal && !c->no_credentials && !service->down;
}

void check_permissions(struct check *c) {
    bool both = c->table_known && (c->audit_table_known || !c->facts.audit_table_exists);
    if (both && may_ask(c, &c->dynamodb)) {
        try_transaction(c);
    }
    if (c->audit_table_known && may_ask(c, &c->dynamodb)) {
        try_read(c);
    }
    if (c->queue_known && may_ask(c, &c->sqs)) {
        try_queue(c, true);
    }
    if (c->queue_known && may_ask(c, &c->sqs)) {
        try_queue(c, false);
    }
    if (c->queue_known && may_ask(c, &c->sqs)) {
        check_fine(
            c->report, "permission", "ReceiveMessage, SendMessage",
            "not tried: a receive counts as a delivery, a send is one; allow sqs:ReceiveMessage on QUEUE_URL and "
            "sqs:SendMessage on DLQ_URL");
    }
}
