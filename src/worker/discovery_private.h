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
    const char *setting; /* that names it */
    bool open; /* still looked for */
    bool unreachable; /* the last try found nobody there */
    bool found; /* its facts are there: a queue's attributes; a table, or that there is none */
    unsigned tries;
    struct trouble trouble; /* nobody is there; it is in the log */
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
    struct outcome outcome; /* of the problems found so far */
    bool ended;
    discovery_done *done;
    void *user;
};

static inline bool quest_is_of_dynamodb(enum quest_kind kind) {
    return kind <= QUEST_TRIAL;
}
/* What its setting says; for the DLQ perhaps what the queue's redrive policy says. */
const char *quest_given(const struct quest *q);
/* Its calls start from the loop. */
void quest_ask_soon(struct quest *q);
/* Start its calls. */
void quest_ask_table(struct quest *q);
void quest_ask_trial(struct quest *q);
void quest_ask_queue(struct quest *q);
/* It has ended: found and fit, or with a problem that is in the log. */
void quest_settle(struct quest *q, struct outcome outcome);
/* It was found, and fits or doesn't; what doesn't is in the log. */
void quest_found(struct quest *q, bool fits);
/* A call of it failed: says so, and settles it or tries again. */
void quest_failed(struct quest *q, const struct call_result *result);
/* Asks again after a while. */
void quest_try_again(struct quest *q, const struct call_result *result);
void quest_no_memory(struct quest *q);
/* Whether the service says that there is no such table or queue. */
bool quest_is_missing(const struct call_result *result);

/* Nothing is looked for any longer. */
void discovery_end(struct discovery *d);

/* Hold what was found against the settings and each other, each as soon as it is known; every problem is logged.
 * True: fit to start. */
bool discovery_check_table(struct log *log, const struct discovery_options *options,
                           const struct discovery_facts *facts, bool audit);
/* Whether one transaction can span both tables. */
bool discovery_check_places(struct log *log, const struct discovery_facts *facts);
bool discovery_check_queues(struct log *log, const struct discovery_facts *facts);
/* All is found and fit: sets facts->visibility, and warns of what is unwise. */
void discovery_finish(struct log *log, const struct discovery_options *options, struct discovery_facts *facts);
