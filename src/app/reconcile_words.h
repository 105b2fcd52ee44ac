/* What reconcile says on standard output. Pure. */
#pragma once

#include "buf.h"
#include "reconcile_counts.h"

#include <stdbool.h>

/* Appends the counts as a small table, the errors of the failed beneath. False: out has failed. */
bool reconcile_append_table(const struct reconcile_counts *counts, struct buf *out);
/* Appends the object that --json asks for, with a newline; `unknown` only where there are such rows. */
bool reconcile_append_json(const struct reconcile_counts *counts, struct buf *out);
