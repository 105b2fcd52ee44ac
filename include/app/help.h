/* The help texts, made of the tables of commands, options and settings. */
#pragma once

#include "buf.h"
#include "cli.h"

#include <stdbool.h>

/* Appends the help of a command, or of the program as a whole (NULL). False: out has failed. */
bool help_append(const struct cli_command *command, struct buf *out);
