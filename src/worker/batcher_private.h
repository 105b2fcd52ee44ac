/* Between the files of the batcher. */
#pragma once

#include "batcher.h"

#define BATCH_REASON_SIZE (CALL_CODE_SIZE + 32)
#define BATCH_SENTENCE_SIZE 160 /* of the log, with kind.what in it */

struct batch_flight {
    LIST_ENTRY(batch_flight) link;
    struct batcher *batcher;
    struct call *call;
    bool suspects; /* its entries were suspects when it began */
    int64_t began; /* monotonic */
    size_t count;
    struct batch_entry *entries[SQS_BATCH_MAX]; /* NULL: removed meanwhile */
};

static inline bool batch_entry_failed(const struct batch_entry *entry) {
    return entry->failures + entry->tries > 0;
}

/* batcher.c */
/* Ends an entry, which is as good as new then. */
void batcher_end(struct batcher *b, struct batch_entry *entry, enum batch_end end, const char *code);
/* Calls kind.changed, where something has happened that it reports. */
void batcher_report(struct batcher *b);
void batcher_put(struct batcher *b, struct batch_entry *entry, bool first);
/* Lets an entry wait outside the queues until due, or until it expires; then it is queued again. */
void batcher_wait_until(struct batcher *b, struct batch_entry *entry, int64_t due);
/* Sends from the timer, never from inside a caller's own call. */
void batcher_pump_soon(struct batcher *b);

/* batcher_trouble.c: calls that fail as a whole: when the next one may begin, and what the log hears of it. */
/* A call of suspects, or of other entries, has failed as a whole: the trouble begins or goes on. */
void batcher_trouble_enter(struct batcher *b, const struct call_result *result, bool suspects, int64_t now);
/* SQS has answered a call entry by entry: the trouble is over. */
void batcher_trouble_leave(struct batcher *b, int64_t now);
/* batcher_hurry() was called: cuts the wait under way short. */
void batcher_trouble_hurry(struct batcher *b);
/* In trouble, the least time between two calls of entries that aren't suspect. */
int64_t batcher_trouble_step(void);
