#include "credentials_sts.h"

#include "role_session.h"

#include <stdio.h>
#include <stdlib.h>

struct assume_role {
    char *role_arn, *session_name, *external_id;
    unsigned duration;
    const struct credentials_world *world;
    struct credentials_provider signer;
    struct credentials_wait wait;
    struct sts_call call;
    bool signer_renewed; /* in this fetch, the signer's keys were refused once already */
    credentials_fetched *done;
    void *user;
};

static void fail(struct assume_role *a, const struct credentials_failure *failure) {
    char why[1024];
    (void)snprintf(why, sizeof why, "the role %.200s: %s", a->role_arn, failure->message);
    a->done(a->user, NULL, &(struct credentials_failure){failure->class, why});
}

static void ask_signer(struct assume_role *a) {
    credentials_get(&a->signer, &a->wait);
}

static void on_answer(void *user, const struct credentials *credentials, const struct sts_failure *failure) {
    struct assume_role *a = user;
    if (credentials) {
        a->done(a->user, credentials, NULL);
    } else if (failure->keys_refused && !a->signer_renewed) {
        /* The signer's keys may have changed. */
        a->signer_renewed = true;
        credentials_invalidate(&a->signer, span_cstr(a->call.signer.id));
        ask_signer(a);
    } else {
        fail(a, &failure->failure);
    }
}

static void on_signer(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct assume_role *a = user;
    if (!credentials) {
        fail(a, failure);
        return;
    }
    sts_call_begin(&a->call, "AssumeRole");
    role_add(&a->call, a->role_arn, a->session_name, &a->world->clock);
    if (a->external_id[0]) {
        sts_call_add(&a->call, "ExternalId", span_cstr(a->external_id));
    }
    if (a->duration) {
        char seconds[16];
        (void)snprintf(seconds, sizeof seconds, "%u", a->duration);
        sts_call_add(&a->call, "DurationSeconds", span_cstr(seconds));
    }
    sts_call_send(&a->call, credentials);
}

static void assume_role_fetch(void *impl, credentials_fetched *done, void *user) {
    struct assume_role *a = impl;
    a->done = done;
    a->user = user;
    a->signer_renewed = false;
    ask_signer(a);
}

static void assume_role_cancel(void *impl) {
    struct assume_role *a = impl;
    credentials_cancel(&a->signer, &a->wait);
    sts_call_cancel(&a->call);
}

static void assume_role_release(void *impl) {
    struct assume_role *a = impl;
    if (a->signer.impl) {
        assume_role_cancel(a);
    }
    sts_call_done(&a->call);
    credentials_provider_release(&a->signer);
    free(a->role_arn);
    free(a->session_name);
    free(a->external_id);
    free(a);
}

bool credentials_assume_role_new(const struct plan_role *role, struct credentials_provider *signer,
                                 const struct sts_place *place, const struct credentials_world *world,
                                 struct credentials_source *ret_source) {
    struct assume_role *a = calloc(1, sizeof *a);
    if (!a) {
        return false;
    }
    a->world = world;
    a->duration = role->duration;
    a->wait = (struct credentials_wait){.ready = on_signer, .user = a};
    sts_call_init(&a->call, place, world, on_answer, a);
    a->role_arn = role_text(role->role_arn);
    a->session_name = role_text(role->session_name);
    a->external_id = role_text(role->external_id);
    if (!a->role_arn || !a->session_name || !a->external_id) {
        assume_role_release(a);
        return false;
    }
    a->signer = *signer;
    *signer = (struct credentials_provider){0};
    *ret_source = (struct credentials_source){a, assume_role_fetch, assume_role_cancel, assume_role_release};
    return true;
}
