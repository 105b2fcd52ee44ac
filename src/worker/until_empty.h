/* `run --until-empty`: checks once a second whether the work is done, or can't be done. */
#pragma once

#include "discovery.h"
#include "platform.h"
#include "queue_end.h"
#include "trouble.h"

struct until_empty_host {
    struct queue_end_view (*view)(void *ctx);
    /* Whether a fault of the environment has lasted ever since then (monotonic). */
    bool (*is_lost)(void *ctx, int64_t since, struct lost_cause *ret_lost);
    /* Logs what is waited for, where nothing else does. */
    void (*tell)(void *ctx);
    /* The work is over: the queue is empty, or only messages that fail are left. */
    void (*ended)(void *ctx, enum queue_end_verdict how);
    /* The work is over: the environment has failed for too long. */
    void (*lost)(void *ctx, enum cause cause);
    void *ctx;
};

struct until_empty {
    const struct platform *platform;
    const struct queue_facts *queue; /* borrowed */
    struct until_empty_host host;
    struct queue_end end;
    struct timer tick;
    struct call *call;
    struct trouble trouble; /* the counts can't be had */
};

/* queue is borrowed. */
void until_empty_start(struct until_empty *u, const struct platform *platform, const struct queue_facts *queue,
                       const struct until_empty_host *host);
/* Ends it; takes a zeroed one. */
void until_empty_stop(struct until_empty *u);
