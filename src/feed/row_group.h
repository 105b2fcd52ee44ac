/* Which message group a row goes to. Private to the checking of rows. */
#pragma once

#include "compiler.h"
#include "digest.h"
#include "row_check.h"
#include "span.h"
#include "update.h"

#include <stdbool.h>

enum row_group_status { GROUP_FOUND, GROUP_MISSING, GROUP_NO_MEMORY };
/* The group of a fit update by its record ("id") or by an attribute, which may be one of its key, as text that SQS
 * takes; a value that it doesn't take is hashed. GROUP_MISSING: the row has no such attribute, or its value is no
 * string, number or boolean. */
MUST_USE enum row_group_status row_group_of(const struct update *u, const char *by, struct digest *digest,
                                            char ret_group[static ROW_GROUP_SIZE]);
