/* A world in virtual time: one clock, one source of randomness, one SQS, one DynamoDB, any number of workers.
 * Everything follows from the seed. Nothing here sleeps; nothing here fails for lack of memory (it ends the process
 * instead). */
#pragma once

#include "buf.h"
#include "clock.h"
#include "digest.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include "sim_call.h"
#include "sim_dynamodb.h"
#include "sim_sqs.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define WORLD_BEGINS MICROSECONDS /* world time */
#define WORLD_WALL 1704677672343000LL /* when it begins: 2024-01-08T01:34:32.343Z */

#define WORLD_CLIENTS_MAX 8

struct world {
    int64_t now; /* monotonic microseconds */
    int64_t wall_shift; /* what the workers' wall clock is wrong by */
    uint64_t steps;
    struct timers timers; /* of the servers and the network, and of clients that never stand */
    struct sim_client *clients[WORLD_CLIENTS_MAX]; /* those that may; borrowed */
    size_t client_count;
    struct sim_client *client; /* who makes the calls that begin now; NULL: one that never stands */
    struct random random; /* of the servers and the network */
    struct clock clock;
    struct log log;
    struct buf log_text; /* all lines at or above `log.level` */
    struct digest *digest;
    struct sim_call_list calls;
    struct sim_sqs sqs;
    struct sim_dynamodb dynamodb;
    struct buf violations; /* of the invariants, a line each */
};

void world_init(struct world *w, uint64_t seed);
/* A client whose process may stand; it is borrowed. */
void world_add_client(struct world *w, struct sim_client *client);
/* Workers must be gone. */
void world_done(struct world *w);

/* When something is next due: a timer of the world's, or of a client's that doesn't stand by then; NEVER: nothing is.
 */
int64_t world_next(const struct world *w);
/* One step: the clock goes to what is next due, and what is due then fires. False: nothing is ever due. */
bool world_step(struct world *w);
/* Steps until the clock has gone on by so much. */
void world_run(struct world *w, int64_t microseconds);
/* Steps until the condition holds; false: it didn't within so much time. */
bool world_run_until(struct world *w, bool (*condition)(void *ctx), void *ctx, int64_t microseconds);

/* How often a text stands in the log. */
unsigned world_logged(const struct world *w, const char *text);
void world_forget_log(struct world *w);
/* Notes that an invariant was broken. */
void world_violated(struct world *w, const char *format, ...) PRINTF_LIKE(2, 3);

/* Memory that is there, or the process ends. */
void *world_alloc(size_t size);
char *world_text(struct span text);

/* The allocations between these are the world's own: they don't fail where a test has the layers' fail. */
extern volatile unsigned world_own_memory; /* a compiler may think that allocating never looks at it */
static inline void world_enter(void) {
    world_own_memory++;
}
static inline void world_leave(void) {
    world_own_memory--;
}
