/* What an operator can do about the failure of a message of the DLQ. Pure. */
#pragma once

#include "letter.h"

/* A sentence or two, plain ASCII, without an end of line. */
const char *mending_of(const struct letter *letter);
