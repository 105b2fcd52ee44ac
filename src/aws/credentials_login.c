#include "credentials_local.h"

#include "cli_cache.h"
#include "credentials_document.h"

#include <stdio.h>
#include <stdlib.h>

struct login {
    char path[CLI_CACHE_PATH_SIZE];
    char profile[PLAN_PROFILE_SIZE];
    const struct credentials_world *world;
};

static const struct document_form form = {
    .object = "accessToken",
    .access_key_id = "accessKeyId",
    .secret_access_key = "secretAccessKey",
    .session_token = "sessionToken",
    .expiration = "expiresAt",
    .account_id = "accountId",
    .token_needed = true,
    .expiration_needed = true,
};

static void fail(const struct login *l, credentials_fetched *done, void *user, const char *what) {
    char why[TOKEN_WHY_SIZE + PLAN_PROFILE_SIZE + 128];
    (void)snprintf(why, sizeof why, "%s: type aws login --profile %.250s", what, l->profile);
    done(user, NULL, &(struct credentials_failure){CALL_AUTH, why});
}

static void login_fetch(void *impl, credentials_fetched *done, void *user) {
    const struct login *l = impl;
    struct buf text;
    char why[TOKEN_WHY_SIZE], reason[DOCUMENT_WHY_SIZE], what[TOKEN_WHY_SIZE + 64];
    buf_init(&text, CLI_CACHE_FILE_MAX);
    if (!small_file_read(l->path, &text, why)) {
        (void)snprintf(what, sizeof what, "nobody is logged in (%s)", why);
        fail(l, done, user, what);
        buf_wipe(&text);
        return;
    }
    struct credentials_document *d = credentials_document_read(buf_span(&text), &form, reason);
    buf_wipe(&text);
    if (!d) {
        (void)snprintf(what, sizeof what, "%.200s is no login's cache: %.128s", l->path, reason);
        fail(l, done, user, what);
    } else if (d->credentials.expires <= clock_wall(&l->world->clock)) {
        fail(l, done, user, "the credentials of the last login have expired");
    } else {
        done(user, &d->credentials, NULL);
    }
    credentials_document_free(d);
}

static void login_cancel(void *impl) {
    (void)impl; /* it never waits */
}

bool credentials_login_new(const struct credentials_plan *plan, const struct environment *environment,
                           const struct credentials_world *world, struct credentials_source *ret_source,
                           char ret_why[static SETTING_WHY_SIZE]) {
    struct login *l = calloc(1, sizeof *l);
    const char *folder = environment_get(environment, "AWS_LOGIN_CACHE_DIRECTORY");
    if (!l || !cli_cache_path(environment, folder, "login/cache", EVP_sha256(), plan->login_session, l->path)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "the cache of `aws login` can't be found: HOME and AWS_LOGIN_CACHE_DIRECTORY are not set, or "
                       "there is no memory");
        free(l);
        return false;
    }
    (void)snprintf(l->profile, sizeof l->profile, "%s", plan->profile);
    l->world = world;
    *ret_source = (struct credentials_source){l, login_fetch, login_cancel, free};
    return true;
}
