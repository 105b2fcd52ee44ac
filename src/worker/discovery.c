/* Looks for four things at once: table, audit table, queue and DLQ. Once both tables are known, a transaction is tried
 * on them. Each of these is a quest: a small chain of calls that ends well or with a problem. Where a service can't be
 * reached, the quest is tried again while there is patience. */
#include "discovery_private.h"

#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

static void report_end(void *user) {
    struct discovery *d = user;
    d->done(d->user, d->outcome, outcome_is_well(d->outcome) ? &d->facts : NULL);
}

static void ask(struct quest *q) {
    switch (q->kind) {
    case QUEST_TABLE:
    case QUEST_AUDIT_TABLE: quest_ask_table(q); break;
    case QUEST_TRIAL: quest_ask_trial(q); break;
    case QUEST_QUEUE:
    case QUEST_DLQ: quest_ask_queue(q); break;
    case QUESTS: break;
    }
}

static void on_quest_timer(void *user) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    if (q->tries == 0 || clock_monotonic(d->platform.clock) < d->give_up_at) {
        ask(q);
        return;
    }
    discovery_give_up(d);
}

void discovery_give_up(struct discovery *d) {
    for (size_t i = 0; i < QUESTS && !d->ended; i++) {
        const struct quest *q = &d->quests[i];
        if (q->open && (q->call || q->tries > 0)) {
            LOG_EVENT(d->platform.log, LOG_LEVEL_ERROR, "Giving up: the service can't be reached",
                      LOG_C("setting", q->setting), LOG_C("service", quest_service(q)),
                      LOG_C("why", q->why[0] ? q->why : "no answer"));
        }
    }
    discovery_end(d);
}

static bool is_wanted(const struct discovery_options *options, enum quest_kind kind) {
    switch (kind) {
    case QUEST_TABLE: return options->table != NULL;
    case QUEST_AUDIT_TABLE: return options->audit_table != NULL;
    case QUEST_TRIAL: return options->tries_transaction;
    case QUEST_QUEUE: return options->queue != NULL;
    default: return (options->queue != NULL || options->dlq != NULL) && !options->without_dlq;
    }
}

struct discovery *discovery_start(const struct platform *platform, const struct discovery_options *options,
                                  discovery_done *done, void *user) {
    static const char *const settings[QUESTS] = {"TABLE_NAME", "AUDIT_LOG_TABLE", "TABLE_NAME", "QUEUE_URL", "DLQ_URL"};
    struct discovery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    int64_t now = clock_monotonic(platform->clock);
    d->platform = *platform;
    d->options = *options;
    d->done = done;
    d->user = user;
    d->give_up_at = options->patience == NEVER ? NEVER : now + options->patience;
    if (options->audit_table)
        snprintf(d->facts.audit_table.name, sizeof d->facts.audit_table.name, "%s", options->audit_table);
    buf_init(&d->trial, TRIAL_REQUEST_MAX);
    timer_init(&d->end_timer, report_end, d);
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        *q = (struct quest){.discovery = d, .kind = (enum quest_kind)i, .setting = settings[i]};
        q->open = is_wanted(options, q->kind);
        timer_init(&q->timer, on_quest_timer, q);
    }
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        bool after_the_table = i == QUEST_AUDIT_TABLE && options->in_turn && options->table;
        if (i == QUEST_TRIAL || (i == QUEST_DLQ && !options->dlq) || after_the_table)
            q->unreachable = true; /* it begins once the tables or the queue are known; it counts as waiting */
        else if (q->open)
            timer_start(platform->timers, &q->timer, now);
    }
    return d;
}

void discovery_free(struct discovery *d) {
    if (!d)
        return;
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        timer_stop(d->platform.timers, &q->timer);
        if (!q->call)
            continue;
        if (quest_is_of_dynamodb(q->kind))
            d->platform.dynamodb->cancel(d->platform.dynamodb->ctx, q->call);
        else
            d->platform.sqs->cancel(d->platform.sqs->ctx, q->call);
    }
    timer_stop(d->platform.timers, &d->end_timer);
    buf_free(&d->trial);
    free(d);
}
