/* Changes the visibility timeouts of messages, in batches: to extend their leases, or to return them to the queue. */
#pragma once

#include "batcher.h"

struct visibility_change {
    struct batch_entry entry;
    struct span receipt_handle; /* borrowed while it is under way */
    unsigned seconds; /* from now */
    bool returns; /* true: returns the message; false: extends its lease */
};

struct visibilities {
    struct batcher batcher;
    const char *queue_url; /* borrowed */
    void (*ended)(struct visibility_change *change, enum batch_end end, const char *code);
};

/* ended: called at a change's end; it may be added again. changed: called after ends, and as trouble begins or ends. */
void visibilities_init(struct visibilities *v, const struct platform *platform, const char *queue_url,
                       void (*ended)(struct visibility_change *change, enum batch_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx);
/* Asks for a change; tries until then (monotonic). */
void visibilities_add(struct visibilities *v, struct visibility_change *change, int64_t until);
/* Forgets it. */
void visibilities_remove(struct visibilities *v, struct visibility_change *change);
