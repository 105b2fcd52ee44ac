/* "Did you mean …?": which of some names a misspelt one is close to. */
#pragma once

#include <stddef.h>

/* The name that given is most like: apart from upper and lower case, at most two letters missing, surplus, wrong or swapped, and of short
 * names only one in three. NULL: none is that close. Names longer than 64 bytes are like none. */
const char *closest_name(const char *given, const char *const *names, size_t count);
