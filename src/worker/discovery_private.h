/* Between the files of the discovery. */
#pragma once

#include "buf.h"
#include "discovery.h"
#include "queue_name.h"
#include "timers.h"
#include "trouble.h"

#define QUEST_DEADLINE (10 * MICROSECONDS) /* of each call */

enum quest_kind { QUEST_TABLE, QUEST_AUDIT_TABLE, QUEST_TRIAL, QUEST_QUEUE, QUEST_DLQ, QUESTS };

struct quest {
    struct discovery *discovery;
    enum quest_kind kind;
    const char *setting; /* the setting that names it */
    bool open; /* still looked for */
    bool unreachable; /* it counts as waiting: the last try couldn't reach the service, or it hasn't begun */
    bool found; /* its facts are known: a queue's attributes; a table, or that there is none */
    unsigned tries;
    char why[CALL_MESSAGE_SIZE]; /* the last try failed; empty: it hasn't, or nothing was said */
    struct trouble trouble; /* the service can't be reached, and the log has said so */
    struct call *call;
    struct timer timer;
};

struct discovery {
    struct platform platform;
    struct discovery_options options;
    struct discovery_facts facts;
    struct quest quests[QUESTS];
    struct buf trial; /* the request */
    struct timer end_timer;
    int64_t give_up_at;
    struct outcome outcome; /* by the problems found so far */
    bool ended;
    discovery_done *done;
    void *user;
};

static inline bool quest_is_of_dynamodb(enum quest_kind kind) {
    return kind <= QUEST_TRIAL;
}
static inline const char *quest_service(const struct quest *q) {
    return quest_is_of_dynamodb(q->kind) ? "DynamoDB" : "SQS";
}
/* The value of its setting; for the DLQ, where DLQ_URL isn't set, what the queue's redrive policy says. */
const char *quest_given(const struct quest *q);
/* Starts its calls from the loop. */
void quest_ask_soon(struct quest *q);
/* Start its calls. */
void quest_ask_table(struct quest *q);
void quest_ask_trial(struct quest *q);
void quest_ask_queue(struct quest *q);
/* The quest has ended: found and fit, or with a problem that is in the log. */
void quest_settle(struct quest *q, struct outcome outcome);
/* What it looks for was found. fits: whether it fits; if not, the log has said why. */
void quest_found(struct quest *q, bool fits);
/* A call of it failed: logs so, and settles the quest or tries again. */
void quest_failed(struct quest *q, const struct call_result *result);
/* Asks again after a while. */
void quest_try_again(struct quest *q, const struct call_result *result);
void quest_no_memory(struct quest *q);
/* Whether the service says that there is no such table or queue. */
bool quest_is_missing(const struct call_result *result);

/* Ends the discovery: nothing is looked for any longer. */
void discovery_end(struct discovery *d);

/* These check what was found against the settings and each other, each as soon as it is known. They log every problem.
 * True: it fits. */
bool discovery_check_table(struct log *log, const struct discovery_options *options,
                           const struct discovery_facts *facts, bool audit);
/* Whether one transaction can span both tables. */
bool discovery_check_places(struct log *log, const struct discovery_facts *facts);
bool discovery_check_queues(struct log *log, const struct discovery_facts *facts);
/* All is found and fit: sets facts->visibility, and warns of what is unwise. */
void discovery_finish(struct log *log, const struct discovery_options *options, struct discovery_facts *facts);
