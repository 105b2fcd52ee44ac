/* Four things are looked for at once: table, audit table, queue, DLQ. Each is a small chain of calls; each ends found, or with a problem, or
 * it can't be reached and is tried again while there is patience. */
#include "discovery_private.h"

#include "backoff.h"
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t CALL_DEADLINE = 10 * MICROSECONDS;
static const int64_t RETRY_BASE = 500 * MILLISECOND, RETRY_CAP = 10 * MICROSECONDS;

enum quest_kind { QUEST_TABLE, QUEST_AUDIT_TABLE, QUEST_QUEUE, QUEST_DLQ, QUESTS };

struct quest {
    struct discovery *discovery;
    enum quest_kind kind;
    const char *setting; /* that names it */
    bool open;           /* still looked for */
    bool unreachable;    /* the last try found nobody there */
    bool found;          /* a queue and its attributes */
    unsigned tries;
    struct call *call;
    struct timer timer;
};

struct discovery {
    struct worker_ports ports;
    struct discovery_options options;
    struct discovery_facts facts;
    struct quest quests[QUESTS];
    struct timer end_timer;
    int64_t give_up_at;
    enum exit_code code; /* of the problems found so far */
    bool ended;
    discovery_done *done;
    void *user;
};

static void ask(struct quest *q);

static void report_end(void *user) {
    struct discovery *d = user;
    d->done(d->user, d->code, d->code == EXIT_FINE ? &d->facts : NULL);
}

static void end(struct discovery *d) {
    if (d->ended)
        return;
    d->ended = true;
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        timer_stop(d->ports.timers, &q->timer);
        if (q->open)
            d->code = worse_exit(d->code, EXIT_UNREACHABLE);
    }
    timer_start(d->ports.timers, &d->end_timer, clock_monotonic(d->ports.clock));
}

/* Ends where all is found, or where a problem makes it useless to go on waiting for what can't be reached. */
static void review(struct discovery *d) {
    bool open = false, waiting = false;
    for (size_t i = 0; i < QUESTS; i++) {
        open = open || d->quests[i].open;
        waiting = waiting || (d->quests[i].open && !d->quests[i].unreachable);
    }
    if (!open && d->code == EXIT_FINE)
        discovery_finish(d->ports.log, &d->options, &d->facts);
    if (!open || (d->code != EXIT_FINE && !waiting))
        end(d);
}

static void settle(struct quest *q, enum exit_code code) {
    struct discovery *d = q->discovery;
    if (q->tries > 0 && code == EXIT_FINE)
        LOG_EVENT(d->ports.log, LOG_LEVEL_INFO, "Reached at last", LOG_C("setting", q->setting));
    q->open = q->unreachable = false;
    d->code = worse_exit(d->code, code);
    if (q->kind == QUEST_QUEUE && code != EXIT_FINE && !d->options.dlq)
        d->quests[QUEST_DLQ].open = false; /* there is nothing to take it from */
    review(d);
}

static void on_quest_timer(void *user) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    if (q->tries == 0 || clock_monotonic(d->ports.clock) < d->give_up_at) {
        ask(q);
        return;
    }
    LOG_EVENT(d->ports.log, LOG_LEVEL_ERROR, "Giving up: the service can't be reached", LOG_C("setting", q->setting));
    end(d);
}

static void try_again(struct quest *q, const struct call_result *result) {
    struct discovery *d = q->discovery;
    int64_t now = clock_monotonic(d->ports.clock);
    const char *why = result->from_service ? result->code : result->message;
    if (q->tries == 0)
        LOG_EVENT(d->ports.log, LOG_LEVEL_WARNING,
                  result->untrusted ? "Waiting: the server's certificate can't be trusted" : "Waiting: the service can't be reached",
                  LOG_C("setting", q->setting), LOG_C("service", q->kind <= QUEST_AUDIT_TABLE ? "DynamoDB" : "SQS"),
                  LOG_C("why", why[0] ? why : "no answer"), LOG_I("status", result->status));
    int64_t at = now + RETRY_BASE + backoff_full_jitter(d->ports.random, q->tries++, RETRY_BASE, RETRY_CAP);
    q->unreachable = true;
    timer_start(d->ports.timers, &q->timer, at < d->give_up_at ? at : d->give_up_at);
    review(d);
}

