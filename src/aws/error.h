/* What an answer means: from an HTTP response to the result of a call. */
#pragma once

#include "call.h"
#include "http.h"

#include <stdbool.h>
#include <stdint.h>

/* Sets all of result but its attempts. wall: now, for a Retry-After that is a date; verify_crc32: X-Amz-Crc32, where it came, must fit. */
void error_read(const struct http_response *response, bool verify_crc32, int64_t wall, struct call_result *result);
/* Sets result to a failure of our own, with this sentence. */
void error_set(struct call_result *result, enum call_class class, const char *message);
