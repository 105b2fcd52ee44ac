/* Prints a command's counts to standard output at its end. It may block: nothing else is left to do. */
#pragma once

#include "compiler.h"
#include "log.h"
#include "span.h"

#include <stdbool.h>

/* False: it can't be written, which is in the log. */
MUST_USE bool print_counts(struct span text, struct log *log);
