/* Where this process gets its credentials. It is decided from the environment and the profile alone, without asking
 * anybody. The order is that of the SDKs. If a place is set up but can't be used, that is an error: the next place
 * isn't tried. */
#pragma once

#include "compiler.h"
#include "credentials_remote.h"
#include "environment.h"
#include "shared_config.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

enum credentials_kind {
    CREDENTIALS_ENV,
    CREDENTIALS_WEB_IDENTITY,
    CREDENTIALS_SSO,
    CREDENTIALS_SHARED_FILE,
    CREDENTIALS_LOGIN,
    CREDENTIALS_PROCESS,
    CREDENTIALS_CONFIG_FILE,
    CREDENTIALS_CONTAINER,
    CREDENTIALS_IMDS
};

#define PLAN_PROFILE_SIZE 256
#define PLAN_ROLES_MAX 8
#define PLAN_TRIED_SIZE 640

/* A role to assume with the credentials of the step before. */
struct plan_role {
    struct span role_arn;
    struct span session_name, external_id; /* absent: none is given */
    unsigned duration; /* seconds; 0: STS's own default */
};

/* The texts are those of the environment and the files, and belong to them. */
struct credentials_plan {
    enum credentials_kind kind; /* where the first keys come from */
    char profile[PLAN_PROFILE_SIZE]; /* the profile whose settings they are */
    struct plan_role roles[PLAN_ROLES_MAX]; /* in the order in which they are assumed */
    size_t role_count;
    struct {
        struct span token_file, role_arn, session_name;
    } web_identity;
    struct {
        struct span session, start_url, region, account_id, role_name; /* session: absent in profiles of the old kind */
    } sso;
    struct span login_session;
    struct span process; /* the command */
    struct span account_id; /* that the profile names for a process that doesn't */
    struct container_options container;
    struct imds_options imds;
    char tried[PLAN_TRIED_SIZE]; /* what was looked at in vain before IMDS: the beginning of the sentence if IMDS has
                                    none either */
};

/* False: there are no credentials, or a setting is faulty; ret_why says what to mend. */
MUST_USE bool credentials_plan_make(const struct environment *environment, const struct shared_config *config,
                                    struct credentials_plan *ret_plan, char ret_why[static SETTING_WHY_SIZE]);
/* Whether the source gives the keys' account together with the keys, if it knows it. Not so for IMDS, the environment
 * and the files. */
bool credentials_plan_is_remote(const struct credentials_plan *plan);
/* The account that the environment or the profile names for static keys; empty where none does. */
struct span credentials_plan_account(const struct credentials_plan *plan, const struct environment *environment,
                                     const struct shared_config *config);
/* What the plan's provider is called, as in botocore: "env", "assume-role", "iam-role". */
const char *credentials_plan_name(const struct credentials_plan *plan);
/* The same for the place that its first keys come from. */
const char *credentials_plan_first_name(const struct credentials_plan *plan);
