/* What a redrive came to: for the log, and as JSON. */
#pragma once

#include "buf.h"
#include "log.h"
#include "redrive.h"

#include <stdbool.h>

/* Logs all that didn't go as it was asked for. */
void redrive_report_log(struct log *log, const struct redrive_result *r);
/* One object on a line. False: out has failed. */
bool redrive_report_append_json(const struct redrive_counts *c, int64_t microseconds, struct buf *out);
/* "Moved 12 messages from a to b; 1 failed." False: out has failed. */
bool redrive_report_append_sum(const struct redrive_counts *c, const char *dlq, const char *queue, struct buf *out);
