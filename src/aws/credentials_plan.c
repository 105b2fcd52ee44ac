#include "credentials_planner.h"

#include <stdio.h>
#include <string.h>

static void name_file(const struct shared_file *file, const char *none, char ret_text[static 128]) {
    const char *path = file->path ? file->path : none;
    size_t len = strlen(path);
    (void)snprintf(ret_text, 128, "%s%s%s", len > 80 ? "..." : "", len > 80 ? path + len - 80 : path,
                   file->path && !file->file ? " (isn't there)" : "");
}

/* What was looked for in vain, in that order, as the beginning of a sentence. */
static void tell_tried(struct planner *p) {
    char config[128], credentials[128];
    name_file(&p->config->config, "no config file", config);
    name_file(&p->config->credentials, "no credentials file", credentials);
    (void)snprintf(
        p->plan.tried, sizeof p->plan.tried,
        "there are no credentials: %sprofile %.40s of %s and %s has none of role_arn, web identity, SSO, keys, "
        "login_session and credential_process; AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CONTAINER_CREDENTIALS_* are not "
        "set; ",
        p->config->by_option ? "" : "AWS_ACCESS_KEY_ID is not set; ", p->config->profile, config, credentials);
}

static enum source_status plan_all(struct planner *p) {
    const char *profile = p->config->profile;
    bool with_environment = !p->config->by_option;
    enum source_status status = with_environment ? plan_environment(p) : SOURCE_ABSENT;
    if (status == SOURCE_ABSENT && plan_has_role(p, profile)) {
        return plan_role_chain(p, profile) ? SOURCE_FOUND : SOURCE_FAULTY;
    }
    status = status == SOURCE_ABSENT ? plan_profile(p, profile, with_environment) : status;
    status = status == SOURCE_ABSENT ? plan_container(p) : status;
    if (status != SOURCE_ABSENT) {
        return status;
    }
    tell_tried(p);
    return plan_imds(p);
}

bool credentials_plan_make(const struct environment *environment, const struct shared_config *config,
                           struct credentials_plan *ret_plan, char ret_why[static SETTING_WHY_SIZE]) {
    struct planner p = {.environment = environment, .config = config};
    enum source_status status = SOURCE_FAULTY;
    if (strlen(config->profile) >= PLAN_PROFILE_SIZE) {
        (void)snprintf(p.why, sizeof p.why, "the name of the profile is longer than %d bytes", PLAN_PROFILE_SIZE - 1);
    } else {
        status = plan_all(&p);
    }
    if (status == SOURCE_ABSENT) {
        (void)snprintf(p.why, sizeof p.why, "%.450sAWS_EC2_METADATA_DISABLED is true", p.plan.tried);
    }
    if (status == SOURCE_FOUND) {
        *ret_plan = p.plan;
        return true;
    }
    memcpy(ret_why, p.why, sizeof p.why);
    return false;
}

const char *credentials_plan_first_name(const struct credentials_plan *plan) {
    static const char *const names[] = {
        [CREDENTIALS_ENV] = "env",
        [CREDENTIALS_WEB_IDENTITY] = "assume-role-with-web-identity",
        [CREDENTIALS_SSO] = "sso",
        [CREDENTIALS_SHARED_FILE] = "shared-credentials-file",
        [CREDENTIALS_LOGIN] = "login",
        [CREDENTIALS_PROCESS] = "custom-process",
        [CREDENTIALS_CONFIG_FILE] = "config-file",
        [CREDENTIALS_CONTAINER] = "container-role",
        [CREDENTIALS_IMDS] = "iam-role",
    };
    return names[plan->kind];
}

const char *credentials_plan_name(const struct credentials_plan *plan) {
    return plan->role_count ? "assume-role" : credentials_plan_first_name(plan);
}

bool credentials_plan_is_remote(const struct credentials_plan *plan) {
    return plan->role_count || (plan->kind != CREDENTIALS_ENV && plan->kind != CREDENTIALS_SHARED_FILE &&
                                plan->kind != CREDENTIALS_CONFIG_FILE && plan->kind != CREDENTIALS_IMDS);
}

struct span credentials_plan_account(const struct credentials_plan *plan, const struct environment *environment,
                                     const struct shared_config *config) {
    if (credentials_plan_is_remote(plan) || plan->kind == CREDENTIALS_IMDS) {
        return SPAN("");
    }
    if (plan->kind == CREDENTIALS_ENV) {
        const char *account = environment_get(environment, "AWS_ACCOUNT_ID");
        return span_cstr(account ? account : "");
    }
    const struct shared_file *file = plan->kind == CREDENTIALS_SHARED_FILE ? &config->credentials : &config->config;
    struct span account = profile_get(file->file, plan->profile, "aws_account_id");
    return account.data ? account : SPAN("");
}
