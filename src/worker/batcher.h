/* Gathers entries (deletes, visibility changes, DLQ sends) into batches of up to ten, for which an entry waits a short
 * time. Tries failed entries again with a backoff, and makes only a few calls while the service is in trouble. Only
 * this module knows that a batch can fail in part.
 *
 * The network path may fail for one entry: a proxy that refuses it, a connection that is reset or silent each time. So
 * the entries of a call that failed as a whole become suspects. They go beside the others, in calls of their own, and
 * never hold them up; after two failures each goes alone. One that fails alone at least twice, while others succeed so
 * often that it can hardly be chance, is set aside: its owner gives it back. While nothing succeeds, it is an outage,
 * and all wait. */
#pragma once

#include "compiler.h"
#include "platform.h"
#include "sqs.h"
#include "trouble.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum batch_end {
    BATCH_DONE, /* the service acknowledged it */
    BATCH_REFUSED, /* the service refuses this entry as it is */
    BATCH_EXPIRED, /* its time was over before it got through */
    BATCH_SET_ASIDE /* it fails by itself, while others get through */
};

/* Whether an entry may go into a batch that is about to be sent. */
enum batch_leave {
    BATCH_GOES,
    BATCH_STAYS, /* it doesn't go with this batch, nor do those behind it */
    BATCH_TAKEN /* its owner has taken it back */
};

struct batch_flight;

/* One entry of a batch; its owner embeds it. Zeroed, it is idle. */
struct batch_entry {
    TAILQ_ENTRY(batch_entry) link;
    struct batch_flight *flight; /* the call it is in */
    size_t slot; /* its index in that call */
    bool queued; /* it stands in `queue`, or in `suspects` */
    bool suspect; /* a call with it failed as a whole: when queued, it stands in `suspects` */
    bool waiting; /* it failed, and waits outside the queues for a time of its own: nobody waits behind it */
    struct timer again;
    struct batcher *batcher; /* while it waits */
    bool solitary; /* batches with it have failed as a whole: it goes alone, until SQS has judged it by itself */
    size_t size; /* in bytes, where the bytes of a batch are bounded */
    int64_t expires; /* monotonic: when it is given up */
    int64_t due; /* monotonic: how long it waits for others to fill its batch */
    int64_t sent_at; /* monotonic: when its last call began */
    unsigned tries; /* tries that failed for this entry alone */
    unsigned failures; /* calls with it that failed as a whole, perhaps because of it */
    unsigned lonely; /* of these calls, those without any other entry */
    /* When it first failed: how many entries had got through, and how many tries had failed. failed_itself: how many of
     * those failed since are its own. */
    uint64_t through_then, failed_then;
    unsigned failed_itself;
};
TAILQ_HEAD(batch_queue, batch_entry);

struct batcher_kind {
    const char *what; /* for the log: "Deleting", "Sending to the DLQ" */
    enum metrics_batch counted_as;
    size_t max_bytes; /* of a batch; 0: not bounded, and entries are small */
    int64_t linger; /* microseconds that an entry waits for others to fill its batch */
    unsigned max_flights;
    bool halves_time; /* a call may take at most half of the time that its entries have left: the rest is for another
                         try */
    bool sets_aside; /* its entries may end BATCH_SET_ASIDE; else they are tried until they expire */
    /* Asked about each entry that is about to be sent. others_go: the batch has other entries already. NULL: all go. */
    enum batch_leave (*leave)(void *ctx, struct batch_entry *entry, bool others_go);
    /* Starts the call for entries; its done is batcher_answered with flight as user. NULL: no memory. */
    struct call *(*send)(void *ctx, struct batch_entry *const *entries, size_t count,
                         const struct call_options *options, struct batch_flight *flight);
    /* An entry has ended: it is idle again, and may be freed or added again. code: why, in words for the log; "" for
     * BATCH_DONE and BATCH_EXPIRED. */
    void (*ended)(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code);
    /* Called last of all, with changed_ctx: entries have ended or were taken, or trouble has begun or ended. NULL: not
     * called. */
    void (*changed)(void *ctx);
    void *changed_ctx;
};

/* Where a message group waits for an entry: how long the entry waits for others to fill its batch. This makes at most
 * 100 calls a second that aren't full. */
#define BATCH_GROUP_LINGER (10 * MILLISECOND)

LIST_HEAD(flight_list, batch_flight);

struct batcher {
    const struct platform *platform;
    struct batcher_kind kind;
    void *ctx;
    struct batch_queue queue, suspects;
    size_t queued, suspected; /* entries in each of the two */
    int64_t earliest; /* nothing in a queue expires before */
    struct batch_queue waiting;
    struct flight_list flights;
    unsigned flight_count, suspect_flights;
    struct timer timer;
    unsigned retrying; /* entries that failed, and haven't ended */
    uint64_t through; /* entries that got through */
    uint64_t failed_tries; /* tries that failed, but for repeated tries of an entry that goes alone */
    int64_t got_through; /* monotonic: when a call was last answered that had its effect on at least one entry */
    unsigned failures; /* calls in a row that failed as a whole; above 0, it is in trouble */
    unsigned first_failures; /* of these, those of entries that weren't suspect */
    struct trouble trouble;
    int64_t not_before, first_not_before; /* monotonic, in trouble: no call of suspects, or of other entries, before */
    int64_t silent_until; /* monotonic: before then the log hears of no entry that keeps failing alone */
    bool unreported; /* kind.changed is to be called */
    bool hurry; /* entries wait for no others any more, and there is no long wait in trouble */
};

void batcher_init(struct batcher *b, const struct platform *platform, const struct batcher_kind *kind, void *ctx);
/* Cancels its calls and forgets its entries, without `ended`. */
void batcher_done(struct batcher *b);
void batcher_add(struct batcher *b, struct batch_entry *entry);
/* The same, before all others. */
void batcher_add_first(struct batcher *b, struct batch_entry *entry);
/* Forgets an entry, queued, waiting or in flight (the call goes on, and may well have its effect). */
void batcher_remove(struct batcher *b, struct batch_entry *entry);
/* The first entry of the queue, and so its batch, waits for others no longer than this. */
void batcher_within(struct batcher *b, int64_t linger);
/* From now on entries are sent at once; in trouble, it tries again each second. */
void batcher_hurry(struct batcher *b);
static inline bool batch_entry_busy(const struct batch_entry *entry) {
    return entry->queued || entry->waiting || entry->flight;
}
static inline bool batcher_in_trouble(const struct batcher *b) {
    return b->failures > 0;
}
/* Whether it has been in trouble ever since that time, with something to send. */
static inline bool batcher_troubled_since(const struct batcher *b, int64_t since) {
    return b->failures > 0 && b->queued + b->suspected + b->flight_count > 0 && b->trouble.since <= since;
}
/* The answer to a call that kind.send started. */
void batcher_answered(void *flight, const struct call_result *result, const struct sqs_entry_result *entries,
                      size_t count);
