/* Updates of one record run one after the other, oldest first. This keeps who stands in line for which record.
 *
 * So a record takes one transaction a round trip from each process: of two at once DynamoDB would cancel one, for the
 * conflict, and the order would be chance. Several messages can't share a transaction: it may touch an item but once,
 * so that their updates would be merged into one, whose condition fails for all of them or for none, and whose bytes
 * would depend on who came together, where a retry under the same token needs the same bytes. */
#pragma once

#include "compiler.h"
#include "job.h"
#include "keyed_queue.h"

#include <stdbool.h>
#include <stdint.h>

struct record_queues {
    struct keyed_queues queues;
};

void record_queue_init(struct record_queues *records, uint64_t seed0, uint64_t seed1);
void record_queue_free(struct record_queues *records);
/* Puts job into the line of its record: behind the one that is under way (the first) and all that are older. False: no
 * memory. *ret_first: it is first, and may run; *ret_displaced: who was first until then and hadn't begun (an older job
 * that came later goes before it), or NULL. */
MUST_USE bool record_queue_enter(struct record_queues *records, struct job *job, bool *ret_first,
                                 struct job **ret_displaced);
/* Takes job out of its line. Returns the one that has become the first by it, or NULL. */
struct job *record_queue_leave(struct record_queues *records, struct job *job);
/* Where an older job waits behind job, the first of its line, for its turn: puts job behind all that are older, and
 * returns the new first. NULL: none does. ties: one sent in the same moment counts as older. */
struct job *record_queue_give_way(struct record_queues *records, struct job *job, bool ties);
/* The hash of the record that job stands, or last stood, in line for. */
uint64_t record_queue_hash(const struct job *job);
/* How many stand in line with it, itself included. */
unsigned record_queue_length(const struct job *job);
