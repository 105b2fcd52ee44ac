/* How an event looks as a line of the log. */
#pragma once

#include "buf.h"
#include "log.h"

/* What a line is made of. */
struct log_line {
    enum log_format format;
    enum log_level level;
    int64_t wall;
    const char *message;
    const struct log_field *fields; /* ends with a NULL name; or NULL */
    const struct log_field *always; /* likewise: these come first */
};

/* Appends the line with its newline: at most LOG_LINE_MAX bytes, for which out must have room. */
void log_line_append(const struct log_line *line, struct buf *out);
