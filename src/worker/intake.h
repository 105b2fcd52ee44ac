/* One queue and what is done with its messages: what comes in, what is in flight, whether more may come. Several may
 * share an applier, which then serialises their records and keeps to one rate. */
#pragma once

#include "backlog.h"
#include "messages.h"
#include "receiver.h"

struct intake_host {
    /* Something happened outside: the owner's turn follows. */
    void (*changed)(void *ctx);
    /* Messages came in. */
    void (*received)(void *ctx);
    void *ctx;
};

struct intake {
    const struct platform *platform;
    struct applier *applier; /* borrowed */
    struct intake_host host;
    unsigned max_in_flight;
    struct messages messages;
    struct receiver receiver;
    struct backlog backlog;
    bool waits_for_deletes; /* nothing is received for it */
    bool asked_for_one_more; /* by a receive that is out */
};

/* until_empty: long polls are short. The applier is initialised later, and borrowed as platform, facts and context are.
 */
void intake_init(struct intake *i, const struct platform *platform, const struct discovery_facts *facts,
                 const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                 bool until_empty, const struct intake_host *host);
/* Frees what is in flight. The applier must have been stopped. */
void intake_done(struct intake *i);
void intake_set_limit(struct intake *i, unsigned max_in_flight);
/* Nothing more is asked for, and nothing waits for company any more. */
void intake_close(struct intake *i);
/* A part of the owner's turn: asks for messages as far as there is room for them. */
void intake_receive(struct intake *i);
/* Messages that wait for a DLQ that is in trouble, or for a confirmation that can't be had. */
unsigned intake_waiting_for_dlq(const struct intake *i);
/* Messages that are done with, while deletes fail. */
unsigned intake_waiting_for_delete(const struct intake *i);
/* Whether something of the queue's has failed since then (monotonic). */
bool intake_is_lost(const struct intake *i, int64_t since, struct lost_cause *ret_lost);
