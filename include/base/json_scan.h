/* The lexical half of the JSON reader: where a string, number or literal ends, or the first byte that is wrong in it.
 */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_scan {
    size_t at; /* right after the token; where ok is false, the offset of the error */
    bool ok;
    bool escaped; /* of a string: it holds a backslash */
};

/* text[at] is the opening quote. */
struct json_scan json_scan_string(struct span text, size_t at);
/* text[at] is '-' or a digit. */
struct json_scan json_scan_number(struct span text, size_t at);
/* text[at] is the word's first letter. */
struct json_scan json_scan_literal(struct span text, size_t at, struct span word);
/* The value of a hex digit, or -1. */
int json_hex_digit(char c);
