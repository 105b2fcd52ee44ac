/* The region of the instance that we run on, where no setting says one. */
#pragma once

#include "services.h"

/* Whether REGION_FROM_INSTANCE asks for it. False: it has a bad value; ret_why says so. */
MUST_USE bool instance_region_wanted(const struct environment *environment, bool *ret_wanted,
                                     char ret_why[static SETTING_WHY_SIZE]);
/* Asks the instance metadata service, on the world's loop, which nothing else may use yet; it takes a few seconds at
 * most. False: ret_why. */
MUST_USE bool instance_region_find(const struct environment *environment, const struct shared_config *config,
                                   const struct credentials_world *world, char ret_region[static AWS_REGION_SIZE],
                                   char ret_why[static SETTING_WHY_SIZE]);
