/* The bytes of one input that rows are read from: a file or standard input; plain, or a gzip or zstd archive by its
 * first bytes. Nothing of an archive is passed over in silence: one that is cut short or damaged, or that something
 * follows which is no archive, ends in a sentence with the position. Memory is bounded, whatever the input. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define ROW_SOURCE_WHY_SIZE 320

struct row_source;

/* Opens a file; "-" is standard input, which stays open. NULL: ret_why says why, without the name. */
MUST_USE struct row_source *row_source_open(const char *path, char ret_why[static ROW_SOURCE_WHY_SIZE]);
void row_source_free(struct row_source *s);

enum row_source_status {
    SOURCE_PIECE, /* *ret_piece is what comes next; never empty */
    SOURCE_WAIT, /* nothing can be read at once: row_source_fd() has to become readable */
    SOURCE_END, /* all was read, and it was whole */
    SOURCE_BROKEN /* row_source_why() says what is wrong, and where; all before it was given out */
};
/* The next bytes, decompressed; valid until the next call. Never waits for a pipe or a terminal. */
enum row_source_status row_source_next(struct row_source *s, struct span *ret_piece);
/* After SOURCE_BROKEN: a sentence without the file's name. */
const char *row_source_why(const struct row_source *s);
/* Passes over the next `count` decompressed bytes; of a plain file they aren't even read. */
void row_source_skip(struct row_source *s, uint64_t count);

/* The program that unpacks a file, by its first bytes; NULL: it is plain, or can't be read once more. */
const char *row_source_unpacker(const char *path);

/* The descriptor that SOURCE_WAIT waits for. */
int row_source_fd(const struct row_source *s);
/* Bytes taken from the descriptor so far, as they stand in the file (compressed where it is). */
uint64_t row_source_taken(const struct row_source *s);
/* Whether it is plain: an offset in the text is then an offset in the file. */
bool row_source_is_plain(const struct row_source *s);
/* How many there are; 0: not known (a pipe). */
uint64_t row_source_size(const struct row_source *s);
