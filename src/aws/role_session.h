/* What both ways to a role share: copies of texts, and the session's name. */
#pragma once

#include "clock.h"
#include "sts_call.h"

#define ROLE_SESSION_SIZE 65

/* NULL: no memory. An absent text is copied as "". */
char *role_text(struct span text);
/* Adds RoleArn and RoleSessionName. Without a session_name, the name is table-updater- and the current second. */
void role_add(struct sts_call *call, const char *role_arn, const char *session_name, const struct clock *clock);
