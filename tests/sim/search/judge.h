/* What must hold of every run, judged while it goes on: each call of each worker, and each commit at the server,
 * passes here. A broken promise is noted with the name of what it breaks: I1-I6, or `order`, `lease`, `drain`,
 * `recovery`, `liveness`, `named`.
 *
 * Readings that the words of the invariants leave open:
 * - I4, "before a DLQ send began": a send, however often it is tried, begins with the look that decides it. For an
 *   audited message that is the read that confirms (where there was none, the send itself); for another one the
 *   transaction that failed. What commits later is seen by nobody. Of several deliveries of one update at a worker
 *   the last look counts that it has heard of: one that is under way for another delivery tells it nothing yet. And a
 *   read that confirms isn't good for long: where a send is tried for longer, another follows.
 * - I5, "a receive": one whose answer reached a worker, of a message that wasn't done with by then. What SQS delivers
 *   twice by itself, what is lost on its way, and what SQS takes back because it refuses to change a visibility, no
 *   worker can prevent. One that was given back for want of room, or since an earlier one of its group comes again,
 *   was no cost of a fault; nor one that failed by the rule for a message alone, though it was two outages with a
 *   success in between that it met.
 * - I5, "set aside": twice in one delivery without an answer, or in the same way, whatever way that is, and another
 *   of its kind that began after that was applied. For what is sent to the DLQ, read or deleted it is the same with
 *   the others of that call; a 413 needs no other. It must be named by then.
 * - Drain: a message whose letter is on its way to the DLQ is left as it is, since that may yet be acknowledged; and
 *   one whose letter ended in the last moment, when there was no time left to give it back.
 * - I5, "a hold": a worker is in one from the second message that fails since DynamoDB last worked (a conflict, a false
 *   condition show that as well), from the first where it never did, as long as all that it holds has failed since, in
 *   an attempt begun since, or stands behind such by record or group. What failed before that, or was set aside, is
 *   known to be alone and tells nothing new; nor does it that it is tried again. What began before that, and is heard
 *   of later, may have met DynamoDB before it worked: until it fails again nobody knows whether it fails still, so that
 *   it makes no hold, and there is none while it is held; though a hold may count from when a second message at all was
 *   heard to fail. What was applied is none that it holds, once it has heard of that: until then it goes by how the
 *   attempts before failed. What waits for its confirming read has its verdict. Throttles are answered by a lower rate:
 *   where one that is held was throttled last, it is no hold here. A worker that holds nothing any more, and is told of
 *   its tables, begins as at its start. Of the receives in a hold those count that bring messages, since they alone
 *   cost any: from the beginning of the one to that of the next 5, 10, 20, 40, 60 s.
 * - "While others succeed" for single messages: what nothing is wrong with waits at most for the wrong ones before
 *   it, one after the other as just said.
 */
#pragma once

#include "plan.h"
#include "trace.h"
#include "world.h"

/* The code of a cancelled transaction's answer, for the judge, where it has this reason. */
#define REASON_VALIDATION "ValidationError"

struct holding { /* a message at a worker */
    unsigned life; /* 0: never */
    unsigned handle;
    int64_t received_at, told_until;
    bool returned; /* it gave the message back */
    bool declined; /* …not for a fault of the environment: it had no room for it, its group comes again, or it failed by
                      the rule for one alone */
    bool gone; /* it deleted it, or tried to */
    bool undeleted; /* …and was told that it is not deleted, */
    int64_t undeleted_at; /* then, last */
    bool undeleted_itself; /* …by an answer that judged it by itself */
    bool asked_back; /* it asked for it to be visible again, which may not have been answered yet */
    bool abandoned; /* …and gave it back then, though no other could be deleted either */
    unsigned costs; /* receives by this life that came to nothing */
    int64_t held; /* for how long, all those together */
};

struct seen { /* a message of the world, by its index */
    bool judged; /* on the source queue, with an update of the plan */
    unsigned update;
    char identity[SIM_MESSAGE_ID_SIZE]; /* the MessageId that its envelope names */
    int64_t sent_at, acked_at; /* acked_at: when the send began that the DLQ acknowledged; NEVER */
    unsigned last_holder;
    unsigned named_in[PLAN_WORKERS_MAX]; /* the worker's life when a warning last named it */
    struct holding holdings[PLAN_WORKERS_MAX];
};

/* How an update failed at a worker since it was delivered there last. */
struct failures_seen {
    char code[CALL_CODE_SIZE]; /* as if by its own fault, */
    unsigned alike; /* so often in a row, */
    int64_t alike_since; /* since then */
    /* The worker's `working` when it first failed in whatever way, when it last did, and when it last did so that it
     * counts as failing; 0: never. */
    unsigned failed, heard, failing;
    unsigned any; /* in any way that it could cause, */
    int64_t any_since; /* since then */
    unsigned refused;
    int64_t refused_since;
    bool refused_alone; /* again after others of its kind were applied */
};

