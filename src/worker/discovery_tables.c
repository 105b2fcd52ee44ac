/* The discovery's part for both tables, and the transaction that is tried on them. */
#include "discovery_private.h"

#include "trial.h"
#include "verdict.h"

#include <stdio.h>
#include <string.h>

/* Logs that the transaction was refused, and what mends it. */
static void log_refused_trial(const struct discovery *d, const struct call_result *why) {
    const struct table_shape *audit = &d->facts.audit_table;
    const char *text = why->class == CALL_DENIED ? "AWS doesn't permit the transaction that each message needs: allow "
                                                   "dynamodb:UpdateItem on TABLE_NAME, and "
                                                   "dynamodb:PutItem on AUDIT_LOG_TABLE (or name one that doesn't "
                                                   "exist, where no message shall have an audit record)"
                                                 : "DynamoDB refuses the transaction that each message needs (tried "
                                                   "with conditions that can't hold): the tables, or "
                                                   "what answers there, take none such";
    LOG_EVENT(d->platform.log, LOG_LEVEL_ERROR, text, LOG_C("table", d->facts.table.name),
              LOG_C("audit_table", d->facts.audit_table_exists ? audit->name : "none"), LOG_C("code", why->code),
              LOG_C("why", why->message));
}

static void on_tried(void *user, const struct transact_result *result) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    struct call_result why;
    q->call = NULL;
    if (d->ended)
        return;
    switch (trial_judge(result, &why)) {
    case TRIAL_POSSIBLE: quest_found(q, true); break;
    case TRIAL_AGAIN: quest_try_again(q, &why); break;
    case TRIAL_REFUSED:
        if (why.class == CALL_AUTH || why.class == CALL_CLOCK || quest_is_missing(&why)) {
            quest_failed(q, &why);
        } else {
            log_refused_trial(d, &why);
            quest_settle(q, outcome_by(cause_of(&why)));
        }
        break;
    }
}

void quest_ask_trial(struct quest *q) {
    struct discovery *d = q->discovery;
    const struct dynamodb_api *db = d->platform.dynamodb;
    struct call_options options = {.deadline = clock_monotonic(d->platform.clock) + QUEST_DEADLINE, .max_attempts = 1};
    buf_reset(&d->trial);
    if (trial_append_request(&d->facts, &d->trial))
        q->call = db->transact(db->ctx, buf_span(&d->trial), &options, on_tried, q);
    if (!q->call)
        quest_no_memory(q);
}

/* A table is known, or it is known that there is none. */
static void settle_table(struct quest *q) {
    struct discovery *d = q->discovery;
    struct quest *trial = &d->quests[QUEST_TRIAL];
    q->found = true;
    bool both = d->quests[QUEST_TABLE].found && d->quests[QUEST_AUDIT_TABLE].found;
    bool fits = discovery_check_table(d->platform.log, &d->options, &d->facts, q->kind == QUEST_AUDIT_TABLE);
    if (both && fits)
        fits = discovery_check_places(d->platform.log, &d->facts);
    if (both && fits && trial->open) {
        trial->unreachable = false; /* first: another problem must not end the discovery before the trial */
        quest_ask_soon(trial);
    }
    quest_found(q, fits);
}

/* Begins with the audit table, where it has waited for an answer about the other table. */
static void ask_in_turn(const struct quest *q) {
    struct quest *next = &q->discovery->quests[QUEST_AUDIT_TABLE];
    if (q->kind == QUEST_TABLE && q->discovery->options.in_turn && next->open && next->unreachable &&
        next->tries == 0) {
        next->unreachable = false;
        quest_ask_soon(next);
    }
}

static void on_described(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    bool audit = q->kind == QUEST_AUDIT_TABLE;
    q->call = NULL;
    if (d->ended)
        return;
    ask_in_turn(q);
    if (audit && result->from_service && !strcmp(result->code, "ResourceNotFoundException")) {
        settle_table(q);
    } else if (result->class != CALL_OK || !shape) {
        quest_failed(q, result);
    } else if (!active) {
        quest_try_again(q, &(struct call_result){.class = CALL_RETRY, .message = "the table is not active yet"});
    } else {
        struct table_shape *into = audit ? &d->facts.audit_table : &d->facts.table;
        table_shape_copy(into, shape);
        snprintf(into->name, sizeof into->name, "%s", quest_given(q)); /* as it was given: an ARN stays one */
        d->facts.audit_table_exists = d->facts.audit_table_exists || audit;
        settle_table(q);
    }
}

void quest_ask_table(struct quest *q) {
    const struct dynamodb_api *db = q->discovery->platform.dynamodb;
    struct call_options options = {.deadline = clock_monotonic(q->discovery->platform.clock) + QUEST_DEADLINE};
    q->call = db->describe_table(db->ctx, quest_given(q), &options, on_described, q);
    if (!q->call)
        quest_no_memory(q);
}
