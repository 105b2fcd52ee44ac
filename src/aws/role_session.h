/* What both ways to a role need: texts that are kept, and the session's name. */
#pragma once

#include "clock.h"
#include "sts_call.h"

#define ROLE_SESSION_SIZE 65

/* NULL: no memory. An absent text is copied as "". */
char *role_text(struct span text);
/* RoleArn and RoleSessionName: the name that was given, else table-updater- and the second. */
void role_add(struct sts_call *call, const char *role_arn, const char *session_name, const struct clock *clock);
