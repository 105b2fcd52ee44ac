/* Completion of the command line by the shells' Tab key, made of the tables of commands and settings: what the program
 * takes, the shell offers. */
#pragma once

#include "buf.h"
#include "compiler.h"

#include <stdbool.h>

/* A shell: its name, and what appends its whole script. */
struct completion_shell {
    const char *name;
    void (*append)(struct buf *out);
};

/* Appends the script of a shell (bash, zsh, fish). False: there is none for it, or out has failed. */
MUST_USE bool completion_append(const char *shell, struct buf *out);
