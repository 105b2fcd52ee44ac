/* Gathers entries (deletes, visibility changes, DLQ sends) into batches of ten with a short linger, and tries again
 * what failed: alone, with a backoff, one call at a time while the service is in trouble. It is the only one that knows
 * how a batch can fail in part.
 *
 * The network path may fail for one entry: a proxy that refuses it, a connection that is reset or silent each time. So
 * what failed in a call that failed as a whole becomes suspect: it goes beside the others, never before them; after two
 * failures each goes alone, side by side. One that fails alone, twice at least, while others succeed so often that
 * chance can hardly be it, is set aside: its owner gives it back. While nothing succeeds it is an outage, and all wait.
 */
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
    BATCH_STAYS, /* not with this batch, nor those behind it */
    BATCH_TAKEN /* its owner has taken it back */
};

struct batch_flight;

/* Part of what is sent. Zeroed, it is idle. */
struct batch_entry {
    TAILQ_ENTRY(batch_entry) link;
    struct batch_flight *flight; /* the call it is in */
    size_t slot; /* where in it */
    bool queued; /* in one of both queues… */
    bool suspect; /* …and in which: a call with it failed as a whole */
    bool waiting; /* it failed alone, and waits for its own turn: nobody waits behind it */
    struct timer again;
    struct batcher *batcher; /* while it waits */
    bool solitary; /* it goes alone, until it was judged by itself: batches with it have failed as a whole */
    size_t size; /* bytes, where batches are bounded by bytes */
    int64_t expires; /* monotonic: given up then */
    int64_t due; /* monotonic: doesn't wait for company any longer */
    int64_t sent_at; /* monotonic: when its last call began */
    unsigned tries; /* that failed for this entry alone */
    unsigned failures; /* calls with it that failed as a whole, perhaps over it */
    unsigned lonely; /* of these, those that had no other entry */
    /* When it failed for the first time: how many entries had got through, and how many first tries had failed; and how
     * many of those since are its own. */
    uint64_t through_then, failed_then;
    unsigned failed_itself;
};
TAILQ_HEAD(batch_queue, batch_entry);

struct batcher_kind {
    const char *what; /* for the log: "Deleting", "Sending to the DLQ" */
    enum metrics_batch counted_as;
    size_t max_bytes; /* of a batch; 0: no bound */
    int64_t linger; /* microseconds that an entry waits for company */
    unsigned max_flights;
    bool halves_time; /* a call takes half of what its entries have left at most: who was in its way has the rest */
    bool sets_aside; /* its entries may end BATCH_SET_ASIDE; else they are tried until they expire */
    /* Asked for each entry when its turn has come; others_go: the batch has others already. NULL: all go. */
    enum batch_leave (*leave)(void *ctx, struct batch_entry *entry, bool others_go);
    /* Starts the call for entries; its done is batcher_answered with flight as user. NULL: no memory. */
    struct call *(*send)(void *ctx, struct batch_entry *const *entries, size_t count,
                         const struct call_options *options, struct batch_flight *flight);
    /* An entry's end. It is idle again, and may be freed or added again. code: why, in words for the log; "" where it
     * is BATCH_DONE or BATCH_EXPIRED. */
    void (*ended)(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code);
    /* Entries have ended or were taken, or trouble has begun or ended: told last of all, with changed_ctx. NULL: nobody
     * asks. */
    void (*changed)(void *ctx);
    void *changed_ctx;
};

/* Of what a group waits for, how long it lingers for company: at most 100 calls a second that aren't full. */
#define BATCH_GROUP_LINGER (10 * MILLISECOND)

LIST_HEAD(flight_list, batch_flight);

struct batcher {
    const struct platform *platform;
    struct batcher_kind kind;
    void *ctx;
    struct batch_queue queue, suspects;
    size_t queued, suspected; /* in these */
    int64_t earliest; /* nothing in a queue expires before */
    struct batch_queue waiting;
    struct flight_list flights;
    unsigned flight_count, suspect_flights;
    struct timer timer;
    unsigned retrying; /* entries that failed, and haven't ended */
    uint64_t through; /* entries that got through */
    uint64_t failed_tries; /* that failed, but for repeated ones of what goes alone */
    int64_t got_through; /* monotonic: when the last call was answered that had its effect on an entry at least */
    unsigned failures; /* calls in a row that failed as a whole: in trouble where not 0 */
    unsigned first_failures; /* of these, those of entries that weren't suspect */
    struct trouble trouble;
    int64_t not_before, first_not_before; /* monotonic: no call of suspects, or of others, before; in trouble */
    int64_t silent_until; /* monotonic: of entries that keep failing alone, nothing is said before */
    bool unreported; /* kind.changed is to be called */
    bool hurry; /* no linger any more, and no long wait in trouble */
};

void batcher_init(struct batcher *b, const struct platform *platform, const struct batcher_kind *kind, void *ctx);
/* Ends its calls and forgets its entries, without `ended`. */
void batcher_done(struct batcher *b);
void batcher_add(struct batcher *b, struct batch_entry *entry);
/* The same, before all others. */
void batcher_add_first(struct batcher *b, struct batch_entry *entry);
/* Forgets an entry, queued, waiting or in flight (the call goes on, and may well have its effect). */
void batcher_remove(struct batcher *b, struct batch_entry *entry);
/* What is queued now waits for company no longer than this. */
void batcher_within(struct batcher *b, int64_t linger);
/* Sends at once what there is, and all that comes later; in trouble it tries again each second. */
void batcher_hurry(struct batcher *b);
static inline bool batch_entry_busy(const struct batch_entry *entry) {
    return entry->queued || entry->waiting || entry->flight;
}
static inline bool batcher_in_trouble(const struct batcher *b) {
    return b->failures > 0;
}
/* Whether it has been in trouble since that time, with something to send. */
static inline bool batcher_troubled_since(const struct batcher *b, int64_t since) {
    return b->failures > 0 && b->queued + b->suspected + b->flight_count > 0 && b->trouble.since <= since;
}
/* The answer to a call that kind.send started. */
void batcher_answered(void *flight, const struct call_result *result, const struct sqs_entry_result *entries,
                      size_t count);
