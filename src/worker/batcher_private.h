/* Between the files of the batcher. */
#pragma once

#include "batcher.h"

#define BATCH_REASON_SIZE (CALL_CODE_SIZE + 32)

struct batch_flight {
    LIST_ENTRY(batch_flight) link;
    struct batcher *batcher;
    struct call *call;
    bool suspects; /* its entries were */
    int64_t began; /* monotonic */
    size_t count;
    struct batch_entry *entries[SQS_BATCH_MAX]; /* NULL: removed meanwhile */
};

static inline bool batch_entry_failed(const struct batch_entry *entry) {
    return entry->failures + entry->tries > 0;
}

/* batcher.c */
/* An entry's end; it is as new then. */
void batcher_end(struct batcher *b, struct batch_entry *entry, enum batch_end end, const char *code);
/* Tells that entries have ended, where some have. */
void batcher_report(struct batcher *b);
void batcher_put(struct batcher *b, struct batch_entry *entry, bool first);
/* It stands in a queue again then, or when its time is over. */
void batcher_wait_until(struct batcher *b, struct batch_entry *entry, int64_t due);
/* Never from inside a caller's own call: the timer does it. */
void batcher_pump_soon(struct batcher *b);

/* batcher_trouble.c: calls that fail as a whole: when the next one may begin, and what the log hears of it. */
/* A call of suspects, or of others, has failed, and none has got through since it began. */
void batcher_trouble_enter(struct batcher *b, const struct call_result *result, bool suspects, int64_t now);
/* One has got through. */
void batcher_trouble_leave(struct batcher *b, int64_t now);
/* The hurry has begun: the wait under way is cut short. */
void batcher_trouble_hurry(struct batcher *b);
/* The least time between two calls in trouble of what wasn't tried before. */
int64_t batcher_trouble_step(void);
