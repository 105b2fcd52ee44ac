/* FIFO queues: the messages of one group take effect one after the other, in the order that SQS gives them in. SQS
 * gives out no more of a group while one of it is in flight; so a group's order is lost, if at all, among those that
 * were received together. Of these only the first has begun, and the others stand behind it in the group's line.
 *
 * A message leaves its line when it can have no effect any more. An audited one that was applied: at once, since its
 * audit record makes any further delivery harmless. Any other: when SQS has acknowledged its delete. For where the
 * delete fails it is delivered again, and without an audit record DynamoDB remembers its token for ten minutes only,
 * and one that failed may succeed the next time: begun before that, its successors would be overwritten by it. This
 * costs a group without audit records a delete's round trip for each message.
 *
 * A message that leaves its line in any other way (returned, or its visibility timeout is over) comes again, and takes
 * all that stand behind it along. They become visible last first, so that whoever receives the group next gets it
 * whole. (In any order it would be safe: SQS holds back a message while an earlier one of its group is in flight.)
 *
 * This keeps who stands where, and says who is next; what follows for them is its user's. */
#pragma once

#include "keyed_queue.h"

#include <stdbool.h>

struct fifo_groups {
    struct keyed_queues queues;
};

void fifo_groups_init(struct fifo_groups *groups, uint64_t seed0, uint64_t seed1);
void fifo_groups_free(struct fifo_groups *groups);
/* Puts a place behind all others of its group. *ret_first: there were none. False: no memory. */
MUST_USE bool fifo_group_enter(struct fifo_groups *groups, struct place *p, struct span group_id, bool *ret_first);
/* Takes a place out, if it is in any. Returns the first of its group now where that was it; NULL: nobody is next. */
struct place *fifo_group_leave(struct fifo_groups *groups, struct place *p);
/* Whether others stand behind it. */
bool fifo_group_waits(const struct place *p);
/* The first of its group; NULL: it stands in none. */
struct place *fifo_group_first(const struct place *p);
/* The last that stands behind p and before `end` (NULL: the end of the line); NULL: none does. */
struct place *fifo_group_last_behind(const struct place *p, const struct place *end);
