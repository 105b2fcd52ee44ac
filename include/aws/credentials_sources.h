/* The sources of credentials that need no network, and the provider of the SDKs' default order. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "credentials.h"
#include "credentials_plan.h"
#include "credentials_sts.h"
#include "environment.h"
#include "profile.h"
#include "shared_config.h"

#include <stdbool.h>
#include <stddef.h>

enum source_status {
    SOURCE_FOUND, /* *ret_provider is the caller's */
    SOURCE_ABSENT, /* it is not set up: the next may be asked */
    SOURCE_FAULTY /* it is set up, and wrong: ret_why says what to mend */
};

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ACCOUNT_ID. */
MUST_USE enum source_status credentials_env_new(const struct environment *environment,
                                                struct credentials_provider *ret_provider,
                                                char ret_why[static SETTING_WHY_SIZE]);

/* The static keys of a profile in one file. The file is read again once its credentials were invalidated (at most once
 * a second), since keys may be rotated under a running process. file's path and profile are copied. */
MUST_USE enum source_status credentials_profile_new(const struct shared_file *file, enum profile_kind kind,
                                                    const char *profile, struct clock clock,
                                                    struct credentials_provider *ret_provider,
                                                    char ret_why[static SETTING_WHY_SIZE]);

/* What a plan's provider needs; borrowed. */
struct credentials_default_options {
    const struct environment *environment;
    const struct shared_config *config;
    const struct credentials_world *world; /* outlives the provider */
    const struct sts_place *sts; /* likewise */
};

/* The provider that the plan describes. False: ret_why says what to mend. */
MUST_USE bool credentials_default_new(const struct credentials_plan *plan,
                                      const struct credentials_default_options *options,
                                      struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]);
