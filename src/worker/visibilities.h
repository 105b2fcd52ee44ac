/* Changes how long messages stay invisible, in batches: extends their leases, returns them to the queue. */
#pragma once

#include "batcher.h"

struct visibility_change {
    struct batch_entry entry;
    struct span receipt_handle; /* borrowed while it is under way */
    unsigned seconds; /* from now */
    bool returns; /* it returns the message; else it extends its lease */
};

struct visibilities {
    struct batcher batcher;
    const char *queue_url; /* borrowed */
    void (*ended)(struct visibility_change *change, enum batch_end end, const char *code);
};

/* ended: a change's end, which may be added again. changed: after ends, and where trouble began or ended. */
void visibilities_init(struct visibilities *v, const struct platform *platform, const char *queue_url,
                       void (*ended)(struct visibility_change *change, enum batch_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx);
/* Asks for it until then (monotonic). */
void visibilities_add(struct visibilities *v, struct visibility_change *change, int64_t until);
/* Forgets it. */
void visibilities_remove(struct visibilities *v, struct visibility_change *change);
