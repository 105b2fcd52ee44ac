/* Deletes what is done with, in batches. */
#pragma once

#include "batcher.h"

struct deletion {
    struct batch_entry entry;
    struct span receipt_handle; /* borrowed while it is under way */
};

struct deletions {
    struct batcher batcher;
    const char *queue_url; /* borrowed */
    int64_t since; /* monotonic: since then there is something to delete */
    unsigned count; /* under way */
    void (*ended)(struct deletion *deletion, enum batch_end end, const char *code);
};

/* ended: a deletion's end, which may be added again. changed: after ends, and where trouble began or ended. */
void deletions_init(struct deletions *d, const struct platform *platform, const char *queue_url,
                    void (*ended)(struct deletion *deletion, enum batch_end end, const char *code),
                    void (*changed)(void *ctx), void *ctx);
/* Deletes it: until its time is over (monotonic), which is a while from now at least. alone: batches with it fail.
 * soon: a group waits for it. */
void deletions_add(struct deletions *d, struct deletion *deletion, int64_t until, bool alone, bool soon);
/* The handle serves longer now. */
void deletions_prolong(struct deletion *deletion, int64_t until);
/* Forgets it. */
void deletions_remove(struct deletions *d, struct deletion *deletion);
/* Whether what is done with can't be deleted for now. */
bool deletions_fail(const struct deletions *d);