/* What a worker does with a message besides its transactions, where something on the way may be in it. */
enum judged_doing { DOING_SEND_DEAD, DOING_READ, DOING_DELETE, DOINGS };
struct doing_seen { /* with one update, since it was delivered there last */
    unsigned failures;
    int64_t since; /* the first of them */
    bool too_large; /* a 413 among them: that is about what was sent, and no outage */
};

struct update_seen {
    struct doing_seen doing[PLAN_WORKERS_MAX][DOINGS];
    struct failures_seen own[PLAN_WORKERS_MAX];
    /* By worker: its `working` when it last failed in a way that it could cause, in an attempt begun since DynamoDB
     * last worked (0: never); its life in which it was last given back by the rule for one alone. */
    unsigned failed_in[PLAN_WORKERS_MAX], set_aside_in[PLAN_WORKERS_MAX];
    unsigned commits, audited_commits;
    int64_t first_commit, last_commit;
    /* By worker: when its last transaction began; when the last one that was answered began, and when one last failed;
     * when the last confirming read began that was answered. */
    int64_t transacted_at[PLAN_WORKERS_MAX], tried_at[PLAN_WORKERS_MAX], answered_at[PLAN_WORKERS_MAX],
        confirmed_at[PLAN_WORKERS_MAX];
    int64_t out_at[PLAN_WORKERS_MAX]; /* …when one last failed that began while DynamoDB was out; -1: none did */
    /* By worker: a send to the DLQ that it has not seen acknowledged, and when the look began that decided it. */
    unsigned dead_life[PLAN_WORKERS_MAX];
    int64_t dead_look[PLAN_WORKERS_MAX];
    unsigned letters_open[PLAN_WORKERS_MAX]; /* that are on their way */
    unsigned open[PLAN_WORKERS_MAX]; /* transactions of it that the worker has under way */
    int64_t letter_ended[PLAN_WORKERS_MAX]; /* when the last of them came to its end, with whatever answer */
    bool throttled[PLAN_WORKERS_MAX]; /* by worker: when it last failed in a way that it could cause, it was that */
    bool in_dlq_before; /* an envelope of it is, or was, in the DLQ */
    char log_id[65], asked_log_id[65];
};

struct judge_worker {
    unsigned life; /* from 1; 0: not yet */
    bool alive, stopping;
    int64_t started_at, stopping_at;
    unsigned running[PLAN_ALL_RECORDS];
    unsigned open_calls, open_receives, open_transactions;
    int64_t last_receive, tries_since;
    unsigned tries; /* transactions since then */
    bool throttled_since; /* some failure that counted in them was a throttle */
    int64_t success_began[2], success_at[2]; /* [audited]: the last transactions that were applied */
    int64_t did_at[DOINGS]; /* when it last did so with whatever message */
    int64_t deletes_answered_at; /* SQS judged the messages of a batch one by one, then, last */
    unsigned working; /* answers of a DynamoDB that works, from 1 */
    int64_t worked_at; /* when the last of them came */
    unsigned heard; /* different updates that failed, by answers since the last of them, */
    unsigned failing; /* …and those that failed in attempts begun since, and not before */
    int64_t failing_at; /* when it heard of the last of those that make it a hold */
    bool throttled; /* the last failure was that */
    unsigned extras; /* receives in that hold that brought something */
    int64_t extra_at; /* when the last of these began */
    int64_t cut_off_since; /* it can't have a request served: no connection, no credentials, no table; NEVER: it can */
    int64_t was_cut_off; /* when that began first since DynamoDB last worked; NEVER: it didn't */
    int64_t stood_until; /* its process stood, until then; 0: never */
    int64_t db_felt, sqs_felt; /* since when it has found DynamoDB, SQS out of order; NEVER: it hasn't */
    const struct plan_worker *plan;
};

struct fed {
    int64_t sent_at, applied_at; /* applied_at: NEVER while it isn't */
};

/* A transaction's answer. */
struct judged_answer {
    unsigned update;
    bool audited;
    int64_t began;
    const struct call_result *result; /* NULL: it was cancelled */
    bool applied_already; /* the audit's action says so */
    bool works; /* DynamoDB executed it, or said which condition was false */
};

/* A receive of a worker that should rather try what it holds. */
struct judged_receive {
    bool in_hold;
    unsigned working; /* the worker's, when it began */
};

