/* The life of credentials that have an end: fetched once for all who wait, renewed early, used on while their source is
 * down. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "credentials.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include <stdbool.h>

/* One of the two is NULL. Both are valid until this returns. */
typedef void credentials_fetched(void *user, const struct credentials *credentials,
                                 const struct credentials_failure *failure);

/* Where credentials can be asked for, each time anew. It takes a bounded time, whatever its other end does. */
struct credentials_source {
    void *impl;
    /* Asks. done is called exactly once, before this returns or later from the loop, unless cancelled. Never while it
     * is asking already. */
    void (*fetch)(void *impl, credentials_fetched *done, void *user);
    /* Ends asking without a callback; nothing happens where it doesn't ask. */
    void (*cancel)(void *impl);
    void (*release)(void *impl);
};
/* Takes a zeroed source too, and leaves one. */
void credentials_source_release(struct credentials_source *source);

/* All but the log's and the name's texts are borrowed, and outlive the provider. */
struct credentials_cache_options {
    const char *name; /* of the provider, for the log; a literal */
    bool expired_ones_count; /* the source itself gives expired ones while it can't renew them (IMDS) */
    struct clock clock;
    struct random *random;
    struct log *log;
};

/* A provider over a source, which it takes over and zeroes. Nothing is asked before somebody waits.
 *
 * One fetch at a time; who asks meanwhile waits for it, unless what is held is good enough. In the last quarter of an
 * hour (with jitter) of their life those held are given, and new ones are fetched beside it; in the last ten minutes
 * who asks waits for that. Where it fails, those held are used on, expired or not, and the source is asked again after
 * 5 to 10 minutes. Invalidated ones are never given before the source was asked again. Short lives have shorter
 * intervals. False: no memory (nothing was taken over). Not to be released from inside a ready callback. */
MUST_USE bool credentials_cache_new(struct credentials_source *source, const struct credentials_cache_options *options,
                                    struct credentials_provider *ret_provider);
