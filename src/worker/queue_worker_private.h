/* The queue worker's struct: only queue_worker.c knows it, and the tests that look inside. */
#pragma once

#include "intake.h"
#include "queue_worker.h"
#include "shutdown.h"
#include "until_empty.h"

struct queue_worker {
    struct platform platform;
    struct queue_worker_options options;
    const struct discovery_facts *facts;
    struct update_context context; /* with the table as the last look found it */
    queue_worker_done *done;
    void *user;

    struct applier applier;
    struct intake intake;
    struct until_empty until_empty;
    struct shutdown shutdown;

    bool in_turn;
    bool suspects_told; /* the log has heard that suspects wait while the breaker is closed */
    struct outcome outcome;
    struct timer shutdown_timer; /* the phase's time is over */
    struct timer end_timer; /* reports the end from the loop */
    struct timer summary_timer;
    struct message_totals summarised;
};
