/* zsh: specifications for its function _arguments, with a description for each. */
#include "completion_option.h"

/* The text stands in single quotes, within brackets. */
static void append_text(const char *text, struct buf *out) {
    struct span sentence = completion_sentence(text);
    for (size_t i = 0; i < sentence.len; i++) {
        struct span one = span_of(sentence.data + i, 1);
        if (*one.data == '\'') {
            (void)buf_append_cstr(out, "'\\''");
        } else {
            completion_append_escaped(one, "[]:\\", "\\", out);
        }
    }
}

/* :SECONDS: or :FILE:_files or :LOG_LEVEL:(DEBUG INFO), behind what the option is. */
static void append_action(const struct completion_option *option, struct buf *out) {
    if (option->takes == TAKES_NOTHING) {
        return;
    }
    bool words = completion_has_words(option);
    (void)buf_printf(out, "%s:%s:", option->takes == TAKES_PERHAPS ? ":" : "", words ? "value" : option->value);
    if (option->is_file) {
        (void)buf_append_cstr(out, "_files");
    } else if (words) {
        (void)buf_append_char(out, '(');
        completion_append_words(option, out);
        (void)buf_append_char(out, ')');
    }
}

static void append_option(const struct completion_option *option, void *ctx) {
    struct buf *out = ctx;
    (void)buf_append_cstr(out, "        '");
    if (option->short_name) {
        (void)buf_printf(out, "(%s %s)'{%s,%s}'[", option->short_name, option->name, option->short_name, option->name);
    } else {
        static const char *const behind[] = {[TAKES_NOTHING] = "", [TAKES_PERHAPS] = "=-", [TAKES_TEXT] = "="};
        (void)buf_printf(out, "%s%s[", option->name, behind[option->takes]);
    }
    append_text(option->text, out);
    (void)buf_append_char(out, ']');
    append_action(option, out);
    (void)buf_append_cstr(out, "'\n");
}

static void append_commands(struct buf *out) {
    (void)buf_append_cstr(out, "    local -a commands=(\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void)buf_printf(out, "        '%s:", CLI_COMMANDS[i].name);
        append_text(CLI_COMMANDS[i].summary, out);
        (void)buf_append_cstr(out, "'\n");
    }
    (void)buf_append_cstr(out, "        'help:Show the help, or a command'\\''s'\n    )\n");
}

void completion_append_zsh(struct buf *out) {
    (void)buf_append_cstr(out, "#compdef table-updater\n"
                               "# Completion of table-updater's command line for zsh.\n"
                               "\n"
                               "_table_updater() {\n"
                               "    local context state line ret=1\n"
                               "    typeset -A opt_args\n"
                               "    local -a own=() common=(\n");
    completion_each_common_option(append_option, out);
    (void)buf_append_cstr(out, "    )\n");
    append_commands(out);
    (void)buf_append_cstr(out, "    _arguments -C -S $common '1: :->command' '*:: :->argument' && ret=0\n"
                               "    case $state in\n"
                               "    command) _describe -t commands command commands && ret=0 ;;\n"
                               "    argument)\n"
                               "        case $words[1] in\n");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void)buf_printf(out, "        %s) own=(\n", CLI_COMMANDS[i].name);
        completion_each_own_option(&CLI_COMMANDS[i], append_option, out);
        (void)buf_printf(out, "        %s) ;;\n", completion_takes_files(&CLI_COMMANDS[i]) ? "'*:FILE:_files'" : "");
    }
    (void)buf_append_cstr(out, "        help) _describe -t commands command commands && ret=0 ;;\n"
                               "        esac\n"
                               "        _arguments -S $common $own && ret=0 ;;\n"
                               "    esac\n"
                               "    return ret\n"
                               "}\n"
                               "\n"
                               "_table_updater \"$@\"\n");
}
