/* The rows of an input: JSON lines, or CSV (RFC 4180) whose header says what each column is. Each row becomes an update
 * message, or the failure that tells why it is none; nothing of the input is left out in silence. Memory is bounded,
 * whatever the input. */
#pragma once

#include "compiler.h"
#include "failure.h"
#include "row_source.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_SIZE_MAX ((size_t)2 * 1024 * 1024) /* bytes of a row as it stands in the file */
#define ROW_BEGINNING 1000 /* bytes that are kept of one that is longer */
#define ROW_READER_WHY_SIZE 512

enum row_format { ROWS_JSON, ROWS_CSV };

/* By the file's name: x.csv, x.csv.gz, x.csv.zst are CSV, all else is JSON. */
enum row_format row_format_of(const char *path);

/* Where a row stands. Rows that are wrong count, blank lines and a CSV's header don't. */
struct row_place {
    uint64_t number; /* of the row in its file, from 1 */
    uint64_t line; /* its first physical line, from 1 */
    uint64_t offset; /* of that line in the decompressed text */
};

struct row {
    struct row_place place;
    struct span text; /* as the file has it, without its line end; of one that is too long: its beginning */
    struct span message; /* JSON: the line itself, or what was made of a CSV's row; absent where there is a failure */
    const struct failure *failure; /* NULL: none that reading alone shows */
    bool alike; /* after row_reader_found_plain(): it is as fit as that row was, and its message wasn't made */
};

enum row_status {
    ROW_READ,
    ROW_WAIT, /* as SOURCE_WAIT */
    ROW_END,
    ROW_BROKEN /* row_reader_why(); all whole rows before it were given out */
};

struct row_reader;

struct row_reader_options {
    struct row_source *source; /* borrowed */
    enum row_format format;
    const struct table_shape *table; /* its key is that of a CSV's key columns; borrowed. NULL: the column id */
};

/* NULL: no memory. */
MUST_USE struct row_reader *row_reader_new(const struct row_reader_options *options);
void row_reader_free(struct row_reader *r);
/* The next row; *ret_row is valid until the next call. */
enum row_status row_reader_next(struct row_reader *r, struct row *ret_row);
/* The row given last was found plain by update_is_plain(), and messages are wanted for that alone. From now on a CSV's
 * row that has plain values in each column, and whose message would have at most this many bytes, is given as alike. */
void row_reader_found_plain(struct row_reader *r, size_t message_max);
/* Where the next row is, or where the reader stopped at what isn't a row. */
struct row_place row_reader_place(const struct row_reader *r);
/* After ROW_BROKEN: a sentence with the position, without the file's name. */
const char *row_reader_why(const struct row_reader *r);
/* After the first row of a CSV: what its header may not mean, for the log; "": nothing. */
const char *row_reader_caution(const struct row_reader *r);
/* Before the first row: the next one is at this place, which row_reader_place() once gave for the same file. A file in
 * which no line begins there is ROW_BROKEN. */
void row_reader_go_on(struct row_reader *r, const struct row_place *place);
