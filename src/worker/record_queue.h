/* Updates of one record run one after the other, the oldest first. This keeps the line of updates for each record.
 *
 * So a record gets one transaction a round trip from each process. Of two at once DynamoDB would cancel one for the
 * conflict, and their order would be chance. Several messages can't share a transaction, since it may touch an item
 * only once. Their updates would have to be merged into one. Its condition would fail for all of them or for none; and
 * its bytes would depend on which messages came together, while a retry under the same token needs the same bytes. */
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
/* Puts job into the line of its record, behind the first, where that has begun, and behind all that are older. False:
 * no memory. *ret_first: it is first now, and may run. *ret_displaced: the job that was first before and hadn't begun,
 * or NULL. */
MUST_USE bool record_queue_enter(struct record_queues *records, struct job *job, bool *ret_first,
                                 struct job **ret_displaced);
/* Takes job out of its line. Where it was the first, returns the new first; else NULL. */
struct job *record_queue_leave(struct record_queues *records, struct job *job);
/* Where job is the first of its line, and an older one waits behind it: puts job behind all older ones, and returns the
 * new first. NULL: there is no older one. ties: one that was sent in the same moment counts as older. */
struct job *record_queue_give_way(struct record_queues *records, struct job *job, bool ties);
/* The hash of the record in whose line job is, or was last. */
uint64_t record_queue_hash(const struct job *job);
/* How many jobs are in its line, itself included. */
unsigned record_queue_length(const struct job *job);
