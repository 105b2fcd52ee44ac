/* A message in flight: received, and neither deleted nor returned. One function moves it from state to state; what may
 * follow from that for others is decided in the worker's next turn. */
#pragma once

#include "applier.h"
#include "dead_letters.h"
#include "deletions.h"
#include "failure_audit.h"
#include "fifo_group.h"
#include "lease.h"
#include "parking.h"
#include "set_aside.h"
#include "visibilities.h"

#include <sys/queue.h>

/* Where a message stands.
 *
 * | state          | goes on to                                         | entering it                                 |
 * |----------------|----------------------------------------------------|---------------------------------------------|
 * | WAITING        | APPLYING, DEAD_LETTERING, RETURNING, LOST           | its lease begins | | APPLYING       |
 * DELETING, DEAD_LETTERING, RETURNING, LOST           | into the applier                            | | DEAD_LETTERING
 * | DELETING, APPLYING (confirmed again), RETURNING, LOST | its letter is made and queued             | | DELETING |
 * RETURNING (set aside), GONE                         | its update is freed; the group may pass it  | | RETURNING |
 * GONE                                               | its group breaks; an extension is awaited   | | LOST           |
 * GONE                                               | its group breaks                            | | GONE           |
 * -                                                  | freed at the end of the turn                | */
enum message_state {
    MESSAGE_WAITING,
    MESSAGE_APPLYING,
    MESSAGE_DEAD_LETTERING,
    MESSAGE_DELETING,
    MESSAGE_RETURNING,
    MESSAGE_LOST,
    MESSAGE_GONE,
    MESSAGE_STATES
};

struct messages;

struct message {
    struct job job; /* first: the applier gives it back to us */
    struct messages *all;
    struct sqs_message *received; /* owned */
    struct update *update; /* owned */
    enum message_state state;
    TAILQ_ENTRY(message) in_state;
    TAILQ_ENTRY(message) in_next; /* while it is next */
    bool is_next; /* its turn has come: it begins in the worker's next turn */
    struct place in_group; /* FIFO: the line of its message group */
    struct lease lease;
    struct visibility_change extension, comeback;
    struct deletion deletion;
    struct letter letter;
    bool applied_meanwhile; /* since it failed, another message of its key was applied here */
    bool harmless; /* done with: a further delivery would have no effect, however late */
};
TAILQ_HEAD(message_list, message);

struct message_totals {
    uint64_t received, applied, dead_lettered, given_back;
    uint64_t undeleted; /* done with, and not deleted in time: they may be delivered once more */
};

/* What the worker allows at present. */
struct message_rules {
    bool may_begin; /* not in a drain */
    bool may_try_anew; /* …where what is returned wouldn't come to a receive of ours */
    bool leaves; /* what can't be finished is returned */
};

/* The messages in flight of one queue, and what is done with them. Several may share an applier. */
struct messages {
    const struct platform *platform;
    const struct discovery_facts *facts;
    const struct update_context *context;
    struct applier *applier;
    struct message_rules rules;
    struct message_list in_state[MESSAGE_STATES];
    unsigned counts[MESSAGE_STATES];
    size_t bytes; /* of their bodies */
    struct message_list next;
    bool fifo;
    struct leases leases;
    struct fifo_groups groups;
    struct visibilities visibilities;
    struct deletions deletions;
    struct dead_letters dead_letters;
    struct failure_audit failure_audit;
    struct set_aside set_aside;
    struct parking parking;
    struct repeated_line lease_lost;
    struct message_totals totals;
    void (*changed)(void *ctx); /* something happened outside that may let others go on */
    void *ctx;
};

/* Of bodies: of what is in flight, which never exceeds it, and of what is expected on its way. */
#define IN_FLIGHT_BYTES_MAX ((size_t)64 << 20)

static inline struct message *message_of(struct job *job) {
    return (struct message *)job;
}

/* A message just received, WAITING: takes over `received`. NULL: no memory; it is left alone. */
MUST_USE struct message *message_new(struct messages *all, struct sqs_message *received, int64_t received_at);
/* The only way from one state to another; why is for the log. */
void message_enter(struct message *m, enum message_state state, const char *why);
/* It becomes visible again in some seconds. */
void message_return(struct message *m, unsigned seconds, const char *why);
/* It fails by itself for something on the network path: it becomes visible again, after ever longer. doing, code: for
 * the log. */
void message_set_aside(struct message *m, const char *doing, const char *code);
/* Whether an earlier delivery of it was set aside. */
bool message_was_set_aside(const struct message *m);
/* It got through. */
void message_got_through(const struct message *m);
/* Its update as if it had just come, by the table as it is now; a second request can be made of it. False: no memory.
 */
bool message_read_again(struct message *m);
/* Nothing of its group's line is to wait for it any more: the next one's turn has come. */
void message_pass_group(struct message *m);
/* It comes again, and those behind it in its group's line are returned, the last first. */
void message_break_group(struct message *m);
/* What was asked for to return it or to extend its lease has ended: it may be asked for now. */
void message_ask_to_return(struct message *m);
/* Of one that is GONE. */
void message_free(struct message *m);
