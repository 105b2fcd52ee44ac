/* The credentials: who gives them, and whose they are. Of secrets nothing is shown. */
#include "check.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)4096)

struct asking {
    struct check *check;
    bool given;
    char key[ACCESS_KEY_ID_SIZE];
    int64_t expires;
    enum call_class class;
    char why[1024];
};

static void on_ready(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct asking *a = user;
    a->given = credentials != NULL;
    if (credentials) {
        (void)snprintf(a->key, sizeof a->key, "%.*s", (int)credentials->access_key_id.len,
                       credentials->access_key_id.data);
        (void)snprintf(a->check->account, sizeof a->check->account, "%.*s", (int)credentials->account_id.len,
                       credentials->account_id.len ? credentials->account_id.data : "");
        a->expires = credentials->expires;
    } else {
        a->class = failure->class;
        (void)snprintf(a->why, sizeof a->why, "%s", failure->message);
    }
    check_go_on(a->check);
}

/* " of profile x (path, line 3)". value: a text of the profile's, in the shared files. */
static void append_place(const struct check *c, struct span value, const char *profile, struct buf *out) {
    const char *path = NULL;
    size_t line = 0;
    (void)buf_printf(out, " of profile %s", profile);
    if (shared_config_place(&c->app->services.config, value, &path, &line)) {
        (void)buf_printf(out, " (%s, line %zu)", path, line);
    }
}

static void append_profile_keys(const struct check *c, struct buf *out) {
    const struct credentials_plan *plan = &c->app->services.plan;
    (void)buf_append_cstr(out, "the keys");
    append_place(c, shared_config_get_of(&c->app->services.config, plan->profile, "aws_access_key_id"), plan->profile,
                 out);
}

/* The provider that gives the first keys. */
static void append_source(const struct check *c, struct buf *out) {
    const struct credentials_plan *p = &c->app->services.plan;
    char from[CHECK_SOURCE_SIZE];
    switch (p->kind) {
    case CREDENTIALS_ENV:
        check_origin(c, "AWS_ACCESS_KEY_ID", from);
        (void)buf_printf(out, "AWS_ACCESS_KEY_ID (%s)", from);
        break;
    case CREDENTIALS_SHARED_FILE:
    case CREDENTIALS_CONFIG_FILE: append_profile_keys(c, out); break;
    case CREDENTIALS_WEB_IDENTITY:
        (void)buf_printf(out, "the role %.*s, by the token in %.*s", (int)p->web_identity.role_arn.len,
                         p->web_identity.role_arn.data, (int)p->web_identity.token_file.len,
                         p->web_identity.token_file.data);
        break;
    case CREDENTIALS_SSO:
        (void)buf_printf(out, "the role %.*s of account %.*s, by SSO,", (int)p->sso.role_name.len,
                         p->sso.role_name.data, (int)p->sso.account_id.len, p->sso.account_id.data);
        append_place(c, p->sso.role_name, p->profile, out);
        break;
    case CREDENTIALS_LOGIN:
        (void)buf_append_cstr(out, "login_session");
        append_place(c, p->login_session, p->profile, out);
        break;
    case CREDENTIALS_PROCESS:
        (void)buf_append_cstr(out, "credential_process");
        append_place(c, p->process, p->profile, out);
        break;
    case CREDENTIALS_CONTAINER: (void)buf_printf(out, "the container's role, from %s", p->container.url); break;
    case CREDENTIALS_IMDS: (void)buf_printf(out, "the instance's role, from %s", p->imds.url); break;
    }
}

static void append_plan(const struct check *c, struct buf *out) {
    const struct credentials_plan *p = &c->app->services.plan;
    (void)buf_printf(out, "%s: ", credentials_plan_name(p));
    for (size_t i = p->role_count; i > 0; i--) {
        (void)buf_printf(out, "the role %.*s, by ", (int)p->roles[i - 1].role_arn.len, p->roles[i - 1].role_arn.data);
    }
    append_source(c, out);
}

static void tell(struct check *c, const struct asking *a) {
    struct buf text;
    char end[ISO8601_SIZE];
    buf_init(&text, TEXT_MAX);
    append_plan(c, &text);
    if (a->given) {
        (void)buf_printf(&text, "; access key %s", a->key);
        (void)buf_printf(&text, c->account[0] ? ", account %s" : ", whose account their source doesn't say",
                         c->account);
        if (a->expires != NEVER) {
            clock_iso8601(a->expires, end);
            (void)buf_printf(&text, ", until %s, renewed before", end);
        }
        check_fine(c->report, "credentials", NULL, "%s", buf_ok(&text) ? text.data : "they are there");
    } else {
        check_problem(c->report, a->class == CALL_AUTH ? EXIT_NOT_PERMITTED : EXIT_UNREACHABLE, "credentials", NULL,
                      NULL, "%s: %s", buf_ok(&text) ? text.data : "there are none", a->why);
    }
    buf_free(&text);
}

void check_credentials(struct check *c) {
    const struct services *s = &c->app->services;
    struct asking asking = {.check = c};
    struct credentials_wait wait = {.ready = on_ready, .user = &asking};
    c->no_credentials = true;
    if (!s->fine.credentials) {
        return; /* why there are none was told with the settings */
    }
    c->waiting = true;
    credentials_get(&s->credentials, &wait);
    bool known = !wait.pending;
    if (!known && !check_wait(c)) {
        credentials_cancel(&s->credentials, &wait);
        return;
    }
    c->no_credentials = !asking.given;
    tell(c, &asking);
}
