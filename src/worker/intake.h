/* One queue and its messages: what comes in, what is in flight, and whether more may come. Several intakes may share an
 * applier, which then serialises the updates of a record, and keeps one rate, for all of them. */
#pragma once

#include "backlog.h"
#include "messages.h"
#include "receiver.h"

struct intake_host {
    /* Something from outside has changed the state: the owner's turn follows. */
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
    bool waits_for_deletes; /* receiving pauses, as too many messages can't be deleted */
    bool asked_for_one_more; /* a receive is open that was sent under RECEIVE_ONE_MORE */
};

/* until_empty: its long polls are short. platform, facts, context and applier are borrowed; the applier is initialised
 * later. */
void intake_init(struct intake *i, const struct platform *platform, const struct discovery_facts *facts,
                 const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                 bool until_empty, const struct intake_host *host);
/* Frees what is in flight. The applier must have been stopped. */
void intake_done(struct intake *i);
void intake_set_limit(struct intake *i, unsigned max_in_flight);
/* Begins no more receives, and lets no entry wait for others to fill its batch. */
void intake_close(struct intake *i);
/* A part of the owner's turn: asks for as many messages as there is room for. */
void intake_receive(struct intake *i);
/* Messages that wait for the DLQ, or for their failure to be confirmed. */
unsigned intake_waiting_for_dlq(const struct intake *i);
/* Messages that are done with and can't be deleted for now; 0 while deletes work. */
unsigned intake_waiting_for_delete(const struct intake *i);
/* Whether receiving, or the calls for its messages, have failed ever since then (monotonic). */
bool intake_is_lost(const struct intake *i, int64_t since, struct lost_cause *ret_lost);
