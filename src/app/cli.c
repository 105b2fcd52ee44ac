#include "cli.h"

#include "closest_name.h"
#include "settings_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX (SETTINGS_MAX + 64) /* of options that one command takes */

struct parser {
    struct cli cli;
    int argc;
    char **argv;
    int at; /* the argument to be read next */
    int command_at; /* where the command's name stands; 0: nowhere */
    int help_at; /* where the word help stands in a command's place; 0: nowhere */
    int operands; /* moved to the front so far */
    char *why; /* CLI_WHY_SIZE bytes */
};

/* An option that may be given: one of a table, or a setting's. */
struct found {
    const struct cli_option *option;
    size_t setting; /* where option is NULL */
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

static bool is_called(const char *name, struct span given) {
    return name && span_is(given, name);
}

static const struct cli_option *find_in(const struct cli_option *options, size_t count, struct span name) {
    for (size_t i = 0; i < count; i++) {
        if (is_called(options[i].name, name) || is_called(options[i].short_name, name)) {
            return &options[i];
        }
    }
    return NULL;
}

/* Looks among the options of all commands, those of one command (NULL: of any), and the settings. */
static bool find(const struct cli_command *command, struct span name, struct found *ret_found) {
    *ret_found = (struct found){find_in(CLI_COMMON_OPTIONS, CLI_COMMON_COUNT, name), 0};
    for (size_t i = 0; !ret_found->option && i < CLI_COMMAND_COUNT; i++) {
        if (!command || command == &CLI_COMMANDS[i]) {
            ret_found->option = find_in(CLI_COMMANDS[i].options, CLI_COMMANDS[i].option_count, name);
        }
    }
    for (size_t i = 0; !ret_found->option && i < SETTINGS_COUNT; i++) {
        char option[SETTINGS_OPTION_SIZE];
        if (settings_option(&SETTINGS[i], option) && is_called(option, name)) {
            ret_found->setting = i;
            return true;
        }
    }
    return ret_found->option != NULL;
}

static enum cli_takes takes_of(const struct found *found) {
    return found->option ? found->option->takes : TAKES_TEXT;
}

static bool is_option(const char *argument) {
    return argument[0] == '-' && argument[1];
}

/* The name of an option without its value. */
static struct span name_of(const char *argument) {
    return span_of(argument, strcspn(argument, "="));
}

static bool unknown_option(struct parser *p, struct span given) {
    char name[64], options[SETTINGS_MAX][SETTINGS_OPTION_SIZE];
    (void)snprintf(name, sizeof name, "%.*s", (int)(given.len < sizeof name ? given.len : sizeof name - 1), given.data);
    const struct cli_command *command = p->cli.command;
    const char *names[NAMES_MAX];
    size_t count = 0;
    struct found found;
    if (command && find(NULL, given, &found)) {
        return wrong(p, "%s takes no " WORD, command->name, name);
    }
    for (size_t i = 0; i < CLI_COMMON_COUNT && count < NAMES_MAX; i++) {
        names[count++] = CLI_COMMON_OPTIONS[i].name;
    }
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const struct cli_command *one = &CLI_COMMANDS[i];
        for (size_t j = 0; (!command || command == one) && j < one->option_count && count < NAMES_MAX; j++) {
            names[count++] = one->options[j].name;
        }
    }
    for (size_t i = 0; i < SETTINGS_COUNT && count < NAMES_MAX; i++) {
        if (settings_option(&SETTINGS[i], options[i])) {
            names[count++] = options[i];
        }
    }
    const char *meant = name[1] == '-' ? closest_name(name, names, count) : NULL;
    return meant ? wrong(p, "there is no option " WORD "; did you mean %s?", name, meant)
                 : wrong(p, "there is no option " WORD, name);
}

/* "run, apply and check": as many as there are. */
static const char *commands_there_are(char text[static 128]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < CLI_COMMAND_COUNT && used < 128; i++) {
        const char *between = i == 0 ? "" : i + 1 < CLI_COMMAND_COUNT ? ", " : " and ";
        int n = snprintf(text + used, 128 - used, "%s%s", between, CLI_COMMANDS[i].name);
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}

static bool unknown_command(struct parser *p, const char *given) {
    char all[128];
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < CLI_COMMAND_COUNT && count < NAMES_MAX; i++) {
        names[count++] = CLI_COMMANDS[i].name;
    }
    const char *meant = closest_name(given, names, count);
    return meant ? wrong(p, "there is no command " WORD "; did you mean %s?", given, meant)
                 : wrong(p, "there is no command " WORD "; there are %s", given, commands_there_are(all));
}

