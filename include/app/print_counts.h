/* What a command came to, on standard output at its end, when nothing else is to be done: it may wait for a reader. */
#pragma once

#include "compiler.h"
#include "log.h"
#include "span.h"

#include <stdbool.h>

/* False: it can't be written, which is in the log. */
MUST_USE bool print_counts(struct span text, struct log *log);
