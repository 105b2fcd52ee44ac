#include "credentials_sources.h"

#include "credentials_held.h"

#include <stdio.h>
#include <stdlib.h>

static void env_get(void *impl, struct credentials_wait *wait) {
    credentials_hand_over(impl, wait);
}

static void env_cancel(void *impl, struct credentials_wait *wait) {
    (void)impl; /* no wait is ever pending */
    wait->pending = false;
}

static void env_invalidate(void *impl, struct span access_key_id) {
    (void)impl; /* the environment of a process doesn't change */
    (void)access_key_id;
}

static void env_release(void *impl) {
    credentials_let_go(impl);
}

enum source_status credentials_env_new(const struct environment *environment, struct credentials_provider *ret_provider,
                                       char ret_why[static SETTING_WHY_SIZE]) {
    const struct credentials c = {
        .access_key_id = span_cstr(environment_get(environment, "AWS_ACCESS_KEY_ID")),
        .secret_access_key = span_cstr(environment_get(environment, "AWS_SECRET_ACCESS_KEY")),
        .session_token = span_cstr(environment_get(environment, "AWS_SESSION_TOKEN")),
        .account_id = span_cstr(environment_get(environment, "AWS_ACCOUNT_ID")),
        .expires = NEVER,
    };
    /* As in the SDKs, a secret without an access key id means nothing: the next source is asked. */
    if (!c.access_key_id.data) {
        return SOURCE_ABSENT;
    }
    if (!c.secret_access_key.data) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not: set both or neither");
        return SOURCE_FAULTY;
    }
    if (!credentials_plausible(&c)) {
        (void)snprintf(
            ret_why, SETTING_WHY_SIZE,
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN or AWS_ACCOUNT_ID is too long, or has white "
            "space or other characters that no credentials have");
        return SOURCE_FAULTY;
    }
    struct credentials_held *held = credentials_hold(&c);
    if (!held) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "out of memory");
        return SOURCE_FAULTY;
    }
    *ret_provider = (struct credentials_provider){held, env_get, env_cancel, env_invalidate, env_release};
    return SOURCE_FOUND;
}