struct judge {
    struct world *world;
    const struct plan *plan;
    struct trace *trace;
    struct sim_queue *queue, *dlq;
    struct judge_worker workers[PLAN_WORKERS_MAX];
    struct update_seen updates[PLAN_UPDATES_MAX];
    struct seen *seen;
    size_t seen_room;
    int64_t sqs_trouble_at; /* when SQS last was, or may have been, in trouble */
    int64_t delete_trouble_at; /* …so that no message was deleted for sure */
    int64_t change_trouble_at; /* …so that no visibility could be changed for sure */
    int64_t db_out_since; /* all transactions fail since; NEVER: they don't */
    int64_t sqs_out_since;
    uint64_t deliveries;
    unsigned broken;
    struct fed *fed; /* messages that nothing is wrong with, beside those of the plan */
    size_t fed_count, fed_room;
};

void judge_init(struct judge *j, struct world *w, const struct plan *p, struct trace *t);
void judge_done(struct judge *j);
void judge_broken(struct judge *j, const char *invariant, const char *format, ...) PRINTF_LIKE(3, 4);
/* A message of the source queue was sent: by a producer (identity NULL), or redriven under the identity of its
 * envelope. */
void judge_sent(struct judge *j, const struct sim_message *m, const char *identity);
struct seen *judge_seen(struct judge *j, const struct sim_message *m);
bool judge_is_settled(const struct judge *j, const struct seen *s);

/* By a worker. */
void judge_started(struct judge *j, unsigned worker);
void judge_stopping(struct judge *j, unsigned worker);
void judge_ended(struct judge *j, unsigned worker);
void judge_delivered(struct judge *j, unsigned worker, const struct sim_message *m, int64_t until);
void judge_call(struct judge *j, unsigned worker, int by);
struct judged_receive judge_receive(struct judge *j, unsigned worker);
void judge_transact(struct judge *j, unsigned worker, unsigned update);
void judge_transacted(struct judge *j, unsigned worker, const struct judged_answer *a);
/* The tables were described to it. */
void judge_described(struct judge *j, unsigned worker);
void judge_received(struct judge *j, unsigned worker, const struct call_result *result);
/* A receive brought messages; how many. */
void judge_brought(struct judge *j, unsigned worker, const struct judged_receive *receive, int64_t asked_at,
                   size_t count);
/* A confirming read was answered that began then. */
void judge_confirmed(struct judge *j, unsigned worker, unsigned update, int64_t began);
void judge_deleting(struct judge *j, unsigned worker, const struct sim_message *m);
/* A batch of deletes is answered by SQS, which judges each message by itself. */
void judge_deletes_answered(struct judge *j, unsigned worker);
/* A delete was answered, or not at all. */
void judge_deleted(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, bool ok,
                   const struct call_result *result);
/* It did, or failed to, with this answer to the whole call. update_count: with a message that isn't of the plan. */
void judge_did(struct judge *j, unsigned worker, unsigned update, enum judged_doing doing, bool ok,
               const struct call_result *result);
/* A line of the log, of level WARNING or above. */
void judge_warned(struct judge *j, struct span line);
/* The worker's process stands from now on until then. */
void judge_stands(struct judge *j, unsigned worker, int64_t until);
/* A change of visibility is asked for. */
void judge_changing(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, unsigned seconds);
/* …was asked for at sent_at, and is ok. */
void judge_changed(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, unsigned seconds,
                   int64_t sent_at);
/* identity: the MessageId in the envelope; "" where there is no envelope. */
void judge_sending_dead(struct judge *j, unsigned worker, unsigned update, struct span error_type);
void judge_dead_acknowledged(struct judge *j, unsigned worker, unsigned update, const char *identity, int64_t began);

/* A read names its record by log_id alone: that of an update whose transaction has been seen; update_count: none. */
unsigned judge_update_of_log_id(const struct judge *j, struct span body);

/* judge_beside.c: messages that nothing is wrong with, and how long they wait beside others. */
/* One is sent: its number, which its body names as "fed-N;". */
unsigned judge_feed(struct judge *j);
/* A transaction was committed. */
void judge_fed_applied(struct judge *j, struct span body);
/* One is sent to the DLQ. */
void judge_fed_dead(struct judge *j, unsigned worker, struct span body, struct span error_type);
/* When all is over: did they wait for what something was wrong with? And did that come to its end in time? */
void judge_beside(struct judge *j);

/* judge_end.c: when all has come to its end. */
void judge_end(struct judge *j);
/* Whatever a worker that was told to stop still had must be on the queue again. */
void judge_drained(struct judge *j, unsigned worker);
/* The MessageId that an envelope names; "" where the text has none. */
void judge_identity(struct span envelope, char ret_identity[static SIM_MESSAGE_ID_SIZE]);
