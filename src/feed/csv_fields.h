/* The fields of a CSV's rows, written down as an update message; libcsv takes rows apart that have quotes. None of
 * libcsv's leniency is left: blanks belong to the field, a stray quote is a fault, and a row ends at a newline
 * alone. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "csv_columns.h"
#include "failure.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>

#include <csv.h>

struct csv_fields {
    struct csv_parser parser;
    bool started; /* parser is set up */
    const struct table_shape *table;
    struct csv_columns columns;
    bool has_header; /* all columns are known */
    size_t field; /* of this row: how many there were */
    size_t filled; /* that weren't empty */
    size_t alike_max; /* bytes that a row which is alike may have; 0: none can be */
    bool row_ended;
    struct buf id, attributes; /* their members so far */
    struct buf message;
    struct failure failure; /* of this row */
    char why[ROW_READER_WHY_SIZE]; /* of the header; "": it is fine so far */
};

/* False: no memory. */
MUST_USE bool csv_fields_init(struct csv_fields *f, const struct table_shape *table);
/* Takes a zeroed one too. */
void csv_fields_free(struct csv_fields *f);

enum csv_feed {
    CSV_MORE, /* the row goes on: a quoted field holds the newline */
    CSV_ROW, /* the row has ended: see message and failure; of the header: has_header, or why */
    CSV_BLANK, /* it was an empty line */
    CSV_STRAY_QUOTE, /* a quote in a field that doesn't begin with one: the row ends with its line */
    CSV_LOST, /* something stands behind a field's closing quote: where the row ends can't be known */
    CSV_NO_MEMORY
};
/* Takes a line of a row without its newline. quoted: it has a quote, or the row had one before. */
MUST_USE enum csv_feed csv_fields_take(struct csv_fields *f, struct span line, bool quoted);
/* The last row's message was found plain, and those of other rows may have so many bytes. */
void csv_fields_found_plain(struct csv_fields *f, size_t message_max);
/* Takes a line without its newline that is a whole row, and whose message would be plain as well, since its values are.
 * False: it isn't known to be, and isn't taken. */
bool csv_fields_take_alike(struct csv_fields *f, struct span line);
/* Forgets what was taken of a row. False: no memory. */
MUST_USE bool csv_fields_drop(struct csv_fields *f);
