/* What enqueue says at its end: the command that goes on, the summary. Pure. */
#pragma once

#include "buf.h"
#include "cli.h"
#include "enqueuer.h"
#include "row_reader.h"

#include <stdbool.h>
#include <stdint.h>

/* A file's format: as --format says, else by the file's name. */
enum row_format enqueue_format(const struct cli *cli, const char *path);
/* Appends the command that does the rest. For a job it is the same command; else one that reads the rest of the file
 * (from this line on; unpacked by `unpacker`, where that isn't NULL) and the files behind it. False: there is none (the
 * rest was on standard input). */
bool enqueue_append_command(const struct cli *cli, unsigned file, uint64_t line, const char *unpacker, struct buf *out);
/* Appends a word as a shell takes it. */
void append_shell_word(const char *word, struct buf *out);
/* Appends the object that --json asks for, with a newline. */
bool enqueue_append_json(const struct enqueuer_counts *counts, double seconds, struct buf *out);
/* Appends a sentence. */
void enqueue_append_summary(const struct enqueuer_counts *counts, double seconds, bool dry, struct buf *out);
