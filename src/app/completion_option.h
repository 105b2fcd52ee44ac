/* What the scripts of all shells are made of: an option as a person meets it, whichever table it stands in. */
#pragma once

#include "buf.h"
#include "cli.h"
#include "settings.h"
#include "span.h"

#include <stdbool.h>

struct completion_option {
    const char *name; /* --log-level */
    const char *short_name; /* NULL: none */
    enum cli_takes takes;
    const char *value; /* as the help calls it; words in small letters between bars are the values allowed */
    const char *words; /* all values allowed, with blanks between; NULL: see value */
    bool is_file;
    const struct setting_choice *choices; /* NULL: value says it */
    const char *text;
};

typedef void completion_visit(const struct completion_option *option, void *ctx);
/* Visits the options of a command alone. */
void completion_each_own_option(const struct cli_command *command, completion_visit *visit, void *ctx);
/* Visits those of all commands: the settings' too. */
void completion_each_common_option(completion_visit *visit, void *ctx);
/* Whether the words are known that may stand for its value; they are appended with blanks between. */
bool completion_has_words(const struct completion_option *option);
void completion_append_words(const struct completion_option *option, struct buf *out);
/* Whether a command's arguments are files. */
bool completion_takes_files(const struct cli_command *command);
/* What of an option's text fits beside it: its first sentence, without the full stop, and the second where the first
 * says too little. */
struct span completion_sentence(const char *text);
/* Appends text with before in front of each of the special characters. */
void completion_append_escaped(struct span text, const char *special, const char *before, struct buf *out);

/* The scripts, a file each. */
void completion_append_bash(struct buf *out);
void completion_append_zsh(struct buf *out);
void completion_append_fish(struct buf *out);
