/* Base64 with the standard alphabet and padding (RFC 4648, section 4), strict: no white space, no missing padding, no
 * stray bits. */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>

/* Whether text is such base64. */
bool base64_valid(struct span text);
/* Appends the decoded bytes. False: text isn't such base64 (then out is as it was), or out has failed. */
bool base64_decode(struct span text, struct buf *out);
/* Appends the encoded text. False: out has failed. */
bool base64_encode(struct span bytes, struct buf *out);
