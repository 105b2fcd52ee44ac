#include "credentials_sources.h"

#include <stdio.h>

/* What a profile may hold in place of static keys. Where it does, static keys that stand beside it are not what is meant. */
static const char *const other_ways[] = {"role_arn", "credential_process", "sso_session", "sso_start_url", "web_identity_token_file"};

static bool profile_is_static(const struct shared_config *config, char why[static SETTING_WHY_SIZE]) {
    for (size_t i = 0; i < ARRAY_LENGTH(other_ways); i++) {
        if (shared_config_get(config, other_ways[i]).data) {
            (void)snprintf(why, SETTING_WHY_SIZE, "profile %.200s gets its credentials by %s, which is not supported", config->profile,
                           other_ways[i]);
            return false;
        }
    }
    return true;
}

#define SOURCES_MAX 3

/* The sources that are set up, the first to be asked first. One that is faulty matters only where none stands before it, as in the SDKs. */
struct sources {
    struct credentials_provider found[SOURCES_MAX];
    size_t count;
};

static bool add(struct sources *s, enum source_status status) {
    s->count += status == SOURCE_FOUND;
    return status != SOURCE_FAULTY || s->count > 0;
}

static bool find_sources(const struct environment *environment, const struct shared_config *config, struct clock clock, struct sources *s,
                         char why[static SETTING_WHY_SIZE]) {
    if (!add(s, credentials_env_new(environment, &s->found[s->count], why))) {
        return false;
    }
    if (!profile_is_static(config, why)) {
        return s->count > 0;
    }
    const char *profile = config->profile;
    return add(s, credentials_profile_new(&config->credentials, PROFILE_CREDENTIALS, profile, clock, &s->found[s->count], why)) &&
           add(s, credentials_profile_new(&config->config, PROFILE_CONFIG, profile, clock, &s->found[s->count], why));
}

bool credentials_default_new(const struct environment *environment, const struct shared_config *config, struct clock clock,
                             struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]) {
    struct sources sources = {.count = 0};
    if (!find_sources(environment, config, clock, &sources, ret_why)) {
        return false;
    }
    if (!sources.count) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give profile %.200s keys in the "
                       "credentials file",
                       config->profile);
        return false;
    }
    if (!credentials_chain_new(sources.found, sources.count, ret_provider)) {
        for (size_t i = 0; i < sources.count; i++) {
            credentials_provider_release(&sources.found[i]);
        }
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "out of memory");
        return false;
    }
    return true;
}
