/* What must hold of every run: each broken one is noted in the world's violations.
 *   every message sent ends applied, in the DLQ, or still on the queue;
 *   the effects of one idempotency key are at most one, and equal its audit records;
 *   no source message is deleted before its transaction committed or the DLQ acknowledged its envelope;
 *   what had been applied before a DLQ send began is never newly sent there. */
#pragma once

#include "sim_worker.h"

struct invariants {
    struct world *world;
    struct sim_queue *queue, *dlq;
    struct json_object *dead; /* idempotency key → envelopes in the DLQ */
    struct json_object *dead_bodies; /* of those without an envelope */
    bool unaudited; /* effects may be repeated beyond the 10 minutes of a token */
};

/* Watches the first queue of the world and its DLQ, the second. */
void invariants_init(struct invariants *v, struct world *w);
/* At the end of a run. */
void invariants_check(struct invariants *v);
void invariants_done(struct invariants *v);
/* How many envelopes of a key the DLQ got. */
int invariants_dead(const struct invariants *v, const char *key);
/* The log_id of a message's idempotency key. */
void invariants_log_id(struct world *w, const char *key, char ret_log_id[static 65]);
/* A message's idempotency key: its own, an unwrapped one's, else its MessageId. */
void invariants_key(const struct sim_message *m, char *ret_key, size_t size);
