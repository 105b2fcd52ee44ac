/* "Did you mean …?": which of some names a misspelt one is close to. */
#pragma once

#include <stddef.h>

/* The name that is closest to given, whatever the case of letters: at most two letters are missing, surplus, wrong or
 * swapped, and in short names at most one in three. Else a name that given abbreviates: some words are left out or cut
 * short, and at least two are there in order (AUDIT_TTL for AUDIT_LOG_TTL_DAYS). NULL: none is that close. */
const char *closest_name(const char *given, const char *const *names, size_t count);
