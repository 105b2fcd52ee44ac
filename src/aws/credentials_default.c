/* The provider that a plan describes. */
#include "credentials_sources.h"

#include "credentials_local.h"
#include "credentials_remote.h"

#include <stdio.h>

static bool no_memory(char why[static SETTING_WHY_SIZE]) {
    (void)snprintf(why, SETTING_WHY_SIZE, "out of memory");
    return false;
}

/* Puts a cache in front of a source. */
static bool cached(struct credentials_source *source, const char *name, bool expired_ones_count,
                   const struct credentials_world *world, struct credentials_provider *ret_provider,
                   char why[static SETTING_WHY_SIZE]) {
    const struct credentials_cache_options options = {
        .name = name,
        .expired_ones_count = expired_ones_count,
        .clock = world->clock,
        .random = world->random,
        .log = world->log,
    };
    if (credentials_cache_new(source, &options, ret_provider)) {
        return true;
    }
    credentials_source_release(source);
    return no_memory(why);
}

static bool make_sso(const struct credentials_plan *plan, const struct credentials_default_options *o,
                     struct credentials_source *ret_source, char why[static SETTING_WHY_SIZE]) {
    char region[AWS_REGION_SIZE] = "", portal[AWS_ENDPOINT_SIZE];
    if (!aws_region_valid(plan->sso.region)) {
        (void)snprintf(why, SETTING_WHY_SIZE, "sso_region of profile %.200s: no region has such a name", plan->profile);
        return false;
    }
    (void)snprintf(region, sizeof region, "%.*s", (int)plan->sso.region.len, plan->sso.region.data);
    return aws_endpoint(o->environment, o->config, &AWS_SSO, region, portal, why) &&
           credentials_sso_new(plan, o->environment, portal, o->world, ret_source, why);
}

/* The source of the first keys, if they must be fetched. */
static bool make_source(const struct credentials_plan *plan, const struct credentials_default_options *o,
                        struct credentials_source *ret_source, char why[static SETTING_WHY_SIZE]) {
    switch (plan->kind) {
    case CREDENTIALS_CONTAINER:
        return credentials_container_new(&plan->container, o->world, ret_source) || no_memory(why);
    case CREDENTIALS_IMDS:
        return credentials_imds_new(&plan->imds, o->world, plan->tried, ret_source) || no_memory(why);
    case CREDENTIALS_WEB_IDENTITY:
        return credentials_web_identity_new(plan, o->sts, o->world, ret_source) || no_memory(why);
    case CREDENTIALS_SSO: return make_sso(plan, o, ret_source, why);
    case CREDENTIALS_LOGIN: return credentials_login_new(plan, o->environment, o->world, ret_source, why);
    case CREDENTIALS_PROCESS: return credentials_process_new(plan, o->world, ret_source, why);
    default: return no_memory(why);
    }
}

/* The provider of the first keys. */
static bool make_first(const struct credentials_plan *plan, const struct credentials_default_options *o,
                       struct credentials_provider *ret_provider, char why[static SETTING_WHY_SIZE]) {
    const struct credentials_world *world = o->world;
    switch (plan->kind) {
    case CREDENTIALS_ENV: return credentials_env_new(o->environment, ret_provider, why) == SOURCE_FOUND;
    case CREDENTIALS_SHARED_FILE:
        return credentials_profile_new(&o->config->credentials, PROFILE_CREDENTIALS, plan->profile, world->clock,
                                       ret_provider, why) == SOURCE_FOUND;
    case CREDENTIALS_CONFIG_FILE:
        return credentials_profile_new(&o->config->config, PROFILE_CONFIG, plan->profile, world->clock, ret_provider,
                                       why) == SOURCE_FOUND;
    default: break;
    }
    struct credentials_source source = {0};
    return make_source(plan, o, &source, why) &&
           cached(&source, credentials_plan_first_name(plan), plan->kind == CREDENTIALS_IMDS, world, ret_provider, why);
}

bool credentials_default_new(const struct credentials_plan *plan, const struct credentials_default_options *options,
                             struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]) {
    struct credentials_provider provider = {0};
    bool fine = make_first(plan, options, &provider, ret_why);
    for (size_t i = 0; fine && i < plan->role_count; i++) {
        struct credentials_source source = {0};
        fine = credentials_assume_role_new(&plan->roles[i], &provider, options->sts, options->world, &source) ||
               no_memory(ret_why);
        fine = fine && cached(&source, "assume-role", false, options->world, &provider, ret_why);
    }
    if (!fine) {
        credentials_provider_release(&provider);
        return false;
    }
    *ret_provider = provider;
    return true;
}
