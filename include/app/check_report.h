/* What `check` says: a line for each thing looked at, and what is to be done about it. */
#pragma once

#include "compiler.h"
#include "exit_code.h"
#include "log.h"

#include <stdbool.h>
#include <stdio.h>

struct check_report {
    FILE *out; /* borrowed */
    bool json; /* one object a line */
    bool broken; /* out couldn't be written */
    int error; /* …for this reason (errno) */
    enum exit_code code; /* of the worst problem so far */
    unsigned fine, warnings, problems;
};

/* subject: which of several it is, a setting or a table for instance; NULL: there is one only. mend: what to do, a
 * sentence without its full stop; NULL: nothing. The format makes a phrase without a full stop. Whatever bytes it
 * gives, a line stays one line. */
void check_fine(struct check_report *r, const char *check, const char *subject, const char *format, ...)
    PRINTF_LIKE(4, 5);
void check_warn(struct check_report *r, const char *check, const char *subject, const char *mend, const char *format,
                ...) PRINTF_LIKE(5, 6);
void check_problem(struct check_report *r, enum exit_code code, const char *check, const char *subject,
                   const char *mend, const char *format, ...) PRINTF_LIKE(6, 7);
/* An event that would go to the log: a problem where it is an error, else a warning; its fields follow in brackets. */
void check_event(struct check_report *r, enum exit_code code, const char *check, enum log_level level,
                 const char *message, const struct log_field *fields);
