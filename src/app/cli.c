#include "cli.h"

#include "closest_name.h"
#include "settings_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum option { OPTION_CONFIG, OPTION_UNTIL_EMPTY, OPTION_LINE_NUMBERS, OPTION_HELP, OPTION_VERSION, OPTIONS };
enum value { VALUE_NONE, VALUE_MAY, VALUE_MUST };

#define FOR(command) (1U << (command))
#define FOR_ALL (FOR(CLI_NONE) | FOR(CLI_RUN) | FOR(CLI_APPLY))

const struct cli_row CLI_COMMAND_ROWS[CLI_COMMANDS] = {
    [CLI_NONE] = {"", "", "", 0},
    [CLI_RUN] = {"run", "[--until-empty[=SECONDS]]", "Apply the messages of the queue, until SIGTERM.", 0},
    [CLI_APPLY] = {"apply", "[--line-numbers] [FILE]", "Apply messages from a file or standard input, without a queue.", 0},
};

const struct cli_row CLI_OPTION_ROWS[] = {
    [OPTION_CONFIG] = {"--config", " FILE", "Read settings from FILE instead of " SETTINGS_DEFAULT_FILE ".", FOR_ALL},
    [OPTION_UNTIL_EMPTY] = {"--until-empty", "[=SECONDS]",
                            "End once the queue is empty, and has been for SECONDS (default 0: about 3 s after the last message). The "
                            "counts of Amazon SQS lag behind by a minute: give 120 there.",
                            FOR(CLI_RUN)},
    [OPTION_LINE_NUMBERS] = {"--line-numbers", "", "Give each response a member \"line\": the line of the input that it answers.", FOR(CLI_APPLY)},
    [OPTION_HELP] = {"--help", "", "Show this help, or a command's.", FOR_ALL},
    [OPTION_VERSION] = {"--version", "", "Show the version.", FOR_ALL},
};
const size_t CLI_OPTION_COUNT = OPTIONS;

static const enum value option_values[OPTIONS] = {[OPTION_CONFIG] = VALUE_MUST, [OPTION_UNTIL_EMPTY] = VALUE_MAY};
/* Commands that the manuals of other versions name. */
static const char *const absent_commands[] = {"check", "enqueue", "redrive", "dlq"};

struct parser {
    struct cli cli;
    char *const *next; /* the argument to be read next */
    char *const *end;
    bool seen[OPTIONS];
    bool only_operands; /* behind "--" */
    char *why;          /* CLI_WHY_SIZE bytes */
};

/* An argument may be of any length, and is quoted in part. */
#define WORD "%.60s"

