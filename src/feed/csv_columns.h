/* What a CSV's header says: which column is which attribute, and of what type. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "row_reader.h"
#include "span.h"
#include "table_shape.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_COLUMNS_MAX 4096
#define CSV_CAUTION_SIZE 256

enum csv_type { CSV_STRING, CSV_NUMBER, CSV_BOOLEAN, CSV_JSON };
enum csv_role { CSV_ATTRIBUTE, CSV_PARTITION_KEY, CSV_SORT_KEY };

struct csv_column {
    struct span name; /* in csv_columns.names */
    struct span quoted; /* as JSON, with quotes and colon */
    enum csv_type type;
    enum csv_role role;
};

struct csv_columns {
    struct csv_column *all;
    size_t count, capacity;
    struct buf names;
    char caution[CSV_CAUTION_SIZE]; /* what a column that is an attribute may have been meant for; "": nothing else */
};

void csv_columns_init(struct csv_columns *c);
void csv_columns_free(struct csv_columns *c);
/* Takes the next column's field. False: why is a sentence. */
MUST_USE bool csv_columns_add(struct csv_columns *c, struct span field, const struct table_shape *table,
                              char why[static ROW_READER_WHY_SIZE]);
/* All were added: each name once, the key whole, and something besides it. False: why is a sentence. */
MUST_USE bool csv_columns_check(struct csv_columns *c, const struct table_shape *table,
                                char why[static ROW_READER_WHY_SIZE]);
