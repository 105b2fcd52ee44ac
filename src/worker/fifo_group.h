/* FIFO queues: the messages of one group take effect one after the other, in SQS's order. SQS delivers no more of a
 * group while one of its messages is in flight. So only messages that were received together can lose their order: of
 * these only the first has begun, and the others wait behind it in the group's line.
 *
 * A message leaves its line when it can have no effect any more. An audited one that was applied leaves at once, since
 * its audit record makes any further delivery harmless. Any other leaves when SQS has acknowledged its delete. Where
 * that delete fails, the message is delivered again. Without an audit record DynamoDB remembers its token for only ten
 * minutes, and one that failed may succeed the next time: it would overwrite messages behind it that had begun before.
 * So a group without audit records takes a delete's round trip for each message.
 *
 * A message that leaves its line in another way (it is returned, or its visibility timeout is over) comes again, and so
 * do all behind it. They become visible in reverse order, so that whoever receives the group next gets all of it. (Any
 * order would be safe: SQS holds back a message while an earlier one of its group is in flight.)
 *
 * This module keeps the lines, and tells who is next. What follows from that, its user decides. */
#pragma once

#include "keyed_queue.h"

#include <stdbool.h>

struct fifo_groups {
    struct keyed_queues queues;
};

void fifo_groups_init(struct fifo_groups *groups, uint64_t seed0, uint64_t seed1);
void fifo_groups_free(struct fifo_groups *groups);
/* Puts a place behind all others of its group. *ret_first: it is the first. False: no memory. */
MUST_USE bool fifo_group_enter(struct fifo_groups *groups, struct place *p, struct span group_id, bool *ret_first);
/* Takes a place out, if it is in a line. Where it was the first, returns the new first. NULL: it wasn't, or nobody is
 * left. */
struct place *fifo_group_leave(struct fifo_groups *groups, struct place *p);
/* Whether others stand behind it. */
bool fifo_group_waits(const struct place *p);
/* The first of its group; NULL: it stands in none. */
struct place *fifo_group_first(const struct place *p);
/* The last that stands behind p and before `end` (NULL: the end of the line); NULL: none does. */
struct place *fifo_group_last_behind(const struct place *p, const struct place *end);
