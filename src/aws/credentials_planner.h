/* How a plan is made: credentials_plan.c has the order of the places, credentials_plan_source.c each place, and
 * credentials_plan_role.c the roles. */
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
/* The keys that the profile itself names: web identity, SSO, static keys, login, a process. with_environment: the
 * environment's variables of web identity count as well. */
enum source_status plan_profile(struct planner *p, const char *profile, bool with_environment);
/* The keys in the environment. */
enum source_status plan_environment(struct planner *p);
enum source_status plan_container(struct planner *p);
enum source_status plan_imds(struct planner *p);
/* A profile's setting; absent if it has none. */
struct span plan_get(const struct planner *p, const char *profile, const char *name);

/* credentials_plan_role.c */
/* Whether the profile has a role to assume (role_arn without web identity). */
bool plan_has_role(const struct planner *p, const char *profile);
/* Plans the role of a profile that has one, the roles before it, and the first keys. False: p->why says why. */
bool plan_role_chain(struct planner *p, const char *profile);
