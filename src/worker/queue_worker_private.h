/* Between the files of the queue worker. */
#pragma once

#include "batcher.h"
#include "dead_letter.h"
#include "applier.h"
#include "keyed_queue.h"
#include "parking.h"
#include "queue_worker.h"
#include "receive_attempts.h"
#include "receive_size.h"
#include "repeated_line.h"
#include "set_aside.h"

#include <sys/queue.h>

/* Where a message in flight stands. It goes down this list only. */
enum message_state {
    MESSAGE_WAITING, /* not begun: an earlier message of its group (FIFO) is first */
    MESSAGE_APPLYING, /* in the applier */
    MESSAGE_DEAD_LETTERING, /* failed; until the DLQ has acknowledged it */
    MESSAGE_DELETING, /* applied, or in the DLQ */
    MESSAGE_RETURNING, /* becomes visible again */
    MESSAGE_STATES
};

struct visibility_change {
    struct batch_entry entry;
    struct message *message;
    unsigned seconds;
};

/* A message in flight: received, and neither deleted nor given back. */
struct message {
    struct job job; /* first: the applier gives it back to us */
    struct queue_worker *worker;
    struct sqs_message *received; /* owned */
    struct update *update; /* owned */
    enum message_state state;
    TAILQ_ENTRY(message) in_state;
    struct place in_group; /* FIFO: the line of its message group */

    /* Its lease: how long SQS keeps it from others. */
    struct timer lease_timer; /* runs while it has one */
    bool last_lease; /* SQS extends it no further */
    bool lost; /* SQS may have given it to another */
    int64_t received_at; /* monotonic */
    int64_t lease_until; /* monotonic */
    struct visibility_change extend, give_back;

    struct batch_entry removal;
    struct batch_entry sending; /* to the DLQ */
    struct dead_letter letter;
    bool letter_made;
    bool applied_meanwhile; /* since it failed, another message of its key was applied here */
    enum dead_letter_form least_form;
    bool without_attributes; /* the DLQ refused one that had the original's */
    bool harmless; /* done with: a further delivery would have no effect, however late */
};
TAILQ_HEAD(message_list, message);

struct receive {
    LIST_ENTRY(receive) link;
    struct queue_worker *worker;
    struct call *call;
    struct receive_attempt attempt;
    size_t reserved_bytes;
    int64_t asked_at; /* monotonic */
    int64_t late_at; /* monotonic: when its answer is late */
};

/* How many receives are out, and when the next may be. */
struct receiver {
    LIST_HEAD(, receive) receives;
    unsigned count;
    unsigned target; /* as many as the rate needs */
    unsigned reserved_messages;
    size_t reserved_bytes;
    struct receive_size size;
    unsigned failures; /* in a row */
    bool pauses; /* after them: not after the first, where it may have been one message's */
    bool told; /* that receiving fails */
    int64_t told_until; /* monotonic: of a single failure nothing more is told before */
    int64_t failing_since;
    enum exit_code blame;
    char cause[VERDICT_TEXT_SIZE]; /* of the failures, as it is in the log */
    struct timer timer; /* after a failure, or to not_before */
    struct timer late_timer; /* when a receive is late */
    int64_t spare_until; /* monotonic: one was late not long ago */
    int64_t not_before; /* monotonic: no receive before */
    unsigned empty_in_a_row; /* answers */
    struct receive_attempts attempts; /* FIFO */
    bool waits_for_deletes;
    bool last_was_empty; /* the last answer held no message, after a wait of at least a second */
};

struct queue_end {
    struct timer tick;
    struct call *call;
    unsigned empty_counts; /* in a row */
    int64_t empty_since;
    unsigned lonely_counts; /* in a row: nothing is left but messages that fail by themselves */
    unsigned count_failures; /* in a row */
    char cause[VERDICT_TEXT_SIZE]; /* of the last of them */
    bool suspects_told; /* that messages wait which fail as if by their own fault, while the breaker is closed */
    int64_t failing_since;
    enum exit_code blame;
};

/* Whether the backlog is worked off in time. */
struct backlog {
    struct timer timer;
    struct call *call;
    unsigned retention; /* seconds; 0: not told */
    int64_t looked_at; /* monotonic */
    int64_t silent_until; /* monotonic: a warning is not repeated before */
    int64_t
        oldest_sent; /* wall: of those received since the last look, or where none came, before it; 0: none ever came */
    bool looked; /* since the last one came */
    uint64_t backlog_before, done_before, received_before; /* at that look */
};

/* A failure's audit record on its way; nothing waits for it. */
struct failure_record {
    LIST_ENTRY(failure_record) link;
    struct queue_worker *worker;
    char message_id[REPEATED_ID_SIZE];
    struct buf request;
    struct call *call;
};

enum worker_phase {
    PHASE_WORKING,
    PHASE_DRAINING, /* what runs is finished, the rest is given back */
    PHASE_LEAVING, /* everything is given back, as soon as no receive is open */
    PHASE_ENDED
};

struct queue_worker {
    struct platform platform;
    struct queue_worker_options options;
    const struct discovery_facts *facts;
    struct update_context own_context; /* with the table as the last look found it */
    const struct update_context *context; /* … this one */
    queue_worker_done *done;
    void *user;

    struct applier applier;
    struct parking parking;
    struct set_aside set_aside;
    /* What the log hears once a minute at most, with a count. */
    struct {
        struct repeated_line lease_lost, body_alone, envelope_refused, plainer_form, no_record;
    } repeated;
    struct message_list messages[MESSAGE_STATES];
    unsigned message_counts[MESSAGE_STATES];
    size_t message_bytes;
    bool fifo;
    struct keyed_queues groups;
    struct batcher removals, visibilities, dead_letters;
    int64_t deleting_since; /* monotonic: since then there is something to delete */
    LIST_HEAD(, failure_record) records;
    struct receiver receiver;
    struct queue_end queue_end;
    struct backlog backlog;

