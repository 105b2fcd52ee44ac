#include "sim_worker.h"

#include <stdio.h>

static void add_tables(struct world *w) {
    sim_dynamodb_add_table(&w->dynamodb, SIM_TABLE, "id");
    sim_dynamodb_add_table(&w->dynamodb, SIM_AUDIT_TABLE, "log_id");
}

void sim_usual_world(struct world *w, uint64_t seed) {
    world_init(w, seed);
    world_enter();
    add_tables(w);
    sim_sqs_add_queue(&w->sqs, SIM_QUEUE);
    sim_sqs_add_queue(&w->sqs, SIM_DLQ);
    world_leave();
}

void sim_fifo_world(struct world *w, uint64_t seed) {
    world_init(w, seed);
    world_enter();
    add_tables(w);
    sim_sqs_add_fifo_queue(&w->sqs, SIM_FIFO_QUEUE);
    sim_sqs_add_fifo_queue(&w->sqs, SIM_FIFO_DLQ);
    world_leave();
}

static void fill_queue(struct queue_facts *facts, const struct sim_queue *queue) {
    snprintf(facts->url, sizeof facts->url, "%s", queue->url);
    snprintf(facts->name, sizeof facts->name, "%s", queue->name);
    facts->attributes = queue->attributes;
}

void sim_worker_init(struct sim_worker *s, struct world *w) {
    *s = (struct sim_worker){.world = w, .sqs = sim_sqs_api(&w->sqs), .dynamodb = sim_dynamodb_api(&w->dynamodb)};
    random_seed(&s->random, random_next(&w->random));
    s->facts.table = sim_dynamodb_table(&w->dynamodb, SIM_TABLE)->shape;
    s->facts.audit_table = sim_dynamodb_table(&w->dynamodb, SIM_AUDIT_TABLE)->shape;
    s->facts.audit_table_exists = true;
    fill_queue(&s->facts.queue, &w->sqs.queues[0]);
    fill_queue(&s->facts.dlq, &w->sqs.queues[1]);
    s->facts.visibility = w->sqs.queues[0].attributes.visibility_timeout;
    s->context = (struct update_context){.audit_table = SIM_AUDIT_TABLE,
                                         .audit_table_exists = true,
                                         .audit = AUDIT_ON,
                                         .user_agent = "table-updater/test",
                                         .digest = w->digest,
                                         .hash_seed = {1, 2}};
    s->options = (struct queue_worker_options){.max_in_flight = 256, .max_attempts = 5, .shutdown_timeout = 25};
}

static void on_done(void *user, struct outcome outcome) {
    struct sim_worker *s = user;
    s->ended = true;
    s->outcome = outcome;
}

bool sim_worker_start(struct sim_worker *s) {
    s->context.table = &s->facts.table;
    s->platform = (struct platform){.sqs = &s->sqs,
                                    .dynamodb = &s->dynamodb,
                                    .clock = &s->world->clock,
                                    .timers = s->client ? &s->client->timers : &s->world->timers,
                                    .random = &s->random,
                                    .log = &s->world->log,
                                    .metrics = s->metrics};
    s->ended = false;
    s->worker = queue_worker_start(&s->platform, &s->options, &s->facts, &s->context, on_done, s);
    return s->worker != NULL;
}

void sim_worker_stop(struct sim_worker *s) {
    queue_worker_stop(s->worker);
}

void sim_worker_kill(struct sim_worker *s) {
    queue_worker_free(s->worker);
    s->worker = NULL;
}
