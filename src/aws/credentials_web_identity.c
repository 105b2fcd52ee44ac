#include "credentials_sts.h"

#include "role_session.h"
#include "token_file.h"

#include <stdio.h>
#include <stdlib.h>

struct web_identity {
    char *token_file, *role_arn, *session_name;
    const struct credentials_world *world;
    struct sts_call call;
    credentials_fetched *done;
    void *user;
};

static void on_answer(void *user, const struct credentials *credentials, const struct sts_failure *failure) {
    struct web_identity *w = user;
    if (credentials) {
        w->done(w->user, credentials, NULL);
        return;
    }
    char why[1024];
    (void)snprintf(why, sizeof why, "the role of the web identity (token in %.200s): %s", w->token_file,
                   failure->failure.message);
    w->done(w->user, NULL, &(struct credentials_failure){failure->failure.class, why});
}

static void web_identity_fetch(void *impl, credentials_fetched *done, void *user) {
    struct web_identity *w = impl;
    struct buf token;
    char why[TOKEN_WHY_SIZE];
    w->done = done;
    w->user = user;
    buf_init(&token, TOKEN_FILE_MAX);
    if (!token_file_read(w->token_file, &token, why)) {
        buf_wipe(&token);
        done(user, NULL, &(struct credentials_failure){CALL_RETRY, why});
        return;
    }
    sts_call_begin(&w->call, "AssumeRoleWithWebIdentity");
    role_add(&w->call, w->role_arn, w->session_name, &w->world->clock);
    sts_call_add(&w->call, "WebIdentityToken", buf_span(&token));
    buf_wipe(&token);
    sts_call_send(&w->call, NULL);
}

static void web_identity_cancel(void *impl) {
    struct web_identity *w = impl;
    sts_call_cancel(&w->call);
}

static void web_identity_release(void *impl) {
    struct web_identity *w = impl;
    sts_call_done(&w->call);
    free(w->token_file);
    free(w->role_arn);
    free(w->session_name);
    free(w);
}

bool credentials_web_identity_new(const struct credentials_plan *plan, const struct sts_place *place,
                                  const struct credentials_world *world, struct credentials_source *ret_source) {
    struct web_identity *w = calloc(1, sizeof *w);
    if (!w) {
        return false;
    }
    w->world = world;
    sts_call_init(&w->call, place, world, on_answer, w);
    w->token_file = role_text(plan->web_identity.token_file);
    w->role_arn = role_text(plan->web_identity.role_arn);
    w->session_name = role_text(plan->web_identity.session_name);
    if (!w->token_file || !w->role_arn || !w->session_name) {
        web_identity_release(w);
        return false;
    }
    *ret_source = (struct credentials_source){w, web_identity_fetch, web_identity_cancel, web_identity_release};
    return true;
}
