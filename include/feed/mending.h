/* What mends the failure of a message of the DLQ, in a sentence for the operator. Pure. */
#pragma once

#include "letter.h"

/* A sentence or two, plain ASCII, without an end of line. */
const char *mending_of(const struct letter *letter);