static const char *given(const struct quest *q) {
    const struct discovery_options *o = &q->discovery->options;
    switch (q->kind) {
    case QUEST_TABLE: return o->table;
    case QUEST_AUDIT_TABLE: return o->audit_table;
    case QUEST_QUEUE: return o->queue;
    default: return o->dlq ? o->dlq : q->discovery->facts.queue.attributes.dead_letter_target_arn;
    }
}

static bool is_missing(const struct call_result *result) {
    return strstr(result->code, "ResourceNotFound") || strstr(result->code, "NonExistentQueue") || strstr(result->code, "QueueDoesNotExist");
}

/* A call of a quest failed. */
static void failed(struct quest *q, const struct call_result *result) {
    struct log *log = q->discovery->ports.log;
    if (!result->from_service || result->class == CALL_RETRY || result->class == CALL_THROTTLED) {
        if (result->class == CALL_AUTH) {
            LOG_EVENT(log, LOG_LEVEL_ERROR, "There are no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
                      LOG_C("why", result->message));
            settle(q, EXIT_NOT_PERMITTED);
        } else {
            try_again(q, result);
        }
        return;
    }
    enum exit_code code = blame_of(result);
    if (is_missing(result)) {
        char text[128];
        snprintf(text, sizeof text, "%s names a %s that doesn't exist: create it, or mend the name, the account or the region", q->setting,
                 q->kind <= QUEST_AUDIT_TABLE ? "table" : "queue");
        LOG_EVENT(log, LOG_LEVEL_ERROR, text, LOG_C("given", given(q)));
        code = EXIT_SETTINGS;
    } else if (code == EXIT_NOT_PERMITTED) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "AWS doesn't permit it: check the credentials and their policy", LOG_C("setting", q->setting),
                  LOG_C("given", given(q)), LOG_C("code", result->code));
    } else {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "AWS refuses what a setting names", LOG_C("setting", q->setting), LOG_C("given", given(q)),
                  LOG_C("code", result->code));
    }
    settle(q, code);
}

static void no_memory(struct quest *q) {
    try_again(q, &(struct call_result){.class = CALL_RETRY, .message = "no memory"});
}

static void on_described(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    bool audit = q->kind == QUEST_AUDIT_TABLE;
    q->call = NULL;
    if (d->ended)
        return;
    if (audit && result->from_service && !strcmp(result->code, "ResourceNotFoundException")) {
        settle(q, discovery_check_audit_table(d->ports.log, &d->options, &d->facts));
    } else if (result->class != CALL_OK || !shape) {
        failed(q, result);
    } else if (!active) {
        try_again(q, &(struct call_result){.class = CALL_RETRY, .message = "the table is not active yet"});
    } else {
        struct table_shape *into = audit ? &d->facts.audit_table : &d->facts.table;
        *into = *shape;
        snprintf(into->name, sizeof into->name, "%s", given(q)); /* as it was given: an ARN stays one */
        d->facts.audit_table_exists = d->facts.audit_table_exists || audit;
        settle(q, audit ? discovery_check_audit_table(d->ports.log, &d->options, &d->facts) : EXIT_FINE);
    }
}

static struct queue_facts *queue_of(struct quest *q) {
    return q->kind == QUEST_QUEUE ? &q->discovery->facts.queue : &q->discovery->facts.dlq;
}

/* The queue is known: its DLQ can be looked for. */
static void begin_dlq(struct discovery *d) {
    struct quest *q = &d->quests[QUEST_DLQ];
    if (!q->open || d->options.dlq)
        return;
    if (d->facts.queue.attributes.dead_letter_target_arn[0]) {
        q->unreachable = false;
        ask(q);
        return;
    }
    log_event(d->ports.log, LOG_LEVEL_ERROR,
              "DLQ_URL is not set, and the queue has no redrive policy to take it from: set DLQ_URL to the URL or name of the dead-letter queue",
              NULL);
    settle(q, EXIT_SETTINGS);
}

static void on_attributes(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct quest *q = user;
    struct discovery *d = q->discovery;
    q->call = NULL;
    if (d->ended)
        return;
    if (result->class != CALL_OK || !attributes) {
        failed(q, result);
        return;
    }
    struct queue_facts *facts = queue_of(q);
    facts->attributes = *attributes;
    size_t len = strlen(facts->name);
    facts->attributes.fifo = attributes->fifo || (len > 5 && !strcmp(facts->name + len - 5, ".fifo"));
    q->found = true;
    bool both = d->quests[QUEST_QUEUE].found && d->quests[QUEST_DLQ].found;
    if (q->kind == QUEST_QUEUE)
        begin_dlq(d); /* first, so that another's problem doesn't end it before this one's is known */
    settle(q, both ? discovery_check_queues(d->ports.log, &d->facts) : EXIT_FINE);
}

