/* Splits a command line into words by a POSIX shell's rules for quotes and backslashes. Nothing is executed or
 * expanded. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define SHELL_WORDS_MAX 128

struct shell_words {
    char *words[SHELL_WORDS_MAX + 1]; /* ends with NULL */
    size_t count;
    char *storage;
};

/* False: ret_why says what is wrong with it. */
MUST_USE bool shell_words_split(struct span text, struct shell_words *ret_words, const char **ret_why);
void shell_words_free(struct shell_words *words);