/* Whether the program is called bootstrap, as AWS Lambda starts it. */
static bool is_called_bootstrap(const struct parser *p) {
    const char *name = p->argc > 0 ? p->argv[0] : "", *slash = strrchr(name, '/');
    return strcmp(slash ? slash + 1 : name, "bootstrap") == 0;
}

static const struct cli_command *command_called(const char *name) {
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (strcmp(name, CLI_COMMANDS[i].name) == 0) {
            return &CLI_COMMANDS[i];
        }
    }
    return NULL;
}

/* Which command it is, wherever that stands: its options are known by it. */
static bool find_command(struct parser *p) {
    bool only_operands = false;
    for (int i = 1; i < p->argc; i++) {
        const char *argument = p->argv[i];
        struct found found;
        if (!only_operands && strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (!only_operands && is_option(argument)) {
            if (!find(NULL, name_of(argument), &found)) {
                return unknown_option(p, name_of(argument));
            }
            i += takes_of(&found) == TAKES_TEXT && !strchr(argument, '=');
        } else if (strcmp(argument, "help") == 0) {
            p->help_at = i;
            p->cli.help.given = true;
        } else {
            p->command_at = i;
            break;
        }
    }
    if (p->command_at) {
        p->cli.command = command_called(p->argv[p->command_at]);
    } else if (is_called_bootstrap(p) && !p->help_at) {
        p->cli.command = command_called("lambda");
    }
    return !p->command_at || p->cli.command || unknown_command(p, p->argv[p->command_at]);
}

static bool take_value(struct parser *p, const struct cli_option *option, const char *text) {
    struct cli_value *value = (struct cli_value *)(void *)((char *)&p->cli + option->offset);
    *value = (struct cli_value){.given = true, .text = text};
    if (text && option->is_number && !read_integer(text, option->min, option->max, &value->number)) {
        return wrong(p, "%s=" WORD ": %s may be a whole number from %u to %u", option->name, text, option->value,
                     option->min, option->max);
    }
    if (text && text[0] && option->fits && !option->fits(text)) {
        return wrong(p, "%s=" WORD ": it may be %s", option->name, text, option->expected);
    }
    return (text && text[0]) || !text || wrong(p, "%s takes a value: %s", option->name, option->value);
}

static bool parse_option(struct parser *p, const char *argument) {
    struct span name = name_of(argument);
    const char *value = argument[name.len] ? argument + name.len + 1 : NULL;
    struct found found;
    if (!find(p->cli.command, name, &found)) {
        return unknown_option(p, name);
    }
    const char *known = found.option ? found.option->name : NULL;
    if (value && takes_of(&found) == TAKES_NOTHING) {
        return wrong(p, "%s takes no value", known);
    }
    if (!value && takes_of(&found) == TAKES_TEXT) {
        if (p->at == p->argc) {
            return wrong(p, WORD " takes a value: %s", argument,
                         found.option ? found.option->value : SETTINGS[found.setting].name);
        }
        value = p->argv[p->at++];
    }
    if (found.option) {
        return take_value(p, found.option, value);
    }
    p->cli.settings[found.setting] = value;
    return true;
}

/* Checks what only the whole command line shows. */
static bool check_whole(struct parser *p) {
    const struct cli_command *command = p->cli.command;
    char all[128];
    if (p->cli.help.given || p->cli.version.given) {
        return true;
    }
    if (!command) {
        return wrong(p, "a command is missing; there are %s", commands_there_are(all));
    }
    if (p->operands > command->operands_most) {
        const char *surplus = p->argv[1 + command->operands_most];
        return wrong(p, "%s takes %s%s; " WORD " is too much", command->name,
                     command->operands_most ? "one " : "no argument", command->operands, surplus);
    }
    return p->operands >= command->operands_least ||
           wrong(p, "%s takes %s, which is missing", command->name, command->operands);
}

bool cli_parse(int argc, char **argv, struct cli *ret_cli, char ret_why[static CLI_WHY_SIZE]) {
    struct parser p = {.argc = argc, .argv = argv, .at = 1, .why = ret_why};
    if (!find_command(&p)) {
        return false;
    }
    bool only_operands = false;
    while (p.at < argc) {
        int at = p.at++;
        if (!only_operands && strcmp(argv[at], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && is_option(argv[at])) {
            if (!parse_option(&p, argv[at])) {
                return false;
            }
        } else if (at != p.command_at && at != p.help_at) {
            argv[1 + p.operands++] = argv[at];
        }
    }
    p.cli.operands = argc > 0 ? argv + 1 : argv;
    p.cli.operand_count = p.operands;
    if (!check_whole(&p)) {
        return false;
    }
    *ret_cli = p.cli;
    return true;
}
