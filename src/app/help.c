#include "help.h"

#include "settings.h"

#include <string.h>

#define WIDTH 80
#define TEXT_COLUMN 24

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
static void append_row(struct buf *out, const char *term, const char *argument, const char *text) {
    size_t length = strlen(term) + strlen(argument);
    (void)buf_printf(out, "  %s%s", term, argument);
    if (length + 4 > TEXT_COLUMN) {
        (void)buf_printf(out, "\n%*s", TEXT_COLUMN, "");
    } else {
        (void)buf_printf(out, "%*s", (int)(TEXT_COLUMN - 2 - length), "");
    }
    append_wrapped(out, text, TEXT_COLUMN);
}

static void append_options(struct buf *out, enum cli_command command) {
    (void)buf_append_cstr(out, "\nOptions:\n");
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        const struct cli_row *row = &CLI_OPTION_ROWS[i];
        if (row->commands & (1U << command)) {
            append_row(out, row->name, row->argument, row->text);
        }
    }
}

static void append_settings(struct buf *out) {
    (void)buf_append_cstr(out, "\nSettings (environment variables, or NAME=value lines of the file; the\n"
                               "environment wins, and NAME= means not set):\n");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *setting = &SETTINGS[i];
        const char *standard = setting->standard ? setting->standard : setting->standard_text;
        (void)buf_printf(out, "  %s\n%*s", setting->name, 6, "");
        append_wrapped(out, setting->text, 6);
        if (strcmp(standard, "-") != 0) {
            (void)buf_printf(out, "%*sDefault: %s.\n", 6, "", standard);
        }
    }
}

static void append_exit_status(struct buf *out) {
    static const char *const rows[][2] = {
        {"0", "All is well."},
        {"1", "Some message failed (apply), or was left (run --until-empty); or standard output can't be written."},
        {"64", "The command line is wrong."},
        {"69", "A service can't be reached."},
        {"77", "Permission is missing."},
        {"78", "A setting is wrong, or a table or queue is missing or unfit."},
        {"130", "Ended by Ctrl-C before the work was done (apply; 143: by SIGTERM)."},
    };
    (void)buf_append_cstr(out, "\nExit status:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)buf_printf(out, "  %-4s", rows[i][0]);
        append_wrapped(out, rows[i][1], 6);
    }
}

static void append_program(struct buf *out) {
    (void)buf_append_cstr(out, "Usage: table-updater [--config FILE] COMMAND [ARGUMENT]\n"
                               "\n"
                               "Apply update messages from Amazon SQS to DynamoDB.\n"
                               "\nCommands:\n");
    for (enum cli_command command = CLI_NONE + 1; command < CLI_COMMANDS; command++) {
        const struct cli_row *row = &CLI_COMMAND_ROWS[command];
        append_row(out, row->name, "", row->text);
    }
    append_options(out, CLI_NONE);
    append_settings(out);
    (void)buf_append_cstr(out, "\nFiles:\n  " SETTINGS_DEFAULT_FILE "\n"
                               "      Settings, read where --config names no other file.\n");
    append_exit_status(out);
    (void)buf_append_cstr(out, "\nExamples:\n"
                               "  table-updater run\n"
                               "  table-updater --config backfill.conf run --until-empty=120\n"
                               "  echo '{\"id\": \"user-123\", \"attributes\": {\"status\": \"active\"}}' |\n"
                               "      TABLE_NAME=users AWS_REGION=eu-west-1 table-updater apply\n"
                               "\nSee also: table-updater COMMAND --help; table-updater(8).\n");
}

static const char *const command_texts[CLI_COMMANDS] = {
    [CLI_NONE] = "",
    [CLI_RUN] =
        "Apply the messages of the queue QUEUE_URL to the table TABLE_NAME, each as one\n"
        "transaction with its audit record; delete what succeeded, and send what failed\n"
        "for good to the dead-letter queue.\n"
        "\n"
        "Services that can't be reached at the start are waited for. SIGTERM or SIGINT\n"
        "finishes what is under way within SHUTDOWN_TIMEOUT seconds and gives the rest\n"
        "back to the queue; a second signal gives everything back at once. Logs go to\n"
        "standard error.\n",
    [CLI_APPLY] =
        "Apply messages from FILE, or from standard input where there is no FILE or it\n"
        "is -, to the table TABLE_NAME: one JSON value a line, or one object over several\n"
        "lines. One response a line goes to standard output, in the order of the input.\n"
        "\n"
        "A message without an idempotency_key gets a random one. A fault of the\n"
        "environment ends the command, and so does a signal, once what was begun is\n"
        "finished (a second one: at once). The log says at which line: all before it are\n"
        "done, so that `tail -n +LINE FILE | table-updater apply` goes on.\n",
};
static const char *const command_examples[CLI_COMMANDS] = {
    [CLI_NONE] = "",
    [CLI_RUN] = "  table-updater run\n"
                "  MAX_RATE=200 table-updater --config backfill.conf run --until-empty=120\n",
    [CLI_APPLY] = "  table-updater apply updates.jsonl >responses.jsonl\n"
                  "  generate-updates | table-updater --config users.conf apply\n",
};

bool help_append(enum cli_command command, struct buf *out) {
    if (command == CLI_NONE) {
        append_program(out);
        return buf_ok(out);
    }
    const struct cli_row *row = &CLI_COMMAND_ROWS[command];
    (void)buf_printf(out, "Usage: table-updater [--config FILE] %s %s\n\n%s", row->name, row->argument, command_texts[command]);
    append_options(out, command);
    append_exit_status(out);
    (void)buf_printf(out, "\nExamples:\n%s\nSettings: table-updater --help.\n", command_examples[command]);
    return buf_ok(out);
}
