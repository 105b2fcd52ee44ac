/* bash knows no descriptions: names alone. Nothing of the package bash-completion is needed. */
#include "completion_option.h"

/* Readline takes --config=FILE for three words, where "=" is among COMP_WORDBREAKS. */
static const char walk[] =
    "_table_updater() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} option='' command='' prefix='' only_operands='' one i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        one=${COMP_WORDS[i]}\n"
    "        if [[ -n $only_operands || $one != -?* ]]; then\n"
    "            command=${command:-$one}\n"
    "        elif [[ $one == -- ]]; then\n"
    "            only_operands=yes\n"
    "        elif [[ ${COMP_WORDS[i + 1]} == '=' ]]; then\n"
    "            ((i + 2 < COMP_CWORD)) || option=$one\n"
    "            ((i += 2))\n"
    "        elif [[ \" $(_table_updater_valued) \" == *\" $one \"* ]]; then\n"
    "            ((i + 1 < COMP_CWORD)) || option=$one\n"
    "            ((i++))\n"
    "        fi\n"
    "    done\n"
    "    if [[ -n $option && $word == '=' ]]; then\n"
    "        word=''\n"
    "    elif [[ -z $option && -z $only_operands && $word == --*=* ]]; then\n"
    "        option=${word%%=*} word=${word#*=} prefix=$option=\n"
    "    fi\n"
    "    if [[ -n $option ]]; then\n"
    "        one=$(_table_updater_value \"$command\" \"$option\")\n"
    "    elif [[ -z $only_operands && $word == -* ]]; then\n"
    "        one=$(_table_updater_options \"$command\")\n"
    "    else\n"
    "        one=$(_table_updater_operand \"$command\")\n"
    "    fi\n"
    "    if [[ $one == FILE ]]; then\n"
    "        compopt -o default\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -W \"$one\" -- \"$word\")\n"
    "        [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace\n"
    "    fi\n"
    "}\n"
    "complete -F _table_updater table-updater\n";

static void append_name(const struct completion_option *option, void *ctx) {
    struct buf *out = ctx;
    (void)buf_printf(out, " %s", option->name);
    if (option->takes == TAKES_PERHAPS) {
        (void)buf_printf(out, " %s=", option->name);
    }
    if (option->short_name) {
        (void)buf_printf(out, " %s", option->short_name);
    }
}

static void append_valued(const struct completion_option *option, void *ctx) {
    if (option->takes == TAKES_TEXT) {
        (void)buf_printf(ctx, " %s", option->name);
        if (option->short_name) {
            (void)buf_printf(ctx, " %s", option->short_name);
        }
    }
}

struct values {
    struct buf *out;
    const char *command; /* that the options are of; *: of all */
};

static void append_value(const struct completion_option *option, void *ctx) {
    const struct values *values = ctx;
    if (!option->is_file && !completion_has_words(option)) {
        return;
    }
    (void)buf_printf(values->out, "    %s' %s') printf '%%s' '", values->command, option->name);
    if (option->is_file) {
        (void)buf_append_cstr(values->out, "FILE");
    } else {
        completion_append_words(option, values->out);
    }
    (void)buf_append_cstr(values->out, "' ;;\n");
}

static void append_values(struct buf *out) {
    (void)buf_append_cstr(out, "# What may stand for the value of an option of a command.\n"
                               "_table_updater_value() {\n"
                               "    case \"$1 $2\" in\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        struct values values = {out, CLI_COMMANDS[i].name};
        completion_each_own_option(&CLI_COMMANDS[i], append_value, &values);
    }
    struct values values = {out, "*"};
    completion_each_common_option(append_value, &values);
    (void)buf_append_cstr(out, "    esac\n}\n");
}

static void append_options(struct buf *out) {
    (void)buf_append_cstr(out, "_table_updater_options() {\n    case $1 in\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void)buf_printf(out, "    %s) printf '%%s' '", CLI_COMMANDS[i].name);
        completion_each_own_option(&CLI_COMMANDS[i], append_name, out);
        (void)buf_append_cstr(out, "' ;;\n");
    }
    (void)buf_append_cstr(out, "    esac\n    printf '%s' '");
    completion_each_common_option(append_name, out);
    (void)buf_append_cstr(out, "'\n}\n");
}

static void append_operands(struct buf *out) {
    (void)buf_append_cstr(out, "_table_updater_operand() {\n    case $1 in\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (completion_takes_files(&CLI_COMMANDS[i])) {
            (void)buf_printf(out, "    %s) printf FILE ;;\n", CLI_COMMANDS[i].name);
        }
    }
    (void)buf_append_cstr(out, "    '' | help) printf '%s' '");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void)buf_printf(out, "%s ", CLI_COMMANDS[i].name);
    }
    (void)buf_append_cstr(out, "help' ;;\n    esac\n}\n");
}

void completion_append_bash(struct buf *out) {
    (void)buf_append_cstr(out, "# shellcheck shell=bash\n"
                               "# Completion of table-updater's command line for bash.\n"
                               "\n"
                               "# The options whose value is the next word.\n"
                               "_table_updater_valued() {\n"
                               "    printf '%s' '");
    completion_each_common_option(append_valued, out);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        completion_each_own_option(&CLI_COMMANDS[i], append_valued, out);
    }
    (void)buf_append_cstr(out, "'\n}\n");
    append_values(out);
    append_options(out);
    append_operands(out);
    (void)buf_append_cstr(out, walk);
}
