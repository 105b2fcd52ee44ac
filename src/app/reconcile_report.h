/* What reconcile says in the log of how it ended. */
#pragma once

#include "call.h"
#include "compiler.h"
#include "exit_code.h"
#include "log.h"
#include "reconcile.h"

#include <stdint.h>

/* What the counts alone don't say. next_to_send: the first row that the job hasn't sent; 0: that isn't known. */
void reconcile_report_counts(struct log *log, const struct reconcile *r, uint64_t next_to_send);

struct reconcile_ending {
    enum reconcile_end end;
    const struct call_result *call; /* of an end that a call is the reason of */
    const struct reconcile_counts *counts;
    const char *file, *file_why; /* what is read, and after RECONCILE_BROKEN why it can't be */
    const char *audit_table;
};
/* Says why it ended before the end of the file, if it did. Returns the command's exit code. */
MUST_USE enum exit_code reconcile_report_end(struct log *log, const struct reconcile_ending *ending);