    enum worker_phase phase;
    bool leaving_now; /* in PHASE_LEAVING: the receives have ended, and everything has been given back */
    enum exit_code exit_code;
    int64_t drain_began; /* monotonic */
    struct timer drain_timer; /* to PHASE_LEAVING, then to the end */
    struct timer end_timer; /* reports the end from the loop */
    struct timer summary_timer;
    uint64_t arrivals;
    struct queue_worker_status totals, summarised;
};

static inline struct message *message_of(struct job *job) {
    return (struct message *)job;
}
/* Of bodies: of what is in flight, which never exceeds it, and of what is expected on its way. */
#define IN_FLIGHT_BYTES_MAX ((size_t)64 << 20)

static inline unsigned messages_in_flight(const struct queue_worker *w) {
    unsigned count = 0;
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        count += w->message_counts[i];
    return count;
}

/* message.c */
/* Takes over messages just received, in their order. */
void messages_take(struct queue_worker *w, struct sqs_message **messages, size_t count, int64_t received_at);
/* Its turn has come: it is on its way to the applier, or to the DLQ where it isn't fit. */
void message_begin(struct message *m);
/* Its update as if it had just come, by the table as it is now; a second request can be made of it. False: no memory.
 */
bool message_read_again(struct message *m);
void message_enter(struct message *m, enum message_state state);
void message_free(struct message *m);
/* Applied, or safe in the DLQ: it is deleted. harmless: a further delivery would have no effect. */
void message_delete(struct message *m, bool harmless);
/* It becomes visible again in some seconds; why is for the log. */
void message_return(struct message *m, unsigned seconds, const char *why);
/* It fails by itself for something on the network path: it becomes visible again, after ever longer. doing, code:
 * for the log. */
void message_set_aside(struct message *m, const char *doing, const char *code);
/* Whether an earlier delivery of it was set aside. */
bool message_was_set_aside(const struct message *m);
/* It got through. */
void message_back_from_aside(const struct message *m);
/* Whether what is done with can't be deleted for now. */
bool deletions_fail(const struct queue_worker *w);
/* Its lease is over: SQS gives it to whoever asks. */
void message_lose(struct message *m);
extern const struct batcher_kind deletions_kind, visibilities_kind;

/* fifo_group.c */
/* Puts m behind all that are in flight of its group. *ret_first: there were none. False: no memory. */
MUST_USE bool group_enter(struct message *m, bool *ret_first);
/* m can have no effect any more: the next of its group begins. This and what follows do nothing where m stands in no
 * line (any more). */
void group_passed(struct message *m);
/* m comes again: those behind it are given back. */
void group_broken(struct message *m);
/* Whether others stand behind m. */
bool group_waits(const struct message *m);
/* m is gone, as far as its group is concerned. */
void group_forget(struct message *m);
/* Gives back messages that stand behind one that waits long, until no more are in flight than that. */
void groups_make_room(struct queue_worker *w, unsigned in_flight_most);

/* Of what a group waits for, how long it lingers for company: at most 100 calls a second that aren't full. */
#define GROUP_LINGER (10 * MILLISECOND)

/* lease.c */
void lease_begin(struct message *m);
void lease_end(struct message *m);
/* When it is treated as over. */
int64_t lease_end_of(const struct message *m);
bool lease_allows_start(const struct message *m);
void lease_extended(struct message *m, enum batch_end end, const char *code);

/* receiver.c */
void receiver_init(struct queue_worker *w);
/* Asks for messages where that is allowed. */
void receiver_pump(struct queue_worker *w);
/* Whether a receive is open that was asked for before then (monotonic). */
bool receiver_asked_before(const struct queue_worker *w, int64_t then);
/* Ends all receives. */
void receiver_stop(struct queue_worker *w);

/* dead_letters.c */
void dead_letters_init(struct queue_worker *w);
/* Sends a failed message to the DLQ; deletes it when that was acknowledged. */
void dead_letters_send(struct message *m);
/* An update was applied: failures of the same key that wait for the DLQ are looked at once more. */
void dead_letters_applied(struct queue_worker *w, const struct update *u);
void dead_letters_forget(struct message *m);
void dead_letters_done(struct queue_worker *w);
/* Messages that wait for a DLQ that is in trouble, or for a confirmation that can't be had. */
unsigned dead_letters_waiting(const struct queue_worker *w);

/* backlog.c */
void backlog_init(struct queue_worker *w);
void backlog_stop(struct queue_worker *w);
/* A message came that was sent then (wall microseconds; 0: it isn't known). */
void backlog_received(struct queue_worker *w, int64_t sent_at);

/* queue_end.c */
void queue_end_init(struct queue_worker *w);
void queue_end_stop(struct queue_worker *w);
/* It has ended: says what went to the DLQ. */
void queue_end_report(const struct queue_worker *w);
/* A message came: the queue isn't empty. */
void queue_end_message(struct queue_worker *w);

/* shutdown.c */
void shutdown_init(struct queue_worker *w);
/* Ends the worker with a code, after a drain. */
void shutdown_begin(struct queue_worker *w, enum exit_code code);
/* Everything is given back at once. */
void shutdown_leave(struct queue_worker *w);
/* Whether nothing is left: then the end is reported. */
void shutdown_review(struct queue_worker *w);
/* The applier has changed: in a drain, what runs no longer is given back. */
void shutdown_applier_changed(struct queue_worker *w);
void shutdown_done(struct queue_worker *w);
