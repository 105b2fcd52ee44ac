/* The discovery's part for the queue and its DLQ. */
#include "discovery_private.h"

#include <stdio.h>
#include <string.h>

static struct queue_facts *queue_of(struct quest *q) {
    return q->kind == QUEST_QUEUE ? &q->discovery->facts.queue : &q->discovery->facts.dlq;
}

/* The queue is known: its DLQ can be looked for. */
static void begin_dlq(struct discovery *d) {
    struct quest *q = &d->quests[QUEST_DLQ];
    if (!q->open || d->options.dlq)
        return;
    if (d->facts.queue.attributes.dead_letter_target_arn[0]) {
        q->setting = "QUEUE_URL's redrive policy"; /* the log names what is to be mended */
        q->unreachable = false;
        quest_ask_soon(q);
        return;
    }
    log_event(d->platform.log, LOG_LEVEL_ERROR,
              "DLQ_URL is not set, and the queue has no redrive policy to take it from: set DLQ_URL to the URL or name "
              "of the dead-letter queue",
              NULL);
    quest_settle(q, outcome_by(CAUSE_UNFIT));
}

static void on_attributes(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    q->call = NULL;
    if (d->ended)
        return;
    if (result->class != CALL_OK || !attributes) {
        quest_failed(q, result);
        return;
    }
    struct queue_facts *facts = queue_of(q);
    facts->attributes = *attributes;
    size_t len = strlen(facts->name);
    facts->attributes.fifo = attributes->fifo || (len > 5 && !strcmp(facts->name + len - 5, ".fifo"));
    q->found = true;
    bool both = d->quests[QUEST_QUEUE].found && d->quests[QUEST_DLQ].found;
    if (q->kind == QUEST_QUEUE)
        begin_dlq(d); /* first: another problem must not end the discovery before the DLQ is looked at */
    quest_found(q, !both || discovery_check_queues(d->platform.log, &d->facts));
}

static void ask_attributes(struct quest *q) {
    const struct sqs_api *sqs = q->discovery->platform.sqs;
    struct call_options options = {.deadline = clock_monotonic(q->discovery->platform.clock) + QUEST_DEADLINE};
    q->call = sqs->get_attributes(sqs->ctx, queue_of(q)->url, &options, on_attributes, q);
    if (!q->call)
        quest_no_memory(q);
}

static void on_queue_url(void *user, const struct call_result *result, const char *queue_url) {
    struct quest *q = user;
    q->call = NULL;
    if (q->discovery->ended)
        return;
    struct queue_facts *facts = queue_of(q);
    if (result->class != CALL_OK) {
        quest_failed(q, result);
        return;
    }
    if (!queue_url || !queue_url_name(queue_url, facts->name)) {
        quest_try_again(q, &(struct call_result){.class = CALL_RETRY,
                                                 .status = result->status,
                                                 .message = "its answer holds no queue's URL"});
        return;
    }
    snprintf(facts->url, sizeof facts->url, "%s", queue_url);
    ask_attributes(q);
}

void quest_ask_queue(struct quest *q) {
    struct discovery *d = q->discovery;
    struct queue_facts *facts = queue_of(q);
    const char *text = quest_given(q);
    char account[16] = "", name[QUEUE_NAME_SIZE];
    if (facts->url[0]) { /* known from an earlier try */
        ask_attributes(q);
        return;
    }
    if (strstr(text, "://") && queue_url_name(text, facts->name)) {
        snprintf(facts->url, sizeof facts->url, "%s", text);
        ask_attributes(q);
        return;
    }
    if (queue_name_valid(text)) {
        snprintf(name, sizeof name, "%s", text);
    } else if (!queue_arn_parse(text, account, name)) {
        char sentence[96];
        snprintf(sentence, sizeof sentence, "%s must be a queue's URL or its name", q->setting);
        LOG_EVENT(d->platform.log, LOG_LEVEL_ERROR, sentence, LOG_C("given", text));
        quest_settle(q, outcome_by(CAUSE_UNFIT));
        return;
    }
    const struct sqs_api *sqs = d->platform.sqs;
    struct call_options options = {.deadline = clock_monotonic(d->platform.clock) + QUEST_DEADLINE};
    q->call = sqs->get_queue_url(sqs->ctx, name, account, &options, on_queue_url, q);
    if (!q->call)
        quest_no_memory(q);
}
