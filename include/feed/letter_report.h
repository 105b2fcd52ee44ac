/* What a look at the DLQ found, as text for people and as JSON for programs. Pure. */
#pragma once

#include "buf.h"
#include "letter.h"
#include "letter_groups.h"
#include "sqs.h"

#include <stdbool.h>
#include <stdint.h>

struct letter_report {
    const char *dlq; /* its name */
    uint64_t looked_at; /* also those that weren't meant */
    uint64_t counted; /* by SQS, at the start; SQS_COUNT_UNKNOWN: not told */
    bool whole_groups; /* it's a standard queue: of a FIFO group SQS shows ten */
    bool limited; /* it ended at --limit */
    bool filtered; /* not all of what was looked at was meant */
    unsigned width; /* of the terminal; 0: there is none, and lines are as long as they are */
    bool bold; /* errors are */
};

/* Appends the report; the groups are sorted. False: out has failed. */
bool letter_report_append(const struct letter_report *r, struct letter_groups *groups, struct buf *out);
/* Appends one message as one JSON object on a line of its own. False: out has failed. */
bool letter_line_append(const struct letter *letter, const struct sqs_message *m, struct buf *out);
/* Appends text, with everything replaced that a terminal would act on. False: out has failed. */
bool letter_clean_append(struct span text, struct buf *out);
