/* A DLQ in virtual time, for the tests of what looks at it and of what moves it. */
#pragma once

#include "dlq_platform.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND MICROSECONDS

struct dlq_world {
    struct world w;
    struct sqs_api sqs;
    struct random random;
    struct dlq_platform platform;
    struct sim_queue *dlq;
};

static inline void dlq_world_init(struct dlq_world *d, uint64_t seed, bool fifo) {
    world_init(&d->w, seed);
    d->dlq = fifo ? sim_sqs_add_fifo_queue(&d->w.sqs, "dead.fifo") : sim_sqs_add_queue(&d->w.sqs, "dead");
    d->sqs = sim_sqs_api(&d->w.sqs);
    random_seed(&d->random, seed);
    d->platform = (struct dlq_platform){&d->sqs, &d->w.clock, &d->w.timers, &d->random, &d->w.log};
}

static inline void dlq_world_done(struct dlq_world *d) {
    world_done(&d->w);
}

/* Messages with the bodies r0, r1, … */
static inline void dlq_world_fill(struct dlq_world *d, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"id\":\"r%u\",\"attributes\":{\"n\":%u}}", i, i);
        sim_queue_send(d->dlq, body);
    }
}

static inline void dlq_world_fill_group(struct dlq_world *d, const char *group, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char body[64], id[64];
        (void)snprintf(body, sizeof body, "{\"id\":\"%s-%u\",\"attributes\":{\"n\":%u}}", group, i, i);
        (void)snprintf(id, sizeof id, "%s-%u", group, i);
        sim_queue_send_fifo(d->dlq, body, group, id);
    }
}
