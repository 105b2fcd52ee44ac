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
    struct span id = span_cstr(environment_get(environment, "AWS_ACCESS_KEY_ID"));
    struct span secret = span_cstr(environment_get(environment, "AWS_SECRET_ACCESS_KEY"));
    struct span token = span_cstr(environment_get(environment, "AWS_SESSION_TOKEN"));
    if (!id.data && !secret.data) {
        return SOURCE_ABSENT;
    }
    if (!id.data || !secret.data) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "%s is set, but %s is not: set both or neither",
                       id.data ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY", id.data ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return SOURCE_FAULTY;
    }
    if (!credentials_plausible(id, secret, token)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is too long, or has white space or other characters "
                       "that no credentials have");
        return SOURCE_FAULTY;
    }
    struct credentials_held *held = credentials_hold(id, secret, token, NEVER);
    if (!held) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "out of memory");
        return SOURCE_FAULTY;
    }
    *ret_provider = (struct credentials_provider){held, env_get, env_cancel, env_invalidate, env_release};
    return SOURCE_FOUND;
}
