/* The command line: commands and options are a table each; the help comes from them. Pure: no I/O. */
#pragma once

#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_command { CLI_NONE, CLI_RUN, CLI_APPLY, CLI_COMMANDS };

struct cli {
    enum cli_command command; /* CLI_NONE only with help or version */
    bool help, version;
    const char *config; /* --config; NULL: the default file */
    bool until_empty;
    unsigned until_empty_seconds;
    bool line_numbers;
    const char *file; /* of apply; NULL: standard input */
};

#define CLI_WHY_SIZE 256
#define UNTIL_EMPTY_MAX 86400 /* seconds */

/* Reads the arguments, of which the texts are borrowed. False: ret_why is a sentence for the user, and the exit code is 64. */
MUST_USE bool cli_parse(int argc, char *const *argv, struct cli *ret_cli, char ret_why[static CLI_WHY_SIZE]);

/* A row of a table, for the help. */
struct cli_row {
    const char *name;     /* run; --config */
    const char *argument; /* as it is shown behind the name; "" for none */
    const char *text;
    unsigned commands; /* of an option: a bit (1 << enum cli_command) for each that takes it */
};
extern const struct cli_row CLI_COMMAND_ROWS[CLI_COMMANDS]; /* by enum cli_command */
extern const struct cli_row CLI_OPTION_ROWS[];
extern const size_t CLI_OPTION_COUNT;
