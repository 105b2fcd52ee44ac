/* Between the files of the queue worker. */
#pragma once

#include "batcher.h"
#include "dead_letter.h"
#include "engine.h"
#include "lines.h"
#include "parking.h"
#include "queue_worker.h"
#include "receive_attempts.h"
#include "receive_size.h"
#include "repeated_line.h"
#include "set_aside.h"

#include <sys/queue.h>

/* Where a held message stands. It goes down this list only. */
enum held_state {
    HELD_BEHIND, /* not begun: an earlier message of its group (FIFO) is first */
    HELD_WORKING, /* in the engine */
    HELD_DEAD_LETTER, /* failed; until the DLQ has acknowledged it */
    HELD_DELETING, /* applied, or in the DLQ */
    HELD_GIVING_BACK, /* becomes visible again */
    HELD_STATES
};

struct visibility_change {
    struct batch_entry entry;
    struct held *held;
    unsigned seconds;
};

/* A message that we hold: received, and neither deleted nor given back. */
struct held {
    struct job job; /* first: the engine gives it back to us */
    struct queue_worker *worker;
    struct sqs_message *message; /* owned */
    struct update *update; /* owned */
    enum held_state state;
    TAILQ_ENTRY(held) in_state;
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
TAILQ_HEAD(held_list, held);

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
struct poller {
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

struct until_empty {
    struct timer tick;
    struct call *call;
    unsigned empty_counts; /* in a row */
    int64_t empty_since;
    unsigned lonely_counts; /* in a row: nothing is left but messages that fail by themselves */
    unsigned count_failures; /* in a row */
    char cause[VERDICT_TEXT_SIZE]; /* of the last of them */
    bool suspects_told; /* that messages wait which fail as if by their own fault, without a hold */
    int64_t failing_since;
    enum exit_code blame;
};

/* Whether the backlog is worked off in time. */
struct forecast {
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
    struct worker_ports ports;
    struct queue_worker_options options;
    const struct discovery_facts *facts;
    struct update_context own_context; /* with the table as the last look found it */
    const struct update_context *context; /* … this one */
    queue_worker_done *done;
    void *user;