static bool wrong(struct parser *p, const char *format, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct parser *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(p->why, CLI_WHY_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static bool unknown_option(struct parser *p, const char *given, size_t length) {
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : (int)sizeof name - 1, given);
    const char *names[OPTIONS];
    for (size_t i = 0; i < OPTIONS; i++) {
        names[i] = CLI_OPTION_ROWS[i].name;
    }
    const char *meant = closest_name(name, names, OPTIONS);
    return meant ? wrong(p, "there is no option " WORD "; did you mean %s?", name, meant) : wrong(p, "there is no option " WORD, name);
}

static bool unknown_command(struct parser *p, const char *given) {
    const char *names[CLI_COMMANDS - 1];
    for (size_t i = 1; i < CLI_COMMANDS; i++) {
        names[i - 1] = CLI_COMMAND_ROWS[i].name;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(absent_commands); i++) {
        if (strcmp(given, absent_commands[i]) == 0) {
            return wrong(p, "the command %s is not in this version (" TABLE_UPDATER_VERSION "); there are run and apply", given);
        }
    }
    const char *meant = closest_name(given, names, ARRAY_LENGTH(names));
    return meant ? wrong(p, "there is no command " WORD "; did you mean %s?", given, meant)
                 : wrong(p, "there is no command " WORD "; there are run and apply", given);
}

static bool take_option(struct parser *p, enum option option, const char *value) {
    p->seen[option] = true;
    switch (option) {
    case OPTION_CONFIG:
        p->cli.config = value;
        return value[0] || wrong(p, "--config takes the name of a file");
    case OPTION_UNTIL_EMPTY:
        p->cli.until_empty = true;
        return !value || read_integer(value, 0, UNTIL_EMPTY_MAX, &p->cli.until_empty_seconds) ||
               wrong(p, "--until-empty=" WORD ": SECONDS may be a whole number from 0 to %d", value, UNTIL_EMPTY_MAX);
    case OPTION_LINE_NUMBERS: p->cli.line_numbers = true; return true;
    case OPTION_HELP: p->cli.help = true; return true;
    case OPTION_VERSION: p->cli.version = true; return true;
    case OPTIONS: break;
    }
    return false;
}

static bool parse_option(struct parser *p, const char *argument) {
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    enum option option = 0;
    while (option < OPTIONS && (strlen(CLI_OPTION_ROWS[option].name) != length || memcmp(CLI_OPTION_ROWS[option].name, argument, length) != 0)) {
        option++;
    }
    if (option == OPTIONS) {
        return unknown_option(p, argument, length);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (value && option_values[option] == VALUE_NONE) {
        return wrong(p, "%s takes no value", CLI_OPTION_ROWS[option].name);
    }
    if (!value && option_values[option] == VALUE_MUST) {
        if (p->next == p->end) {
            return wrong(p, "%s takes the name of a file", CLI_OPTION_ROWS[option].name);
        }
        value = *p->next++;
    }
    return take_option(p, option, value);
}

static bool parse_operand(struct parser *p, const char *argument) {
    if (p->cli.command == CLI_NONE) {
        for (enum cli_command command = CLI_NONE + 1; command < CLI_COMMANDS; command++) {
            if (strcmp(argument, CLI_COMMAND_ROWS[command].name) == 0) {
                p->cli.command = command;
                return true;
            }
        }
        return unknown_command(p, argument);
    }
    if (p->cli.command != CLI_APPLY) {
        return wrong(p, "%s takes no argument " WORD, CLI_COMMAND_ROWS[p->cli.command].name, argument);
    }
    if (p->cli.file) {
        return wrong(p, "apply takes one file; " WORD " is the second one", argument);
    }
    p->cli.file = argument;
    return true;
}

/* What only the whole line shows. */
static bool check_whole(struct parser *p) {
    if (p->cli.help || p->cli.version) {
        return true;
    }
    if (p->cli.command == CLI_NONE) {
        return wrong(p, "a command is missing: run or apply");
    }
    for (enum option option = 0; option < OPTIONS; option++) {
        if (p->seen[option] && !(CLI_OPTION_ROWS[option].commands & FOR(p->cli.command))) {
            return wrong(p, "%s takes no %s", CLI_COMMAND_ROWS[p->cli.command].name, CLI_OPTION_ROWS[option].name);
        }
    }
    return true;
}

bool cli_parse(int argc, char *const *argv, struct cli *ret_cli, char ret_why[static CLI_WHY_SIZE]) {
    struct parser p = {.next = argv + (argc > 0), .end = argv + argc, .why = ret_why};
    while (p.next < p.end) {
        const char *argument = *p.next++;
        if (!p.only_operands && strcmp(argument, "--") == 0) {
            p.only_operands = true;
            continue;
        }
        bool option = !p.only_operands && argument[0] == '-' && argument[1];
        if (!(option ? parse_option(&p, argument) : parse_operand(&p, argument))) {
            return false;
        }
    }
    if (!check_whole(&p)) {
        return false;
    }
    if (p.cli.file && strcmp(p.cli.file, "-") == 0 && !p.only_operands) {
        p.cli.file = NULL;
    }
    *ret_cli = p.cli;
    return true;
}