static void ask_attributes(struct quest *q) {
    const struct sqs_port *sqs = q->discovery->ports.sqs;
    struct call_options options = {.deadline = clock_monotonic(q->discovery->ports.clock) + CALL_DEADLINE};
    q->call = sqs->get_attributes(sqs->ctx, queue_of(q)->url, &options, on_attributes, q);
    if (!q->call)
        no_memory(q);
}

static void on_queue_url(void *user, const struct call_result *result, const char *queue_url) {
    struct quest *q = user;
    q->call = NULL;
    if (q->discovery->ended)
        return;
    struct queue_facts *facts = queue_of(q);
    if (result->class != CALL_OK) {
        failed(q, result);
        return;
    }
    if (!queue_url || !queue_url_name(queue_url, facts->name)) {
        try_again(q, &(struct call_result){.class = CALL_RETRY, .status = result->status, .message = "its answer holds no queue's URL"});
        return;
    }
    snprintf(facts->url, sizeof facts->url, "%s", queue_url);
    ask_attributes(q);
}

static void ask_queue(struct quest *q) {
    struct discovery *d = q->discovery;
    struct queue_facts *facts = queue_of(q);
    const char *text = given(q);
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
        LOG_EVENT(d->ports.log, LOG_LEVEL_ERROR, sentence, LOG_C("given", text));
        settle(q, EXIT_SETTINGS);
        return;
    }
    const struct sqs_port *sqs = d->ports.sqs;
    struct call_options options = {.deadline = clock_monotonic(d->ports.clock) + CALL_DEADLINE};
    q->call = sqs->get_queue_url(sqs->ctx, name, account, &options, on_queue_url, q);
    if (!q->call)
        no_memory(q);
}

static void ask(struct quest *q) {
    if (q->kind > QUEST_AUDIT_TABLE) {
        ask_queue(q);
        return;
    }
    const struct dynamodb_port *db = q->discovery->ports.dynamodb;
    struct call_options options = {.deadline = clock_monotonic(q->discovery->ports.clock) + CALL_DEADLINE};
    q->call = db->describe_table(db->ctx, given(q), &options, on_described, q);
    if (!q->call)
        no_memory(q);
}

struct discovery *discovery_start(const struct worker_ports *ports, const struct discovery_options *options, discovery_done *done,
                                  void *user) {
    static const char *const settings[QUESTS] = {"TABLE_NAME", "AUDIT_LOG_TABLE", "QUEUE_URL", "DLQ_URL"};
    struct discovery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    int64_t now = clock_monotonic(ports->clock);
    d->ports = *ports;
    d->options = *options;
    d->done = done;
    d->user = user;
    d->give_up_at = options->patience == NEVER ? NEVER : now + options->patience;
    snprintf(d->facts.audit_table.name, sizeof d->facts.audit_table.name, "%s", options->audit_table);
    timer_init(&d->end_timer, report_end, d);
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        *q = (struct quest){.discovery = d, .kind = (enum quest_kind)i, .setting = settings[i]};
        q->open = i <= QUEST_AUDIT_TABLE || options->queue != NULL;
        timer_init(&q->timer, on_quest_timer, q);
    }
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        if (i == QUEST_DLQ && !options->dlq)
            q->unreachable = true; /* looked for once the queue is known; until then it waits with it */
        else if (q->open)
            timer_start(ports->timers, &q->timer, now);
    }
    return d;
}

void discovery_free(struct discovery *d) {
    if (!d)
        return;
    for (size_t i = 0; i < QUESTS; i++) {
        struct quest *q = &d->quests[i];
        timer_stop(d->ports.timers, &q->timer);
        if (!q->call)
            continue;
        if (i <= QUEST_AUDIT_TABLE)
            d->ports.dynamodb->cancel(d->ports.dynamodb->ctx, q->call);
        else
            d->ports.sqs->cancel(d->ports.sqs->ctx, q->call);
    }
    timer_stop(d->ports.timers, &d->end_timer);
    free(d);
}
