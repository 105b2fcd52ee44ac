/* Between the files of the redrive. */
#pragma once

#include "dlq_reader.h"
#include "key_set.h"
#include "letter_holds.h"
#include "limiter.h"
#include "redrive.h"
#include "redrive_entry.h"

#include <sys/queue.h>

#define REDRIVE_FLIGHTS 4 /* of sends, and of deletes */

/* What becomes of a message that is held. (struct hold's mark) */
enum redrive_mark {
    MARK_PARCEL, /* to be sent; its owner is the parcel */
    MARK_PASSED, /* stays; its owner is its group, which may be looked at again; or NULL */
    MARK_SENT, /* to be deleted; its owner is the parcel */
};

/* A FIFO group of which something was received in this pass. */
struct parcel_group {
    LIST_ENTRY(parcel_group) link;
    char *id;
    size_t id_len;
    unsigned parcels; /* of it, not settled yet */
    unsigned passed; /* held, and aren't meant */
    uint64_t skipped_in; /* the last batch (its number) that one of its messages was kept out of */
    bool busy; /* one is being sent: the next one waits for it */
    bool blocked; /* one couldn't be sent */
    bool moved; /* one was */
};
LIST_HEAD(parcel_groups, parcel_group);
#define GROUP_BUCKETS 4096

/* A message on its way. */
struct parcel {
    TAILQ_ENTRY(parcel) link;
    struct hold *hold;
    struct parcel_group *group; /* NULL on a standard queue */
    struct sqs_message *message; /* NULL once it was sent */
    struct letter *letter; /* likewise */
    struct redrive_entry entry;
    bool solitary; /* a batch with it has failed */
    uint64_t sent_before; /* how many had been sent when it first failed, or a batch with it */
    unsigned failures; /* alone, in a row */
    int64_t failing_since, retry_at; /* monotonic */
};
TAILQ_HEAD(parcel_list, parcel);

struct redrive_flight {
    struct redrive *redrive;
    struct call *call;
    struct parcel *parcels[SQS_BATCH_MAX];
    size_t count;
};

/* Trouble of one kind of call. */
struct redrive_trouble {
    int64_t since; /* monotonic; 0: none */
    unsigned failures; /* in a row */
    int64_t until; /* no call before; 0: at once */
};

struct redrive {
    struct dlq_platform platform;
    struct redrive_options options;
    struct redrive_host host;
    struct dlq_reader reader;
    struct holds holds;
    struct limiter limiter;
    struct parcel_list ready, sent, undeleted; /* to be sent; to be deleted; that a delete has failed for */
    size_t ready_count, ready_bytes;
    struct parcel_groups groups[GROUP_BUCKETS]; /* by their ids */
    uint64_t batches; /* that were filled so far */
    struct redrive_flight sends[REDRIVE_FLIGHTS], deletes[REDRIVE_FLIGHTS];
    unsigned sends_under_way, deletes_under_way;
    struct redrive_trouble send_trouble, delete_trouble;
    struct redrive_result result;
    struct call_result failure;
    uint64_t hash_seed[2];
    struct key_set early; /* keys of what was sent first */
    int64_t early_until; /* monotonic */
    uint64_t moved_before_pass;
    bool reading, stopping, returning, ended;
    bool proved; /* a delete has worked; until then, no more than one batch is under way */
    unsigned named; /* messages that couldn't be sent, and were named in the log */
    struct timer wake, end;
};

static inline int64_t redrive_now(const struct redrive *r) {
    return clock_monotonic(r->platform.clock);
}

/* redrive_trouble.c: nothing more is begun; result ends it, where it isn't NULL. */
void redrive_give_up(struct redrive *r, const struct call_result *result, const char *what);
/* A call failed: true where it is to be tried again, after a while. */
bool redrive_note_trouble(struct redrive *r, struct redrive_trouble *trouble, const struct call_result *result,
                          const char *what);
/* Wakes the redrive at the given moment, at the latest: it goes on with all that it can. */
void redrive_wake_at(struct redrive *r, int64_t moment);

/* redrive_take.c: a message was received. True: for the first time. */
bool redrive_took(void *ctx, struct sqs_message *m);
/* How many more can be received. */
size_t redrive_room(void *ctx);
/* It can't be sent, for reasons of its own: it stays, and so does all behind it in its group. Takes p over. */
void redrive_refuse(struct redrive *r, struct parcel *p, const char *why);
/* Frees the parcel; its hold stays. */
void parcel_free(struct parcel *p);

/* redrive_group.c: finds or makes it. NULL: no memory. */
MUST_USE struct parcel_group *parcel_group_of(struct redrive *r, struct span id);
/* Forgets it, where nothing of it is left to be known. */
void parcel_group_settle(struct parcel_group *group);
/* One of the group's parcels is settled; NULL is fine. */
void parcel_group_left(struct parcel_group *group);
/* The pass is over: gives back messages that aren't meant, where others of their group, which may be meant, stand
 * behind them. True: there were some. */
bool parcel_groups_reopen(struct redrive *r);
void parcel_groups_free(struct redrive *r);

/* redrive_send.c */
void redrive_pump_sends(struct redrive *r);
/* redrive_delete.c */
void redrive_pump_deletes(struct redrive *r);
