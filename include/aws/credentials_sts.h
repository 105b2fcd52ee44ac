/* Credentials of roles, by AWS STS. */
#pragma once

#include "compiler.h"
#include "credentials_cache.h"
#include "credentials_plan.h"
#include "endpoint.h"
#include "metadata_request.h"

#include <stdbool.h>

/* Where STS is. */
struct sts_place {
    char url[AWS_ENDPOINT_SIZE];
    char region[AWS_REGION_SIZE]; /* that signatures are for */
};

/* The role that an identity provider's token is for (EKS, GitHub, …). The token's file is read anew each time. False:
 * no memory, as below. The texts are copied, place and world borrowed. */
MUST_USE bool credentials_web_identity_new(const struct credentials_plan *plan, const struct sts_place *place,
                                           const struct credentials_world *world,
                                           struct credentials_source *ret_source);
/* A role that is assumed with the credentials of signer. On success it takes signer over and zeroes it. */
MUST_USE bool credentials_assume_role_new(const struct plan_role *role, struct credentials_provider *signer,
                                          const struct sts_place *place, const struct credentials_world *world,
                                          struct credentials_source *ret_source);
