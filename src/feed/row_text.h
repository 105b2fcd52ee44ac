/* What a row's bytes are, looked at as text. Private to the reader of rows. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether there is nothing but blanks. */
bool row_text_is_blank(struct span text);
/* The line without its newline, and without the carriage return before that. */
static inline struct span row_text_without_end(struct span line) {
    if (line.len > 0 && line.data[line.len - 1] == '\n') {
        line.len--;
    }
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}
/* The first byte that text doesn't have: a NUL, or what is no UTF-8; text.len: there is none. */
size_t row_text_fault(struct span text);
size_t row_text_count_quotes(struct span text);
