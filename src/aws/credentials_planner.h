/* What the parts of credentials_plan.c share. */
#pragma once

#include "credentials_plan.h"

#include "credentials_sources.h"

struct planner {
    const struct environment *environment;
    const struct shared_config *config;
    struct credentials_plan plan;
    char why[SETTING_WHY_SIZE];
};

/* What the profile itself says of keys: web identity, SSO, static keys, login, a process. with_environment: the
 * variables of web identity count as well. */
enum source_status plan_profile(struct planner *p, const char *profile, bool with_environment);
/* Whether a role is to be assumed by its profile's role_arn. */
bool plan_has_role(const struct planner *p, const char *profile);
/* The role of a profile that has one, with those before it and the first keys. False: why. */
bool plan_role_chain(struct planner *p, const char *profile);
/* Keys of the environment. */
enum source_status plan_environment(struct planner *p);
enum source_status plan_container(struct planner *p);
enum source_status plan_imds(struct planner *p);
/* A setting of a profile; absent where there is none. */
struct span plan_get(const struct planner *p, const char *profile, const char *name);
