/* Deletes messages that are done with, in batches. */
#pragma once

#include "batcher.h"

struct deletion {
    struct batch_entry entry;
    struct span receipt_handle; /* borrowed while it is under way */
};

struct deletions {
    struct batcher batcher;
    const char *queue_url; /* borrowed */
    int64_t since; /* monotonic: since when there is something to delete */
    unsigned count; /* under way */
    void (*ended)(struct deletion *deletion, enum batch_end end, const char *code);
};

/* ended: called at a deletion's end; it may be added again. changed: called after ends, and where trouble began or
 * ended. */
void deletions_init(struct deletions *d, const struct platform *platform, const char *queue_url,
                    void (*ended)(struct deletion *deletion, enum batch_end end, const char *code),
                    void (*changed)(void *ctx), void *ctx);
/* Deletes a message; tries until then (monotonic), and for at least a while from now. alone: it goes in no batch with
 * others, as such batches fail. soon: a message group waits for it. */
void deletions_add(struct deletions *d, struct deletion *deletion, int64_t until, bool alone, bool soon);
/* Its receipt handle is valid for longer now. */
void deletions_prolong(struct deletion *deletion, int64_t until);
/* Forgets it. */
void deletions_remove(struct deletions *d, struct deletion *deletion);
/* Whether messages that are done with can't be deleted for now. */
bool deletions_fail(const struct deletions *d);
