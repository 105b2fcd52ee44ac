#include "help.h"

#include "settings.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 80
#define TEXT_COLUMN 24

const struct exit_status EXIT_STATUSES[] = {
    {0, "All is well."},
    {1,
     "Some message failed (apply), was rejected (enqueue), can't be moved (redrive), was left (run --until-empty) or "
     "isn't applied (reconcile); or standard output can't be written."},
    {64, "The command line is wrong, or a file can't be read."},
    {69, "A service can't be reached, or its certificate can't be trusted."},
    {77, "Permission is missing."},
    {78, "A setting is wrong, or a table or queue is missing or unfit."},
    {130, "Ended by Ctrl-C before the work was done; run ends with 0."},
    {143, "Likewise, by SIGTERM."},
};
const size_t EXIT_STATUS_COUNT = ARRAY_LENGTH(EXIT_STATUSES);

/* Appends text in lines of WIDTH columns from column on; the first line is at column already. */
static void append_wrapped(struct buf *out, const char *text, int column) {
    size_t at = (size_t)column;
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (!first && at + 1 + length > WIDTH) {
            (void)buf_printf(out, "\n%*s", column, "");
            at = (size_t)column;
        } else if (!first) {
            (void)buf_append_char(out, ' ');
            at++;
        }
        (void)buf_append(out, text, length);
        at += length;
        text += length;
        text += strspn(text, " ");
        first = false;
    }
    (void)buf_append_char(out, '\n');
}

/* A term, and from TEXT_COLUMN on its text; below the term where that is too long. */
static void append_row(struct buf *out, const char *term, const char *text) {
    size_t length = strlen(term);
    (void)buf_printf(out, "  %s", term);
    if (length + 4 > TEXT_COLUMN) {
        (void)buf_printf(out, "\n%*s", TEXT_COLUMN, "");
    } else {
        (void)buf_printf(out, "%*s", (int)(TEXT_COLUMN - 2 - length), "");
    }
    append_wrapped(out, text, TEXT_COLUMN);
}

static void append_options(struct buf *out, const struct cli_option *options, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct cli_option *o = &options[i];
        char term[64];
        (void)snprintf(term, sizeof term, "%s%s%s%s%s%s", o->short_name ? o->short_name : "", o->short_name ? ", " : "",
                       o->name,
                       o->takes == TAKES_PERHAPS ? "[="
                       : o->takes == TAKES_TEXT  ? " "
                                                 : "",
                       o->value ? o->value : "", o->takes == TAKES_PERHAPS ? "]" : "");
        append_row(out, term, o->text);
    }
}

static void append_settings(struct buf *out) {
    (void)buf_append_cstr(out, "\nSettings (environment variables, or NAME=value lines of the file; the\n"
                               "environment wins, and NAME= means not set; an option wins over both):\n");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *setting = &SETTINGS[i];
        const char *standard = setting->standard ? setting->standard : setting->standard_text;
        char option[SETTINGS_OPTION_SIZE];
        bool given = settings_option(setting, option);
        (void)buf_printf(out, "  %s%s%s\n%*s", setting->name, given ? ", " : "", given ? option : "", 6, "");
        append_wrapped(out, setting->text, 6);
        if (strcmp(standard, "-") != 0) {
            (void)buf_printf(out, "%*sDefault: %s.\n", 6, "", standard);
        }
    }
}

static void append_exit_status(struct buf *out) {
    (void)buf_append_cstr(out, "\nExit status:\n");
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++) {
        (void)buf_printf(out, "  %-4u", EXIT_STATUSES[i].code);
        append_wrapped(out, EXIT_STATUSES[i].text, 6);
    }
}

static void append_program(struct buf *out) {
    (void)buf_append_cstr(out, "Usage: table-updater COMMAND [OPTION]... [ARGUMENT]...\n"
                               "\n"
                               "Apply update messages from Amazon SQS to DynamoDB.\n"
                               "\nCommands:\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        append_row(out, CLI_COMMANDS[i].name, CLI_COMMANDS[i].summary);
    }
    append_row(out, "help [COMMAND]", "Show this help, or a command's.");
    (void)buf_append_cstr(out, "\nOptions:\n");
    append_options(out, CLI_COMMON_OPTIONS, CLI_COMMON_COUNT);
    append_settings(out);
    (void)buf_append_cstr(out, "\nFiles:\n  " SETTINGS_DEFAULT_FILE "\n"
                               "      Settings, read where --config names no other file.\n");
    append_exit_status(out);
    (void)buf_append_cstr(out, "\nExamples:\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void)buf_append_cstr(out, CLI_COMMANDS[i].examples);
    }
    (void)buf_append_cstr(out, "\nSee also: table-updater COMMAND --help; table-updater(8).\n");
}

bool help_append(const struct cli_command *command, struct buf *out) {
    if (!command) {
        append_program(out);
        return buf_ok(out);
    }
    (void)buf_printf(out, "Usage: table-updater %s [OPTION]...%s%s\n\n%s", command->name,
                     command->operands[0] ? " " : "", command->operands, command->text);
    (void)buf_append_cstr(out, "\nOptions:\n");
    append_options(out, command->options, command->option_count);
    append_options(out, CLI_COMMON_OPTIONS, CLI_COMMON_COUNT);
    (void)buf_append_cstr(out, "\nEach setting can be given as an option as well, as --table-name NAME and\n"
                               "--region REGION; table-updater --help has them all.\n");
    append_exit_status(out);
    (void)buf_printf(out, "\nExamples:\n%s", command->examples);
    return buf_ok(out);
}
