/* Credentials, and where they come from: a provider is a small struct of functions, and the chain and the cache are
 * providers too. */
#pragma once

#include "call.h"
#include "clock.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

/* Upper bounds. The services' own limits (API references of IAM and STS) are below them. */
#define ACCESS_KEY_ID_SIZE 132
#define SECRET_ACCESS_KEY_SIZE 256
#define SESSION_TOKEN_MAX 16384
#define ACCOUNT_ID_SIZE 32

/* One set. The texts belong to the provider. */
struct credentials {
    struct span access_key_id;
    struct span secret_access_key;
    struct span session_token; /* absent or empty: none */
    struct span account_id; /* of the account that they belong to, where their source says it; else absent or empty */
    int64_t expires; /* wall microseconds; NEVER */
};

/* Why there are none. */
struct credentials_failure {
    enum call_class class; /* CALL_AUTH: there are none, or their source refuses us; CALL_RETRY: the source can't be
                              reached at present */
    const char *message; /* for people: what was tried, and what to mend; no secrets */
};

/* Somebody waits for credentials with this. It is embedded in the asker, so asking needs no memory and never fails. */
struct credentials_wait {
    /* credentials: valid until this returns; NULL: failure says why. This callback may start and cancel waits, also its
     * own one, which is over. */
    void (*ready)(void *user, const struct credentials *credentials, const struct credentials_failure *failure);
    void *user;
    struct credentials_wait *next, *previous; /* the provider's, while pending */
    bool pending; /* the provider's: set by get, cleared before ready and by cancel */
};

/* The functions never fail and never block. A provider that holds credentials gives them at once. */
struct credentials_provider {
    void *impl;
    /* Calls wait->ready exactly once, before it returns or later from the loop, unless cancelled. wait must stay where
     * it is until then. */
    void (*get)(void *impl, struct credentials_wait *wait);
    /* Ends a pending wait without a callback; nothing happens where it isn't pending. */
    void (*cancel)(void *impl, struct credentials_wait *wait);
    /* The service refused the credentials with this access key id: the next get asks the source again, unless the
     * provider holds a newer set by now (another access key id). Empty: nobody refused them, but newer ones may exist;
     * those held are given until the source has given new ones. A provider whose source never changes ignores it. */
    void (*invalidate)(void *impl, struct span access_key_id);
    /* Frees it. No wait may be pending. */
    void (*release)(void *impl);
};

/* The provider's functions by their names. */
static inline void credentials_get(const struct credentials_provider *p, struct credentials_wait *wait) {
    p->get(p->impl, wait);
}
/* Fine also if the wait is over. */
static inline void credentials_cancel(const struct credentials_provider *p, struct credentials_wait *wait) {
    if (wait->pending) {
        p->cancel(p->impl, wait);
    }
}
/* See invalidate above. */
static inline void credentials_invalidate(const struct credentials_provider *p, struct span access_key_id) {
    p->invalidate(p->impl, access_key_id);
}
/* Takes a zeroed provider too, and leaves a zeroed one. */
static inline void credentials_provider_release(struct credentials_provider *p) {
    if (p->release) {
        p->release(p->impl);
    }
    *p = (struct credentials_provider){0};
}
