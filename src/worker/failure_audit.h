/* Writes the audit records of failures. Nothing else waits for these writes, and one that fails holds nothing up. */
#pragma once

#include "platform.h"
#include "repeated_line.h"
#include "update.h"

#include <sys/queue.h>

struct failure_put;

struct failure_audit {
    const struct platform *platform;
    const struct update_context *context; /* borrowed */
    LIST_HEAD(, failure_put) puts; /* under way */
    struct repeated_line no_record;
    void (*changed)(void *ctx); /* a write has ended */
    void *ctx;
};

void failure_audit_init(struct failure_audit *f, const struct platform *platform, const struct update_context *context,
                        void (*changed)(void *ctx), void *ctx);
/* Abandons what is under way. */
void failure_audit_done(struct failure_audit *f);
/* Writes the audit record of an update's failure, where the update has one. */
void failure_audit_put(struct failure_audit *f, const struct update *u, struct span message_id);
static inline bool failure_audit_is_idle(const struct failure_audit *f) {
    return LIST_EMPTY(&f->puts);
}
