/* Credentials that another program provides: a process, or the caches of the AWS CLI. */
#pragma once

#include "compiler.h"
#include "credentials_cache.h"
#include "credentials_plan.h"
#include "metadata_request.h"

#include <stdbool.h>

/* credential_process of the plan. False: it is no command, or there is no memory; ret_why says which. world->loop
 * watches the process. */
MUST_USE bool credentials_process_new(const struct credentials_plan *plan, const struct credentials_world *world,
                                      struct credentials_source *ret_source, char ret_why[static SETTING_WHY_SIZE]);
/* SSO: exchanges the token that `aws sso login` left for the role's credentials. portal: the URL of the access portal.
 * False: no memory, no home folder, or an account id or role name with characters that none has. */
MUST_USE bool credentials_sso_new(const struct credentials_plan *plan, const struct environment *environment,
                                  const char *portal, const struct credentials_world *world,
                                  struct credentials_source *ret_source, char ret_why[static SETTING_WHY_SIZE]);
/* The credentials that `aws login` left. */
MUST_USE bool credentials_login_new(const struct credentials_plan *plan, const struct environment *environment,
                                    const struct credentials_world *world, struct credentials_source *ret_source,
                                    char ret_why[static SETTING_WHY_SIZE]);
