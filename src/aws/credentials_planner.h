/* How a plan is made: credentials_plan.c has the order of the places, credentials_plan_role.c the roles, and
 * credentials_plan_source.c each place. */
#pragma once

#include "credentials_plan.h"

#include "credentials_sources.h"

struct planner {
    const struct environment *environment;
    const struct shared_config *config;
    struct credentials_plan plan;
    char why[SETTING_WHY_SIZE];
};

/* credentials_plan_source.c */
/* What the profile itself says of keys: web identity, SSO, static keys, login, a process. with_environment: the
 * variables of web identity count as well. */
enum source_status plan_profile(struct planner *p, const char *profile, bool with_environment);
/* Keys of the environment. */
enum source_status plan_environment(struct planner *p);
enum source_status plan_container(struct planner *p);
enum source_status plan_imds(struct planner *p);
/* A setting of a profile; absent where there is none. */
struct span plan_get(const struct planner *p, const char *profile, const char *name);

/* credentials_plan_role.c */
/* Whether a role is to be assumed by its profile's role_arn. */
bool plan_has_role(const struct planner *p, const char *profile);
/* The role of a profile that has one, with those before it and the first keys. False: why. */
bool plan_role_chain(struct planner *p, const char *profile);
