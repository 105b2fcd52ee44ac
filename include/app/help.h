/* The help texts, made of the tables of commands, options and settings. */
#pragma once

#include "buf.h"
#include "cli.h"

#include <stdbool.h>
#include <stddef.h>

/* The exit codes, for help and manual. */
struct exit_status {
    unsigned code;
    const char *text;
};
extern const struct exit_status EXIT_STATUSES[];
extern const size_t EXIT_STATUS_COUNT;

/* Appends the help of a command, or of the program as a whole (NULL). False: out has failed. */
bool help_append(const struct cli_command *command, struct buf *out);
