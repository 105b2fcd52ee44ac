/* The provider that a plan describes. */
#include "credentials_sources.h"

#include "credentials_cache.h"
#include "credentials_remote.h"

#include <stdio.h>

static bool no_memory(char why[static SETTING_WHY_SIZE]) {
    (void)snprintf(why, SETTING_WHY_SIZE, "out of memory");
    return false;
}

/* Puts a source behind a cache. made: it could be. */
static bool cached(bool made, struct credentials_source *source, const char *name, bool expired_ones_count,
                   const struct credentials_world *world, struct credentials_provider *ret_provider,
                   char why[static SETTING_WHY_SIZE]) {
    const struct credentials_cache_options options = {
        .name = name,
        .expired_ones_count = expired_ones_count,
        .clock = world->clock,
        .random = world->random,
        .log = world->log,
    };
    if (made && credentials_cache_new(source, &options, ret_provider)) {
        return true;
    }
    if (made) {
        credentials_source_release(source);
    }
    return no_memory(why);
}

/* The provider of the first keys. */
static bool make_first(const struct credentials_plan *plan, const struct credentials_default_options *o,
                       struct credentials_provider *ret_provider, char why[static SETTING_WHY_SIZE]) {
    const struct credentials_world *world = o->world;
    struct credentials_source source = {0};
    const char *profile = plan->profile;
    switch (plan->kind) {
    case CREDENTIALS_ENV:
        return credentials_env_new(o->environment, ret_provider, why) == SOURCE_FOUND;
    case CREDENTIALS_SHARED_FILE:
        return credentials_profile_new(&o->config->credentials, PROFILE_CREDENTIALS, profile, world->clock, ret_provider, why) ==
               SOURCE_FOUND;
    case CREDENTIALS_CONFIG_FILE:
        return credentials_profile_new(&o->config->config, PROFILE_CONFIG, profile, world->clock, ret_provider, why) == SOURCE_FOUND;
    case CREDENTIALS_CONTAINER:
        return cached(credentials_container_new(&plan->container, world, &source), &source, "container-role", false, world,
                      ret_provider, why);
    case CREDENTIALS_IMDS:
        return cached(credentials_imds_new(&plan->imds, world, plan->tried, &source), &source, "iam-role", true, world, ret_provider,
                      why);
    case CREDENTIALS_WEB_IDENTITY:
    case CREDENTIALS_SSO:
    case CREDENTIALS_LOGIN:
    case CREDENTIALS_PROCESS: break;
    }
    (void)snprintf(why, SETTING_WHY_SIZE, "credentials by %s are not supported by this version", credentials_plan_name(plan));
    return false;
}

bool credentials_default_new(const struct credentials_plan *plan, const struct credentials_default_options *options,
                             struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]) {
    if (plan->role_count) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "role_arn of profile %.200s is not supported by this version", options->config->profile);
        return false;
    }
    return make_first(plan, options, ret_provider, ret_why);
}
