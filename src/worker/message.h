/* A message in flight: received, and neither deleted nor returned yet. One function moves it from state to state. What
 * that means for other messages is decided in the worker's next turn. */
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

/* Where a message stands. For each state: what entering it does, and which states may follow.
 *
 * - WAITING: its lease begins. Then APPLYING, DEAD_LETTERING, RETURNING, LOST.
 * - APPLYING: it goes into the applier. Then DELETING, DEAD_LETTERING, RETURNING, LOST.
 * - DEAD_LETTERING: its letter is made and queued. Then DELETING, APPLYING (to confirm its failure again), RETURNING,
 *   LOST.
 * - DELETING: its update is freed, and its delete is queued; an audited one that was applied leaves its group's line.
 *   Then RETURNING (where the delete is set aside), GONE.
 * - RETURNING: those behind it in its group's line are returned as well; an extension under way is awaited. Then GONE.
 * - LOST: those behind it in its group's line are returned. Then GONE.
 * - GONE: it is freed at the end of the turn. */
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
    struct job job; /* first member: the applier hands the job back, and we cast it */
    struct messages *all;
    struct sqs_message *received; /* owned */
    struct update *update; /* owned */
    enum message_state state;
    TAILQ_ENTRY(message) in_state;
    TAILQ_ENTRY(message) in_next; /* in messages.next, while is_next */
    bool is_next; /* its turn has come: it begins in the worker's next turn */
    struct place in_group; /* FIFO: its place in the line of its message group */
    struct lease lease;
    struct visibility_change extension, comeback;
    struct deletion deletion;
    bool applied_meanwhile; /* since it failed, another message of its key was applied here */
    bool harmless; /* it is done with, and a further delivery would have no effect, however late */
    struct letter letter; /* the last member: most messages never have one made */
};
TAILQ_HEAD(message_list, message);

struct message_totals {
    uint64_t received, applied, dead_lettered, given_back;
    uint64_t undeleted; /* done with, and not deleted in time: they may be delivered once more */
};

/* What the worker allows at present. */
struct message_rules {
    bool may_begin; /* messages may begin: the worker doesn't drain */
    bool may_try_anew; /* a late failure may be confirmed by another try: the worker doesn't drain, or a receive of ours
                          is still open, to which a returned message could come */
    bool leaves; /* the worker is leaving: what can't be finished is returned */
};

/* The messages in flight of one queue, and the parts that work on them. Several queues may share an applier. */
struct messages {
    const struct platform *platform;
    const struct discovery_facts *facts;
    const struct update_context *context;
    struct applier *applier;
    struct message_rules rules;
    struct message_list in_state[MESSAGE_STATES];
    unsigned counts[MESSAGE_STATES];
    size_t bytes; /* of their bodies and attributes */
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
    int64_t late_quiet_until; /* monotonic: of messages_tell_late() */
    void (*changed)(void *ctx); /* something from outside has changed that may let messages go on */
    void *ctx;
};

/* The bound for the bytes of the messages in flight, together with those expected from open receives. */
#define IN_FLIGHT_BYTES_MAX ((size_t)64 << 20)

static inline struct message *message_of(struct job *job) {
    return (struct message *)job;
}

/* Makes a message of one just received, in the state WAITING. It takes over `received`. NULL: no memory; `received` is
 * still the caller's. */
MUST_USE struct message *message_new(struct messages *all, struct sqs_message *received, int64_t received_at);
/* Moves it to another state; nothing else does. why: for the log. */
void message_enter(struct message *m, enum message_state state, const char *why);
/* Returns it to the queue: it becomes visible again after so many seconds. */
void message_return(struct message *m, unsigned seconds, const char *why);
/* It fails by itself because of something on the network path: returns it to the queue, for longer each time. doing,
 * code: for the log. */
void message_set_aside(struct message *m, const char *doing, const char *code);
/* Whether an earlier delivery of it was set aside. */
bool message_was_set_aside(const struct message *m);
/* It got through after all: forgets that it was set aside. */
void message_got_through(const struct message *m);
/* Reads its update again, as if it had just come, by the table as it is now, so that a new request can be made of it.
 * False: no memory. */
bool message_read_again(struct message *m);
/* The messages behind it in its group's line needn't wait for it any longer: the next one's turn has come. */
void message_pass_group(struct message *m);
/* It will be delivered again: returns those behind it in its group's line, the last first. */
void message_break_group(struct message *m);
/* No extension of its lease is under way any more: asks SQS to make it visible again. */
void message_ask_to_return(struct message *m);
/* Frees a message that is GONE. */
void message_free(struct message *m);
