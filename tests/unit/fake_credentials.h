/* One who asks a provider for credentials, and what it was told. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "credentials.h"

struct fake_asker {
    struct credentials_wait wait;
    unsigned answers;
    char id[64], secret[64], token[64]; /* "" after a failure */
    int64_t expires;
    enum call_class class; /* of a failure */
    char message[1024];
    void (*then)(struct fake_asker *asker); /* NULL, or called from inside ready */
    const struct credentials_provider *provider;
};

static inline void fake_copy(char text[64], struct span s) {
    (void)snprintf(text, 64, "%.*s", (int)s.len, s.data ? s.data : "");
}

static inline void fake_ready(void *user, const struct credentials *credentials,
                              const struct credentials_failure *failure) {
    struct fake_asker *a = user;
    a->answers++;
    a->id[0] = a->secret[0] = a->token[0] = a->message[0] = '\0';
    a->class = CALL_OK;
    if (failure) {
        a->class = failure->class;
        (void)snprintf(a->message, sizeof a->message, "%s", failure->message);
    }
    if (a->then) {
        a->then(a);
    }
    if (credentials) { /* read last: what then() did must not have taken them away */
        fake_copy(a->id, credentials->access_key_id);
        fake_copy(a->secret, credentials->secret_access_key);
        fake_copy(a->token, credentials->session_token);
        a->expires = credentials->expires;
    }
}

static inline void fake_ask(struct fake_asker *a, const struct credentials_provider *provider) {
    a->provider = provider;
    a->wait.ready = fake_ready;
    a->wait.user = a;
    credentials_get(provider, &a->wait);
}
