/* How credentials that expire are kept: fetched once for all who wait, renewed early, and used further while their
 * source is down. */
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

/* Where credentials are fetched from, each time anew. A fetch takes a bounded time, whatever the other end does. */
struct credentials_source {
    void *impl;
    /* Starts a fetch. done is called exactly once, before this returns or later from the loop, unless cancelled. Not
     * called again while a fetch is under way. */
    void (*fetch)(void *impl, credentials_fetched *done, void *user);
    /* Ends a fetch without its callback; nothing happens if none is under way. */
    void (*cancel)(void *impl);
    void (*release)(void *impl);
};
/* Takes a zeroed source too, and leaves a zeroed one. */
void credentials_source_release(struct credentials_source *source);

/* The options are copied. What they point to is borrowed, and must outlive the provider. */
struct credentials_cache_options {
    const char *name; /* of the provider, for the log; a literal */
    bool expired_ones_count; /* the source itself gives expired ones while it can't renew them (IMDS) */
    struct clock clock;
    struct random *random;
    struct log *log;
};

/* A provider over a source, which it takes over and zeroes. It fetches nothing before somebody waits.
 *
 * There is one fetch at a time. Who asks meanwhile waits for it, unless the credentials held are good enough. In the
 * last quarter of an hour of their life (with jitter) those held are still given, while new ones are fetched. In the
 * last ten minutes whoever asks waits for that fetch. If it fails, those held are used further, expired or not, and the
 * source is asked again after 5 to 10 minutes. Invalidated ones are never given before the source was asked again.
 * Short lives have shorter intervals. False: no memory (nothing was taken over). Not to be released from inside a ready
 * callback. */
MUST_USE bool credentials_cache_new(struct credentials_source *source, const struct credentials_cache_options *options,
                                    struct credentials_provider *ret_provider);
