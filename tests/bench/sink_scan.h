/* Finds members in JSON by looking at the bytes alone: enough for what well-behaved clients send, quotes inside of
 * strings being escaped. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define MESSAGE_MARK "-0000-4000-8000-" /* inside a message's id, before its number in MESSAGE_DIGITS of hex */
#define MESSAGE_DIGITS 12

/* The string (without escapes) of the next member with this name, given in its quotes. *text then begins behind it. */
bool scan_string(struct span *text, struct span quoted_name, struct span *ret_value);
/* The same, but with escapes, as they stand. */
bool scan_text(struct span *text, struct span quoted_name, struct span *ret_raw);
/* The number likewise. */
bool scan_number(struct span *text, struct span quoted_name, uint64_t *ret_value);
/* The number behind the next RECORD_MARK. */
bool scan_record(struct span *text, uint64_t *ret_number);
/* The number behind the next MESSAGE_MARK. */
bool scan_message(struct span *text, uint64_t *ret_number);
/* The decimal digits that the text begins with. False: there are none. */
bool scan_digits(struct span text, uint64_t *ret_number);
