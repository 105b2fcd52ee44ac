/* The sources of credentials that need no network, the chain of sources, and the chain that the AWS SDKs have by default. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "credentials.h"
#include "environment.h"
#include "profile.h"
#include "shared_config.h"

#include <stdbool.h>
#include <stddef.h>

enum source_status {
    SOURCE_FOUND,  /* *ret_provider is the caller's */
    SOURCE_ABSENT, /* it is not set up: the next may be asked */
    SOURCE_FAULTY  /* it is set up, and wrong: ret_why says what to mend */
};

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
MUST_USE enum source_status credentials_env_new(const struct environment *environment, struct credentials_provider *ret_provider,
                                                char ret_why[static SETTING_WHY_SIZE]);

/* The static keys of a profile in one file, which is read again once its credentials were invalidated (at most once a second): keys may be
 * rotated under a running process. The texts of file and profile are copied. */
MUST_USE enum source_status credentials_profile_new(const struct shared_file *file, enum profile_kind kind, const char *profile, struct clock clock,
                                                    struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]);

/* Asks one source after the other, for as long as they say that they have none (CALL_AUTH). Any other failure ends the search, lest we act
 * under another identity because the right source is down. The source that gave credentials once is the only one asked from then on.
 * Takes the count providers over, and zeroes them. False: no memory (nothing was taken over). Not to be released from inside a ready callback. */
MUST_USE bool credentials_chain_new(struct credentials_provider *providers, size_t count, struct credentials_provider *ret_provider);

/* The environment, the credentials file, the config file. False: there are none, or a source is faulty; ret_why says what to mend. */
MUST_USE bool credentials_default_new(const struct environment *environment, const struct shared_config *config, struct clock clock,
                                      struct credentials_provider *ret_provider, char ret_why[static SETTING_WHY_SIZE]);
