/* A worker in the world: its platform, the facts a discovery would find, and the worker itself. Several may share one
 * world. */
#pragma once

#include "queue_worker.h"
#include "world.h"

#define SIM_TABLE "users"
#define SIM_AUDIT_TABLE "audit_logs"
#define SIM_QUEUE "updates"
#define SIM_DLQ "updates-dlq"
#define SIM_FIFO_QUEUE "updates.fifo"
#define SIM_FIFO_DLQ "updates-dlq.fifo"

/* The usual tables and queues: a table `users` (string key `id`), `audit_logs`, `updates`, `updates-dlq`. */
void sim_usual_world(struct world *w, uint64_t seed);
/* The same with FIFO queues: `updates.fifo`, `updates-dlq.fifo`. */
void sim_fifo_world(struct world *w, uint64_t seed);

struct sim_worker {
    struct world *world;
    struct sim_client *client; /* whose process it is; NULL: one that never stands */
    struct sqs_api sqs;
    struct dynamodb_api dynamodb;
    struct random random;
    struct platform platform;
    struct metrics *metrics; /* NULL: it counts nothing */
    struct discovery_facts facts;
    struct update_context context;
    struct queue_worker_options options;
    struct queue_worker *worker;
    bool ended;
    struct outcome outcome;
    unsigned most_in_flight;
};

/* Makes it ready, audit on, with the contract's defaults; options and facts may be changed until sim_worker_start(). */
void sim_worker_init(struct sim_worker *s, struct world *w);
/* False: no memory. */
bool sim_worker_start(struct sim_worker *s);
/* As SIGTERM. */
void sim_worker_stop(struct sim_worker *s);
/* As SIGKILL, or the end of the process. Takes one that was not started. */
void sim_worker_kill(struct sim_worker *s);