    struct engine engine;
    struct parking parking;
    struct set_aside set_aside;
    /* What the log hears once a minute at most, with a count. */
    struct {
        struct repeated_line lease_lost, body_alone, envelope_refused, plainer_form, no_record;
    } repeated;
    struct held_list held[HELD_STATES];
    unsigned held_counts[HELD_STATES];
    size_t held_bytes;
    bool fifo;
    struct lines groups;
    struct batcher removals, visibilities, dead_letters;
    int64_t deleting_since; /* monotonic: since then there is something to delete */
    LIST_HEAD(, failure_record) records;
    struct poller poller;
    struct until_empty until_empty;
    struct forecast forecast;

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

static inline struct held *held_of(struct job *job) {
    return (struct held *)job;
}
/* Of bodies: of what is held, which never exceeds it, and of what is expected on its way. */
#define HELD_BYTES_MAX ((size_t)64 << 20)

static inline unsigned held_count(const struct queue_worker *w) {
    unsigned count = 0;
    for (size_t i = 0; i < HELD_STATES; i++)
        count += w->held_counts[i];
    return count;
}

/* held.c */
/* Takes over messages just received, in their order. */
void held_take(struct queue_worker *w, struct sqs_message **messages, size_t count, int64_t received_at);
/* Its turn has come: it is on its way to the engine, or to the DLQ where it isn't fit. */
void held_begin(struct held *h);
/* Its update as if it had just come, by the table as it is now; a second request can be made of it. False: no memory.
 */
bool held_read_again(struct held *h);
void held_enter(struct held *h, enum held_state state);
void held_free(struct held *h);
/* Applied, or safe in the DLQ: it is deleted. harmless: a further delivery would have no effect. */
void held_delete(struct held *h, bool harmless);
/* It becomes visible again in some seconds; why is for the log. */
void held_give_back(struct held *h, unsigned seconds, const char *why);
/* It fails by itself for something on the network path: it becomes visible again, after ever longer. doing, code:
 * for the log. */
void held_set_aside(struct held *h, const char *doing, const char *code);
/* Whether an earlier delivery of it was set aside. */
bool held_was_set_aside(const struct held *h);
/* It got through. */
void held_back_from_aside(const struct held *h);
/* Whether what is done with can't be deleted for now. */
bool held_deletes_fail(const struct queue_worker *w);
/* Its lease is over: SQS gives it to whoever asks. */
void held_let_go(struct held *h);
extern const struct batcher_kind held_removals, held_visibilities;

/* groups.c */
/* Puts h behind all that are held of its group. *ret_first: there were none. False: no memory. */
MUST_USE bool group_enter(struct held *h, bool *ret_first);
/* h can have no effect any more: the next of its group begins. This and what follows do nothing where h stands in no
 * line (any more). */
void group_passed(struct held *h);
/* h comes again: those behind it are given back. */
void group_broken(struct held *h);
/* Whether others stand behind h. */
bool group_waits(const struct held *h);
/* h is gone, as far as its group is concerned. */
void group_forget(struct held *h);
/* Gives back messages that stand behind one that waits long, until no more are held than that. */
void groups_make_room(struct queue_worker *w, unsigned held_most);

/* Of what a group waits for, how long it lingers for company: at most 100 calls a second that aren't full. */
#define GROUP_LINGER (10 * MILLISECOND)

/* lease.c */
void lease_begin(struct held *h);
void lease_end(struct held *h);
/* When it is treated as over. */
int64_t lease_end_of(const struct held *h);
bool lease_allows_start(const struct held *h);
void lease_extended(struct held *h, enum batch_end end, const char *code);

/* poller.c */
void poller_init(struct queue_worker *w);
/* Asks for messages where that is allowed. */
void poller_pump(struct queue_worker *w);
/* Whether a receive is open that was asked for before then (monotonic). */
bool poller_asked_before(const struct queue_worker *w, int64_t then);
/* Ends all receives. */
void poller_stop(struct queue_worker *w);

/* dlq_sender.c */
void dlq_init(struct queue_worker *w);
/* Sends a failed message to the DLQ; deletes it when that was acknowledged. */
void dlq_send(struct held *h);
/* An update was applied: failures of the same key that wait for the DLQ are looked at once more. */
void dlq_applied(struct queue_worker *w, const struct update *u);
void dlq_forget(struct held *h);
void dlq_done(struct queue_worker *w);
/* Messages that wait for a DLQ that is in trouble, or for a confirmation that can't be had. */
unsigned dlq_waiting(const struct queue_worker *w);

/* forecast.c */
void forecast_init(struct queue_worker *w);
void forecast_stop(struct queue_worker *w);
/* A message came that was sent then (wall microseconds; 0: it isn't known). */
void forecast_received(struct queue_worker *w, int64_t sent_at);

/* until_empty.c */
void until_empty_init(struct queue_worker *w);
void until_empty_stop(struct queue_worker *w);
/* It has ended: says what went to the DLQ. */
void until_empty_report(const struct queue_worker *w);
/* A message came: the queue isn't empty. */
void until_empty_message(struct queue_worker *w);

/* drain.c */
void drain_init(struct queue_worker *w);
/* Ends the worker with a code, after a drain. */
void drain_begin(struct queue_worker *w, enum exit_code code);
/* Everything is given back at once. */
void drain_leave(struct queue_worker *w);
/* Whether nothing is left: then the end is reported. */
void drain_review(struct queue_worker *w);
/* The engine has changed: in a drain, what runs no longer is given back. */
void drain_engine_changed(struct queue_worker *w);
void drain_done(struct queue_worker *w);
