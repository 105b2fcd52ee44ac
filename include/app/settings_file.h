/* The syntax of the settings file: what systemd.exec(5) says of EnvironmentFile=, so that one file serves the service
 * manager and us. Pure: text in, names and values out.
 *   - NAME=value, one a line; blank lines and lines that begin with "#" or ";" are skipped; nothing is expanded;
 *   - an unquoted value ends with its line, without the white space around it; a backslash keeps the character behind
 * it, and joins the next line at the end of one;
 *   - '...' is taken as it stands, over several lines too; in "..." a backslash counts before " \ ` $ and at the end of
 * a line. Stricter than systemd where systemd would take something else than what was meant, and say nothing: a quote
 * that never ends, and a name that no variable can have, are faults. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_FILE_MAX ((size_t)1024 * 1024) /* bytes */

struct settings_file_entry {
    const char *name; /* terminated, as the value is; both belong to the file */
    const char *value;
    unsigned line; /* of the name, counted from 1 */
};

struct settings_file {
    struct settings_file_entry *entries; /* in the file's order */
    size_t count;
    char *storage;
};

/* Hears of what is wrong with a line. faulty: the file can't be used; else it is worth a warning. sentence quotes no
 * value. */
typedef void settings_file_problem(void *ctx, bool faulty, unsigned line, const char *sentence);

/* Reads a whole file's text, to its end whatever is wrong with it. False: no memory, and nothing is left to free. */
MUST_USE bool settings_file_parse(struct span text, settings_file_problem *problem, void *ctx,
                                  struct settings_file *ret_file);
/* The value of a name, the last one where it stands twice; NULL: it isn't there. */
const char *settings_file_get(const struct settings_file *file, const char *name);
/* Wipes and frees. Takes a zeroed one too. */
void settings_file_free(struct settings_file *file);
