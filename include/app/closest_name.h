/* "Did you mean …?": which of some names a misspelt one is close to. */
#pragma once

#include <stddef.h>

/* The name that given is most like: apart from upper and lower case, at most two letters missing, surplus, wrong or
 * swapped, and of short names only one in three; else one whose words it has in their order, at least two, some left
 * out or cut short (AUDIT_TTL for AUDIT_LOG_TTL_DAYS). NULL: none is that close. */
const char *closest_name(const char *given, const char *const *names, size_t count);
