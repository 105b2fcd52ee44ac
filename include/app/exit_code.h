/* How a command ends: the exit codes of the contract (after sysexits.h). */
#pragma once

#include "outcome.h"

enum exit_code {
    EXIT_FINE = 0,
    EXIT_SOME_FAILED = 1, /* not all was done; EXIT_STATUSES says it for each command */
    EXIT_USAGE = 64,
    EXIT_UNREACHABLE = 69, /* a service can't be reached, or its certificate can't be trusted */
    EXIT_NOT_PERMITTED = 77,
    EXIT_SETTINGS = 78, /* a setting is wrong, or a table or queue is missing or unfit */
    EXIT_INTERRUPTED = 130 /* by SIGINT before the work was done; other signals end with 128 and their number */
};

/* Of several problems the first of 78, 77, 69 wins; EXIT_FINE loses. */
enum exit_code worse_exit(enum exit_code a, enum exit_code b);
/* The exit code of a command whose work had this outcome. */
enum exit_code exit_code_of(struct outcome outcome);
