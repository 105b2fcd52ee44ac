/* The command line: commands and their options are a table (commands.c), of which the help is made too. Pure: no I/O.
 */
#pragma once

#include "compiler.h"
#include "exit_code.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

/* What was given for an option. */
struct cli_value {
    bool given;
    const char *text; /* NULL: no value was given */
    unsigned number; /* where the option takes one */
};

enum cli_takes {
    TAKES_NOTHING,
    TAKES_PERHAPS, /* only after a =: --until-empty, --until-empty=5 */
    TAKES_TEXT /* --config FILE, --config=FILE */
};

struct cli_option {
    const char *name; /* --help */
    const char *short_name; /* -h; NULL: none */
    enum cli_takes takes;
    bool is_number;
    const char *value; /* as the help calls it: FILE */
    unsigned min, max; /* of a number */
    bool (*fits)(const char *text); /* whether this value is allowed; NULL: any is */
    const char *expected; /* the values allowed, to follow "it may be" */
    const char *words; /* all values allowed, with blanks between, for completion; NULL: see value */
    size_t offset; /* in struct cli, of a struct cli_value */
    const char *text; /* a sentence or two for the help */
};

struct app;
struct cli;

struct cli_command {
    const char *name;
    const char *operands; /* as the help shows them: [FILE] */
    int operands_least, operands_most;
    const struct cli_option *options; /* its own, beside those that all have */
    size_t option_count;
    enum settings_need needs;
    bool (*is_dry)(const struct cli *cli); /* a dry run, which needs no queue; without a table, no AWS; NULL: never */
    const char *summary; /* one sentence */
    const char *text; /* paragraphs of at most 80 columns */
    const char *examples; /* lines */
    /* Called before the settings are read; may be NULL. A command that has it isn't ended by faults of the settings: it
     * hears of them through the log, and goes on with what is fine. */
    void (*prepare)(struct app *app);
    enum exit_code (*run)(struct app *app);
    void (*refused)(struct app *app, enum exit_code code); /* app_init() failed with this; NULL: nobody need know */
};
extern const struct cli_command CLI_COMMANDS[];
extern const size_t CLI_COMMAND_COUNT;
extern const struct cli_option CLI_COMMON_OPTIONS[];
extern const size_t CLI_COMMON_COUNT;

#define UNTIL_EMPTY_MAX 86400 /* seconds */

/* What was read. The texts are borrowed from the arguments. */
struct cli {
    const struct cli_command *command; /* NULL only with help or version */
    struct cli_value help, version, config;
    union {
        struct {
            struct cli_value until_empty;
        } run;
        struct {
            struct cli_value line_numbers, quiet;
        } apply;
        struct cli_letters {
            struct cli_value error, id, since, limit, json;
            struct cli_value rate, dry_run, yes; /* redrive */
        } letters; /* dlq, redrive */
        struct {
            struct cli_value format, rejects, strict, rate, group_by, delay, condition, log, dry_run, json, job,
                checkpoint, quiet;
        } enqueue;
        struct {
            struct cli_value job, checkpoint, format, condition, rate, missing, failed, json, quiet;
        } reconcile;
        struct {
            struct cli_value json;
        } check;
    } of; /* the command's own */
    char *const *operands;
    int operand_count;
    const char *settings[SETTINGS_MAX]; /* values of options, in the order of SETTINGS; NULL: not given */
};

#define CLI_WHY_SIZE 384

/* Reads the arguments, and moves the operands to the front of argv. False: ret_why is a sentence for the user, and the
 * exit code is 64. */
MUST_USE bool cli_parse(int argc, char **argv, struct cli *ret_cli, char ret_why[static CLI_WHY_SIZE]);
