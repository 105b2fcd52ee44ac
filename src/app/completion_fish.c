/* fish: a line for each command and option, with a description. */
#include "completion_option.h"

/* Prints the command in the line, or an empty line. It knows which options take the next word. */
static const char walk[] = "function __table_updater_command\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -e words[1]\n"
                           "    set -l skip 0\n"
                           "    for word in $words\n"
                           "        if test $skip = 1\n"
                           "            set skip 0\n"
                           "        else if contains -- $word (__table_updater_valued)\n"
                           "            set skip 1\n"
                           "        else if not string match -q -- '-*' $word\n"
                           "            echo $word\n"
                           "            return\n"
                           "        end\n"
                           "    end\n"
                           "    echo ''\n"
                           "end\n"
                           "function __table_updater_in\n"
                           "    contains -- (__table_updater_command) $argv\n"
                           "end\n"
                           "complete -c table-updater -f\n";

static void append_text(const char *text, struct buf *out) {
    (void)buf_append_cstr(out, " -d '");
    completion_append_escaped(completion_sentence(text), "'\\", "\\", out);
    (void)buf_append_cstr(out, "'\n");
}

static void append_valued(const struct completion_option *option, void *ctx) {
    if (option->takes == TAKES_TEXT) {
        (void)buf_printf(ctx, " %s", option->name);
        if (option->short_name) {
            (void)buf_printf(ctx, " %s", option->short_name);
        }
    }
}

struct options {
    struct buf *out;
    const char *command; /* that they are of; NULL: of all */
};

static void append_option(const struct completion_option *option, void *ctx) {
    const struct options *options = ctx;
    struct buf *out = options->out;
    (void)buf_append_cstr(out, "complete -c table-updater");
    if (options->command) {
        (void)buf_printf(out, " -n '__table_updater_in %s'", options->command);
    }
    (void)buf_printf(out, " -l %s", option->name + 2);
    if (option->short_name) {
        (void)buf_printf(out, " -s %s", option->short_name + 1);
    }
    if (option->is_file) {
        (void)buf_append_cstr(out, " -r -F");
    } else if (option->takes == TAKES_TEXT) {
        (void)buf_append_cstr(out, " -x");
    }
    if (completion_has_words(option)) {
        (void)buf_append_cstr(out, " -a '");
        completion_append_words(option, out);
        (void)buf_append_char(out, '\'');
    }
    append_text(option->text, out);
}

static void append_command(const struct cli_command *command, struct buf *out) {
    (void)buf_printf(out, "complete -c table-updater -n \"__table_updater_in '' help\" -a %s", command->name);
    append_text(command->summary, out);
    if (completion_takes_files(command)) {
        (void)buf_printf(out, "complete -c table-updater -n '__table_updater_in %s' -F\n", command->name);
    }
    struct options own = {out, command->name};
    completion_each_own_option(command, append_option, &own);
}

void completion_append_fish(struct buf *out) {
    (void)buf_append_cstr(out, "# Completion of table-updater's command line for fish.\n"
                               "\n"
                               "# The options whose value is the next word.\n"
                               "function __table_updater_valued\n"
                               "    string split -n ' ' '");
    completion_each_common_option(append_valued, out);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        completion_each_own_option(&CLI_COMMANDS[i], append_valued, out);
    }
    (void)buf_append_cstr(out, "'\nend\n");
    (void)buf_append_cstr(out, walk);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        append_command(&CLI_COMMANDS[i], out);
    }
    (void)buf_append_cstr(out, "complete -c table-updater -n \"__table_updater_in ''\" -a help");
    append_text("Show the help, or a command's", out);
    struct options common = {out, NULL};
    completion_each_common_option(append_option, &common);
}
