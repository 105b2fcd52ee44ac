/* Each place that keys may come from. credentials_plan.c puts them in order. */
#include "credentials_planner.h"

#include <stdio.h>
#include <string.h>

struct span plan_get(const struct planner *p, const char *profile, const char *name) {
    return shared_config_get_of(p->config, profile, name);
}

static enum source_status faulty(struct planner *p, const char *profile, const char *what) {
    (void)snprintf(p->why, sizeof p->why, "profile %.100s %.380s", profile, what);
    return SOURCE_FAULTY;
}

static enum source_status found(struct planner *p, enum credentials_kind kind, const char *profile) {
    p->plan.kind = kind;
    (void)snprintf(p->plan.profile, sizeof p->plan.profile, "%s", profile);
    return SOURCE_FOUND;
}

/* The provider of static keys was made only to check them. */
static enum source_status look_at(struct planner *p, enum source_status status, struct credentials_provider *provider,
                                  enum credentials_kind kind, const char *profile) {
    credentials_provider_release(provider);
    return status == SOURCE_FOUND ? found(p, kind, profile) : status;
}

enum source_status plan_environment(struct planner *p) {
    struct credentials_provider provider = {0};
    enum source_status status = credentials_env_new(p->environment, &provider, p->why);
    return look_at(p, status, &provider, CREDENTIALS_ENV, "");
}

static enum source_status plan_static(struct planner *p, const char *profile, enum profile_kind kind) {
    struct credentials_provider provider = {0};
    bool shared = kind == PROFILE_CREDENTIALS;
    const struct shared_file *file = shared ? &p->config->credentials : &p->config->config;
    if (!profile_get(file->file, profile, "aws_access_key_id").len) {
        return SOURCE_ABSENT;
    }
    const struct clock clock = clock_system();
    enum source_status status = credentials_profile_new(file, kind, profile, clock, &provider, p->why);
    return look_at(p, status, &provider, shared ? CREDENTIALS_SHARED_FILE : CREDENTIALS_CONFIG_FILE, profile);
}

static struct span web_setting(const struct planner *p, const char *profile, bool with_environment,
                               const char *variable, const char *name) {
    const char *value = with_environment ? environment_get(p->environment, variable) : NULL;
    return value ? span_cstr(value) : plan_get(p, profile, name);
}

static enum source_status plan_web_identity(struct planner *p, const char *profile, bool with_environment) {
    struct span file =
        web_setting(p, profile, with_environment, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (!file.data) {
        return SOURCE_ABSENT;
    }
    struct span role = web_setting(p, profile, with_environment, "AWS_ROLE_ARN", "role_arn");
    if (!role.data) {
        (void)snprintf(
            p->why, sizeof p->why,
            "AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file is set, but neither AWS_ROLE_ARN nor role_arn of "
            "profile %.100s: the token is for a role",
            profile);
        return SOURCE_FAULTY;
    }
    p->plan.web_identity.token_file = file;
    p->plan.web_identity.role_arn = role;
    p->plan.web_identity.session_name =
        web_setting(p, profile, with_environment, "AWS_ROLE_SESSION_NAME", "role_session_name");
    return found(p, CREDENTIALS_WEB_IDENTITY, profile);
}

/* A setting of SSO may stand in the profile or in its sso-session section. False: it stands in both, and differs. */
static bool sso_setting(const struct planner *p, const char *profile, struct span session, const char *name,
                        struct span *ret_value) {
    struct span own = plan_get(p, profile, name);
    struct span shared = session.data ? profile_get_sso_session(p->config->config.file, session, name) : session;
    *ret_value = own.data ? own : shared;
    return !own.data || !shared.data || span_equal(own, shared);
}

static enum source_status plan_sso(struct planner *p, const char *profile) {
    if (!plan_get(p, profile, "sso_role_name").data && !plan_get(p, profile, "sso_account_id").data) {
        return SOURCE_ABSENT;
    }
    struct span session = plan_get(p, profile, "sso_session");
    if (session.data && !profile_sso_session_exists(p->config->config.file, session)) {
        return faulty(p, profile, "has an sso_session, and the config file has no [sso-session] section of that name");
    }
    p->plan.sso.session = session;
    struct {
        const char *name;
        struct span *value;
    } settings[] = {{"sso_start_url", &p->plan.sso.start_url},
                    {"sso_region", &p->plan.sso.region},
                    {"sso_account_id", &p->plan.sso.account_id},
                    {"sso_role_name", &p->plan.sso.role_name}};
    for (size_t i = 0; i < ARRAY_LENGTH(settings); i++) {
        char what[96];
        if (!sso_setting(p, profile, session, settings[i].name, settings[i].value)) {
            (void)snprintf(what, sizeof what, "and its sso-session have two different values of %s", settings[i].name);
            return faulty(p, profile, what);
        }
        if (!settings[i].value->len) {
            (void)snprintf(what, sizeof what, "is for SSO, but has no %s", settings[i].name);
            return faulty(p, profile, what);
        }
    }
    return found(p, CREDENTIALS_SSO, profile);
}

static enum source_status plan_login(struct planner *p, const char *profile) {
    p->plan.login_session = plan_get(p, profile, "login_session");
    return p->plan.login_session.data ? found(p, CREDENTIALS_LOGIN, profile) : SOURCE_ABSENT;
}

static enum source_status plan_process(struct planner *p, const char *profile) {
    p->plan.process = plan_get(p, profile, "credential_process");
    p->plan.account_id = plan_get(p, profile, "aws_account_id");
    return p->plan.process.data ? found(p, CREDENTIALS_PROCESS, profile) : SOURCE_ABSENT;
}

enum source_status plan_profile(struct planner *p, const char *profile, bool with_environment) {
    enum source_status status = plan_web_identity(p, profile, with_environment);
    status = status == SOURCE_ABSENT ? plan_sso(p, profile) : status;
    status = status == SOURCE_ABSENT ? plan_static(p, profile, PROFILE_CREDENTIALS) : status;
    status = status == SOURCE_ABSENT ? plan_login(p, profile) : status;
    status = status == SOURCE_ABSENT ? plan_process(p, profile) : status;
    return status == SOURCE_ABSENT ? plan_static(p, profile, PROFILE_CONFIG) : status;
}

enum source_status plan_container(struct planner *p) {
    bool is_there = false;
    if (!container_options_read(p->environment, &p->plan.container, &is_there, p->why)) {
        return SOURCE_FAULTY;
    }
    return is_there ? found(p, CREDENTIALS_CONTAINER, "") : SOURCE_ABSENT;
}

enum source_status plan_imds(struct planner *p) {
    bool disabled = false;
    if (!imds_options_read(p->environment, p->config, &p->plan.imds, &disabled, p->why)) {
        return SOURCE_FAULTY;
    }
    return disabled ? SOURCE_ABSENT : found(p, CREDENTIALS_IMDS, "");
}
